//! The same counts train bit-identical models in every layout of a file, and several files as
//! the one that holds them all.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use common::tenx::Tenx;
use common::{Folder, names};
use scvi::data::CsrMatrix;
use scvi::data::simulate::{SimulateConfig, simulate};
use scvi_io::anndata::Column;
use scvi_io::h5ad::{NewAnnData, write_h5ad};

const SMALL: &str = "--n-hidden 8 --n-latent 2 --max-epochs 3 --check-val-every-n-epoch 1 --quiet";

fn run(folder: &Folder, words: &str) -> common::Ran {
    folder.scvi(&words.split_whitespace().collect::<Vec<_>>())
}

/// Weights and history of a model trained on the inputs.
fn trained(folder: &Folder, words: &str) -> (Vec<u8>, String) {
    run(folder, &format!("train {words} --model m --overwrite {SMALL}")).ok();
    let model = folder.path("m");
    let weights = fs::read(model.join("model.safetensors")).unwrap();
    (weights, fs::read_to_string(model.join("history.csv")).unwrap())
}

fn counts(n_cells: usize, n_genes: usize, seed: u64) -> CsrMatrix {
    let config =
        SimulateConfig { n_cells, n_genes, density: 0.3, seed, ..SimulateConfig::default() };
    simulate(&config).counts
}

#[test]
fn every_layout_trains_to_the_same_bits() {
    let folder = Folder::new();
    let counts = counts(90, 25, 0);
    let (cells, genes) = (names("AAAC", 90), names("GENE", 25));
    let data = NewAnnData::new(&counts, cells.clone(), genes.clone());
    write_h5ad(folder.path("data.h5ad"), &data, false).unwrap();
    let want = trained(&folder, "data.h5ad");
    let tenx = Tenx { counts: &counts, cells: &cells, genes: &genes };
    for is_packed in [false, true] {
        let end = if is_packed { "gz" } else { "plain" };
        let mut inputs = Vec::new();
        for (is_legacy, generation) in [(true, 2), (false, 3)] {
            let (h5, mtx) = (format!("v{generation}_{end}.h5"), format!("v{generation}_{end}"));
            tenx.write_h5(&folder.path(&h5), is_legacy, is_packed);
            tenx.write_mtx(&folder.path(&mtx), is_legacy, is_packed);
            inputs.extend([h5, mtx]);
        }
        // Cell Ranger's own folders: of a genome before 3, `outs` of count, and of multi.
        let count = format!("run_{end}/outs/filtered_feature_bc_matrix");
        let old = format!("old_{end}/outs/filtered_gene_bc_matrices/GRCh38");
        let multi = format!("multi_{end}/count/sample_filtered_feature_bc_matrix");
        for (path, is_legacy) in [(&count, false), (&old, true), (&multi, false)] {
            tenx.write_mtx(&folder.path(path), is_legacy, is_packed);
        }
        inputs.extend(["run", "old", "multi"].map(|name| format!("{name}_{end}")));
        for input in inputs {
            assert!(trained(&folder, &input) == want, "{input}");
        }
        let streamed = format!("v3_{end}.h5 --in-memory never --shuffle cells");
        assert!(trained(&folder, &streamed) == want, "{streamed}");
    }
}

/// A sample with genes in an order of its own.
struct Sample {
    name: &'static str,
    counts: CsrMatrix,
    genes: Vec<String>,
}

impl Sample {
    /// Counts of all genes, of which it has these, in this order.
    fn new(name: &'static str, all: &CsrMatrix, order: &[usize]) -> Self {
        let mut places = vec![None; all.n_genes()];
        order.iter().zip(0..).for_each(|(&gene, place)| places[gene] = Some(place));
        let genes = order.iter().map(|gene| format!("GENE_{gene:02}")).collect();
        Self { name, counts: all.clone().place_genes(&places, order.len()), genes }
    }

    fn cells(&self) -> Vec<String> {
        names("AAAC", self.counts.n_cells())
    }

