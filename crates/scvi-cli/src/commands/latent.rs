//! `scvi latent`.

use std::path::{Path, PathBuf};

use scvi::Cpu;
use scvi::data::Dataset;
use scvi::model::{
    Cells, Latent, LibraryEstimate, MC_SAMPLES, Watch, latent_library_size, latent_representation,
    latent_sample, latent_simplex_mean,
};
use scvi::module::{LatentDistribution, Vae};
use scvi_io::SavedModel;
use scvi_io::h5ad::{Extras, H5adRows, NewRows, Slot};
use scvi_io::output::check_output;
use scvi_io::rows::RowSink;
use scvi_io::table::NamedMatrix;

use crate::args::{Common, LatentArgs};
use crate::error::CliError;
use crate::input::{Prepared, open};
use crate::matrix_output::MatrixOutput;
use crate::report::Report;
use crate::watching::watched;

/// Cells evaluated at a time where the user did not say.
const BATCH_SIZE: usize = 256;
const WHAT: &str = "latent representation";

pub fn run(args: &LatentArgs, common: &Common) -> Result<(), CliError> {
    let output = Output::check(&args.output, common)?;
    let source = &args.source;
    let (SavedModel { vae, .. }, prepared) = open(source, common)?;
    let data = prepared.dataset()?;
    let cells = Cells::all(&data, source.batch_size);
    let latent = watched(WHAT, common, |watch| latent_representation(&vae, cells, watch))?;
    let shown = if args.no_give_mean {
        watched(WHAT, common, |watch| latent_sample(&vae, cells, common.seed, watch))?
    } else {
        mean(&vae, cells, &latent, common)?
    };
    let mut arrays = vec![("X_scVI", shown)];
    if args.return_dist {
        arrays.extend([("X_latent_qzm", latent.mean), ("X_latent_qzv", latent.var)]);
    }
    let n_latent = latent.n_latent;
    let config = vae.spec().config();
    let is_inferred = !config.use_observed_lib_size && !config.use_size_factor_key;
    let estimate = match is_inferred && !args.no_give_mean {
        true => LibraryEstimate::Mean,
        false => LibraryEstimate::Sample { seed: common.seed },
    };
    let library = args.library_size.then(|| {
        let task = |watch: &mut Watch| latent_library_size(&vae, cells, estimate, watch);
        watched("library sizes", common, task)
    });
    let library = library.transpose()?;
    output.write(&prepared, Representation { n_latent, arrays, library }, common)?;
    if output.is_stdout() {
        return Ok(());
    }
    let mut report = Report::default();
    report
        .add("cells", prepared.counts.n_cells())
        .add("n_latent", n_latent)
        .add("files", vec![args.output.display().to_string()]);
    report.print(common)
}

/// What is written of every cell in use.
pub struct Representation {
    n_latent: usize,
    /// Each `(cells, n_latent)`.
    arrays: Vec<(&'static str, Vec<f32>)>,
    /// `(cells)`
    library: Option<Vec<f32>>,
}

/// The mean of z of every cell: of a logistic-normal one the mean of draws, as in scvi-tools.
fn mean(
    vae: &Vae<Cpu<f32>>,
    cells: Cells,
    latent: &Latent,
    common: &Common,
) -> Result<Vec<f32>, CliError> {
    match vae.spec().config().latent_distribution {
        LatentDistribution::Normal => Ok(latent.mean.clone()),
        LatentDistribution::Ln => watched(WHAT, common, |watch| {
            latent_simplex_mean(vae, cells, MC_SAMPLES, common.seed, watch)
        }),
    }
}

impl Representation {
    /// The posterior's mean of every cell.
    pub fn mean(vae: &Vae<Cpu<f32>>, data: &Dataset, common: &Common) -> Result<Self, CliError> {
        let cells = Cells::all(data, BATCH_SIZE);
        let task = |watch: &mut Watch| latent_representation(vae, cells, watch);
        let latent = watched(WHAT, common, task)?;
        let arrays = vec![("X_scVI", mean(vae, cells, &latent, common)?)];
        Ok(Self { n_latent: latent.n_latent, arrays, library: None })
    }
}

/// Where a representation goes.
pub enum Output {
    H5ad(PathBuf),
    Matrix(MatrixOutput),
}

impl Output {
    /// Reads the format off the ending, and makes sure that the file can be written.
    pub fn check(path: &Path, common: &Common) -> Result<Self, CliError> {
        if path.extension().is_some_and(|e| e == "h5ad") {
            check_output(path, common.overwrite)?;
            return Ok(Self::H5ad(path.to_owned()));
        }
        let range = "a file ending in .h5ad, .npy, .csv or .tsv, or -";
        MatrixOutput::check(path, range, common).map(Self::Matrix)
    }

    fn is_stdout(&self) -> bool {
        matches!(self, Self::Matrix(matrix) if matrix.is_stdout())
    }

    /// Writes the arrays.
    pub fn write(
        &self,
        prepared: &Prepared,
        latent: Representation,
        common: &Common,
    ) -> Result<(), CliError> {
        let columns = latent.n_latent;
        let arrays: Vec<(&str, Vec<f32>)> =
            latent.arrays.into_iter().map(|(key, v)| (key, prepared.all_rows(v))).collect();
        let library = latent.library.map(|sizes| prepared.all_rows(sizes));
        let output = match self {
            Self::H5ad(path) => {
                return add_to_copy(prepared, path, &arrays, columns, library.as_deref(), common);
            }
            Self::Matrix(output) => output,
        };
        let names =
            arrays.iter().flat_map(|(key, _)| (0..columns).map(move |i| format!("{key}_{i}")));
        let names: Vec<String> =
            names.chain(library.is_some().then(|| "library_size".to_owned())).collect();
        let values = side_by_side(&arrays, columns, library.as_deref());
        let matrix = NamedMatrix {
            corner: "cell",
            rows: &prepared.obs_names,
            columns: &names,
            values: &values,
        };
        output.write(&matrix, common)
    }
}

/// Writes a copy of the input with everything added.
fn add_to_copy(
    prepared: &Prepared,
    path: &Path,
    arrays: &[(&str, Vec<f32>)],
    columns: usize,
    library: Option<&[f32]>,
    common: &Common,
) -> Result<(), CliError> {
    let rows: Vec<NewRows> =
        arrays.iter().map(|(key, _)| NewRows { slot: Slot::Obsm, key, columns }).collect();
    let obs: Vec<(&str, &[f32])> = library.map(|v| ("scvi_library_size", v)).into_iter().collect();
    let extras = Extras { obs: &obs, ..Extras::default() };
    // The demonstration adds to the file it has just written.
    let overwrite = common.overwrite || *path == prepared.path;
    let mut file = Box::new(H5adRows::create(&prepared.path, path, &rows, extras, overwrite)?);
    for (k, (_, values)) in arrays.iter().enumerate() {
        file.append(k, values)?;
    }
    Ok(file.finish()?)
}

/// Arrays of the same rows, and a column, as one matrix.
fn side_by_side(arrays: &[(&str, Vec<f32>)], columns: usize, last: Option<&[f32]>) -> Vec<f32> {
    let rows = arrays.first().map_or(0, |(_, values)| values.len() / columns);
    (0..rows)
        .flat_map(|row| {
            let parts = arrays.iter().flat_map(move |(_, v)| &v[row * columns..][..columns]);
            parts.chain(last.map(|v| &v[row]))
        })
        .copied()
        .collect()
}
