#![allow(dead_code, reason = "each test program uses a part of it")]
//! Fixtures computed by scvi-tools: how to read one, and how to compare with it.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::{Dtype, SafeTensors};
use scvi::Real;
use scvi::model::query::Freeze;
use scvi::module::{GivenNoise, GivenScanvaeNoise, Minibatch, ScanvaeConfig, VaeConfig};
use scvi::nn::{StateDict, Tensor};
use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Deserialize)]
pub struct Entry<C = VaeConfig> {
    pub name: String,
    file: String,
    pub config: C,
    pub kl_weight: f64,
    /// Of a SCANVAE.
    #[serde(default)]
    pub classification_ratio: f64,
    #[serde(default)]
    pub transform_batch: Option<u32>,
    /// Of a query: the model it was mapped onto, and the switches that differ from the defaults.
    pub reference: Option<C>,
    #[serde(default)]
    pub freeze: Freeze,
}

/// One configuration's tensors, all widened to f64.
pub struct Fixture<C = VaeConfig> {
    pub entry: Entry<C>,
    tensors: BTreeMap<String, Tensor<f64>>,
}

/// The fixtures of one step and its gradients.
pub fn all() -> Vec<Fixture> {
    fixtures("fixtures").0
}

/// Those of SCANVAE.
pub fn scanvae() -> Vec<Fixture<ScanvaeConfig>> {
    fixtures("fixtures_scanvae").0
}

/// The fixtures of estimates, and how many posterior predictive samples each has.
pub fn monte_carlo() -> (Vec<Fixture>, u32) {
    let (fixtures, manifest) = fixtures("fixtures_monte_carlo");
    (fixtures, manifest["samples"].as_u64().unwrap() as u32)
}

/// The fixtures of queries mapped onto a reference.
pub fn queries() -> Vec<Fixture> {
    fixtures("fixtures_queries").0
}

fn fixtures<C: DeserializeOwned>(folder: &str) -> (Vec<Fixture<C>>, serde_json::Value) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reference").join(folder);
    let manifest = std::fs::read(folder.join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let entries: Vec<Entry<C>> = serde_json::from_value(manifest["fixtures"].clone()).unwrap();
    (entries.into_iter().map(|entry| Fixture::read(&folder, entry)).collect(), manifest)
}

/// Tensors whose names begin with that of a model.
pub struct Tensors(BTreeMap<String, Tensor<f64>>);

/// What scvi-tools makes of given samples of some of the models in [`all`].
pub fn importance() -> Tensors {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reference");
    Tensors(tensors(&folder.join("fixtures_importance/importance.safetensors")))
}

/// Some of the models in [`all`] after ten steps with clipped gradients.
pub fn clipping() -> Tensors {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reference");
    Tensors(tensors(&folder.join("fixtures_clipping/clipping.safetensors")))
}

impl Tensors {
    /// Those of one model, by the rest of their names.
    pub fn under(&self, model: &str) -> Option<Self> {
        let own = |(name, tensor): (&String, &Tensor<f64>)| {
            let name = name.strip_prefix(model)?.strip_prefix('/')?;
            Some((name.to_owned(), tensor.clone()))
        };
        let found: BTreeMap<_, _> = self.0.iter().filter_map(own).collect();
        (!found.is_empty()).then_some(Self(found))
    }

    pub fn get(&self, name: &str) -> &[f64] {
        &self.0[name].data
    }
}

fn tensors(path: &Path) -> BTreeMap<String, Tensor<f64>> {
    let bytes = std::fs::read(path).unwrap();
    let tensor = |(name, view): (&str, safetensors::tensor::TensorView)| {
        let data = widen(view.dtype(), view.data());
        (name.to_owned(), Tensor { shape: view.shape().to_vec(), data })
    };
    SafeTensors::deserialize(&bytes).unwrap().iter().map(tensor).collect()
}

impl<C> Fixture<C> {
    fn read(folder: &Path, entry: Entry<C>) -> Self {
        let tensors = tensors(&folder.join(&entry.file));
        Self { entry, tensors }
    }