    fn value(&self, cell: usize, gene: &str) -> f32 {
        let Some(place) = self.genes.iter().position(|known| known == gene) else { return 0.0 };
        let (genes, values) = self.counts.row(cell);
        genes.iter().position(|&g| g as usize == place).map_or(0.0, |at| values[at])
    }
}

/// The samples as one file, value by value.
fn write_one(path: &Path, samples: &[Sample], genes: &[String]) {
    let (mut indptr, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
    let (mut cells, mut of) = (Vec::new(), Vec::new());
    for sample in samples {
        for (cell, name) in sample.cells().into_iter().enumerate() {
            for (column, gene) in (0..).zip(genes) {
                let value = sample.value(cell, gene);
                if value > 0.0 {
                    indices.push(column);
                    values.push(value);
                }
            }
            indptr.push(values.len() as u64);
            cells.push(format!("{name}-{}", sample.name));
            of.push(Some(sample.name.to_owned()));
        }
    }
    let counts = CsrMatrix::new(genes.len(), indptr, indices, values).unwrap();
    let mut data = NewAnnData::new(&counts, cells, genes.to_vec());
    data.obs.push(("sample".into(), Column::Strings(of)));
    write_h5ad(path, &data, true).unwrap();
}

#[test]
fn three_samples_train_as_the_one_file_that_anndata_makes_of_them() {
    let folder = Folder::new();
    let all: Vec<CsrMatrix> = (0..3).map(|seed| counts(40 + 10 * seed, 20, seed as u64)).collect();
    let in_order: Vec<usize> = (0..20).collect();
    let permuted: Vec<usize> = in_order.iter().map(|gene| gene * 7 % 20).collect();
    let fewer: Vec<usize> = in_order.iter().copied().filter(|gene| gene % 6 != 1).collect();
    let samples = [
        Sample::new("a", &all[0], &permuted),
        Sample::new("b", &all[1], &in_order),
        Sample::new("c", &all[2], &fewer),
    ];
    for sample in &samples {
        let data = NewAnnData::new(&sample.counts, sample.cells(), sample.genes.clone());
        write_h5ad(folder.path(&format!("{}.h5ad", sample.name)), &data, false).unwrap();
    }
    let b = &samples[1];
    let tenx = Tenx { counts: &b.counts, cells: &b.cells(), genes: &b.genes };
    tenx.write_mtx(&folder.path("packed/b"), false, true);
    let is_in_all = |gene: &&String| samples.iter().all(|sample| sample.genes.contains(gene));
    let inner: Vec<String> = samples[0].genes.iter().filter(is_in_all).cloned().collect();
    let outer: BTreeSet<&String> = samples.iter().flat_map(|sample| &sample.genes).collect();
    let outer: Vec<String> = outer.into_iter().cloned().collect();
    assert!(inner.len() < outer.len());
    for (join, genes) in [("inner", inner), ("outer", outer)] {
        let one = format!("{join}.h5ad");
        write_one(&folder.path(&one), &samples, &genes);
        let want = trained(&folder, &format!("{one} --batch-key sample"));
        for inputs in ["a.h5ad b.h5ad c.h5ad", "a.h5ad packed/b c.h5ad"] {
            for reading in ["", "--in-memory never --shuffle cells", "--in-memory always"] {
                let words = format!("{inputs} --join {join} {reading}");
                assert!(trained(&folder, &words) == want, "{words}");
            }
        }
        // In blocks, as from a file that is too large.
        let blocks = "--shuffle blocks --block-size 8 --buffer-size 32";
        let want = trained(&folder, &format!("{one} --batch-key sample {blocks}"));
        let words = format!("a.h5ad b.h5ad c.h5ad --join {join} {blocks} --in-memory never");
        assert!(trained(&folder, &words) == want, "{words}");
    }
    let Ok(python) = std::env::var("SCVI_REFERENCE_PYTHON") else {
        eprintln!("skipped: what anndata says (set SCVI_REFERENCE_PYTHON)");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check_join.py");
    let output = Command::new(python).arg(script).arg(folder.path("")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