    pub fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    pub fn get(&self, name: &str) -> &Tensor<f64> {
        self.tensors.get(name).unwrap_or_else(|| panic!("{}: no {name}", self.entry.name))
    }

    /// The tensors under a prefix, by the rest of their names.
    pub fn under<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Tensor<f64>)> + 'a {
        self.tensors.iter().filter_map(move |(k, v)| Some((k.strip_prefix(prefix)?, v)))
    }

    /// The starting parameters that a model of this library has.
    pub fn state<F: Real>(&self, wanted: &StateDict<F>) -> StateDict<F> {
        self.state_under("param/", wanted)
    }

    /// The tensors under a prefix that a model of this library has.
    pub fn state_under<F: Real>(&self, prefix: &str, wanted: &StateDict<F>) -> StateDict<F> {
        self.under(prefix)
            .filter(|(name, _)| wanted.contains_key(*name))
            .map(|(name, t)| {
                let data = t.data.iter().map(|&v| F::of(v)).collect();
                (name.to_owned(), Tensor { shape: t.shape.clone(), data })
            })
            .collect()
    }

    pub fn minibatch(&self) -> Minibatch {
        self.minibatch_under("input")
    }

    /// The labelled minibatch of a SCANVAE; without cells where there is none.
    ///
    /// Fixtures leave out its size factors, which have no effect, and the labels where there is
    /// only one.
    pub fn labelled_minibatch(&self) -> Minibatch {
        let mut batch = self.minibatch_under("labelled");
        let cells = batch.rows.n_cells();
        batch.size_factor.resize(cells, 1.0);
        batch.labels.resize(cells, 0);
        batch
    }

    fn minibatch_under(&self, prefix: &str) -> Minibatch {
        let mut batch = Minibatch::default();
        batch.rows.clear();
        let Some(x) = self.tensors.get(&format!("{prefix}/x")) else { return batch };
        let n_genes = x.shape[1];
        for row in x.data.chunks(n_genes) {
            let genes: Vec<u32> = (0..n_genes as u32).filter(|&g| row[g as usize] > 0.0).collect();
            let counts: Vec<f32> = genes.iter().map(|&g| row[g as usize] as f32).collect();
            batch.rows.push(&genes, &counts);
        }
        batch.cells = (0..x.shape[0] as u32).collect();
        let list = |name: &str| self.list(&format!("{prefix}/{name}"));
        let codes = |name: &str| list(name).into_iter().map(|v| v as u32).collect();
        let numbers = |name: &str| list(name).into_iter().map(|v| v as f32).collect();
        batch.batch = codes("batch_index");
        batch.labels = codes("labels");
        batch.categories = codes("cat_covs");
        batch.continuous = numbers("cont_covs");
        batch.size_factor = numbers("size_factor");
        batch
    }

    /// An input that not every fixture has.
    fn list(&self, name: &str) -> Vec<f64> {
        self.tensors.get(name).map_or(Vec::new(), |t| t.data.clone())
    }

    fn noise_of<F: Real>(&self, row: usize, dropout_rate: f64) -> GivenNoise<F> {
        GivenNoise {
            z: self.normals("noise/z", row),
            library: self.normals("noise/library", row),
            dropout: self.dropout("noise/dropout/z_encoder.", row, dropout_rate),
            library_dropout: self.dropout("noise/dropout/l_encoder.", row, dropout_rate),
        }
    }

    fn normals<F: Real>(&self, name: &str, row: usize) -> Vec<F> {
        self.tensors.get(name).map_or(Vec::new(), |t| of_row(t, row, 1.0))
    }

    /// Dropout factors of every layer of a network.
    fn dropout<F: Real>(&self, prefix: &str, row: usize, rate: f64) -> Vec<Vec<F>> {
        let keep = 1.0 / (1.0 - rate);
        self.under(prefix).map(|(_, t)| of_row(t, row, keep)).collect()
    }
}

impl Fixture {
    /// All noise of one pass.
    pub fn noise<F: Real>(&self, row: usize) -> GivenNoise<F> {
        self.noise_of(row, self.entry.config.dropout_rate)
    }
}

impl Fixture<ScanvaeConfig> {
    /// All noise of one pass.
    pub fn noise<F: Real>(&self, row: usize) -> GivenScanvaeNoise<F> {
        let ScanvaeConfig { vae, classifier_parameters, .. } = &self.entry.config;
        let rate = vae.dropout_rate;
        let of_classifier = classifier_parameters.dropout_rate.unwrap_or(rate);
        let dropout = |layers: &str, rate| self.dropout(&format!("noise/{layers}."), row, rate);
        let cell_by_cell = |values: Vec<F>| transposed(&values, vae.n_labels, vae.n_latent);
        let z2_dropout = dropout("dropout/encoder_z2_z1", rate);
        let layers = z2_dropout.iter().map(|l| transposed(l, vae.n_labels, vae.n_hidden));
        GivenScanvaeNoise {
            vae: self.noise_of(row, rate),
            z2: cell_by_cell(self.normals("noise/z2", row)),
            z2_dropout: layers.collect(),
            classifier_dropout: dropout("dropout/classifier", of_classifier),
            labelled_dropout: dropout("labelled/dropout/z_encoder", rate),
            labelled_classifier_dropout: dropout("labelled/dropout/classifier", of_classifier),
        }
    }
}

/// From label by label to cell by cell: `(labels, cells, width)` to `(cells, labels, width)`.
fn transposed<F: Real>(values: &[F], n_labels: usize, width: usize) -> Vec<F> {
    let cells = values.len() / (n_labels * width);
    let row = |at: usize| &values[at * width..][..width];
    let order = (0..cells).flat_map(|c| (0..n_labels).map(move |y| y * cells + c));
    order.flat_map(row).copied().collect()
}

/// One pass's part of the noise, times a factor.
fn of_row<F: Real>(t: &Tensor<f64>, row: usize, factor: f64) -> Vec<F> {
    let len: usize = t.shape[1..].iter().product();
    t.data[row * len..][..len].iter().map(|&v| F::of(v * factor)).collect()
}

fn widen(dtype: Dtype, bytes: &[u8]) -> Vec<f64> {
    match dtype {
        Dtype::F64 => bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect(),
        Dtype::F32 => bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b) as f64).collect(),
        Dtype::I64 => bytes.as_chunks().0.iter().map(|b| i64::from_le_bytes(*b) as f64).collect(),
        Dtype::U8 => bytes.iter().map(|&b| b as f64).collect(),
        other => panic!("fixtures hold no {other:?}"),
    }
}

/// Euclidean norm.
pub fn norm(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|v| v * v).sum::<f64>().sqrt()
}

/// ‖got - want‖ / ‖want‖, where a `want` below `floor` counts as `floor`.
pub fn deviation<F: Real>(got: &[F], want: &[f64], floor: f64) -> f64 {
    assert_eq!(got.len(), want.len());
    let difference = norm(got.iter().zip(want).map(|(g, w)| g.to_f64() - w));
    difference / norm(want.iter().copied()).max(floor)
}

/// The largest |got - want| / |want| over elements, where a `want` below `floor` counts as `floor`.
pub fn worst<F: Real>(got: &[F], want: &[f64], floor: f64) -> f64 {
    assert_eq!(got.len(), want.len());
    let each = got.iter().zip(want).map(|(g, w)| (g.to_f64() - w).abs() / w.abs().max(floor));
    each.fold(0.0, |a, b| if b.is_nan() { f64::INFINITY } else { a.max(b) })
}

/// Norm of everything under a prefix together.
pub fn total_norm<C>(fixture: &Fixture<C>, prefix: &str) -> f64 {
    norm(fixture.under(prefix).flat_map(|(_, t)| t.data.iter().copied()))
}
