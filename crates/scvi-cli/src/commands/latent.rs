//! `scvi latent`.

use std::io::Write;
use std::path::{Path, PathBuf};

use scvi::Cpu;
use scvi::data::Dataset;
use scvi::model::{Cells, Watch, latent_representation, latent_sample};
use scvi::module::Vae;
use scvi_io::SavedModel;
use scvi_io::h5ad::{NewArray, Slot, write_with_arrays};
use scvi_io::output::check_output;
use scvi_io::table::{MatrixFormat, NamedMatrix};

use crate::args::{Common, LatentArgs};
use crate::error::CliError;
use crate::input::{Prepared, open};
use crate::report::Report;
use crate::watching::watched;

/// Cells evaluated at a time where the user did not say.
const BATCH_SIZE: usize = 256;

pub fn run(args: &LatentArgs, common: &Common) -> Result<(), CliError> {
    let output = Output::check(&args.output, common)?;
    let source = &args.source;
    let (SavedModel { vae, .. }, prepared) = open(source, common)?;
    let data = prepared.dataset()?;
    let cells = Cells::all(&data, source.batch_size);
    let what = "latent representation";
    let latent = watched(what, common, |watch| latent_representation(&vae, cells, watch))?;
    let shown = if args.no_give_mean {
        watched(what, common, |watch| latent_sample(&vae, cells, common.seed, watch))?
    } else {
        latent.mean.clone()
    };
    let mut arrays = vec![("X_scVI", shown)];
    if args.return_dist {
        arrays.extend([("X_latent_qzm", latent.mean), ("X_latent_qzv", latent.var)]);
    }
    let n_latent = latent.n_latent;
    output.write(&prepared, Representation { n_latent, arrays }, common)?;
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

/// Arrays of every cell in use, each `(cells, n_latent)`.
pub struct Representation {
    n_latent: usize,
    arrays: Vec<(&'static str, Vec<f32>)>,
}

impl Representation {
    /// The posterior's mean of every cell.
    pub fn mean(vae: &Vae<Cpu<f32>>, data: &Dataset, common: &Common) -> Result<Self, CliError> {
        let cells = Cells::all(data, BATCH_SIZE);
        let task = |watch: &mut Watch| latent_representation(vae, cells, watch);
        let latent = watched("latent representation", common, task)?;
        Ok(Self { n_latent: latent.n_latent, arrays: vec![("X_scVI", latent.mean)] })
    }
}

/// Where a representation goes.
pub enum Output {
    H5ad(PathBuf),
    Matrix(PathBuf, MatrixFormat),
    Stdout,
}

impl Output {
    /// Reads the format off the ending, and makes sure that the file can be written.
    pub fn check(path: &Path, common: &Common) -> Result<Self, CliError> {
        if path.as_os_str() == "-" {
            return Ok(Self::Stdout);
        }
        let h5ad = path.extension().is_some_and(|e| e == "h5ad");
        let output = match MatrixFormat::of(path) {
            _ if h5ad => Self::H5ad(path.to_owned()),
            Some(format) => Self::Matrix(path.to_owned(), format),
            None => {
                return Err(CliError::Option {
                    option: "output",
                    found: format!("'{}'", path.display()),
                    range: "a file ending in .h5ad, .npy, .csv or .tsv, or -",
                });
            }
        };
        check_output(path, common.overwrite)?;
        Ok(output)
    }

    fn is_stdout(&self) -> bool {
        matches!(self, Self::Stdout)
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
        let (path, format) = match self {
            Self::H5ad(path) => {
                let arrays: Vec<NewArray> = arrays
                    .iter()
                    .map(|(key, values)| NewArray { slot: Slot::Obsm, key, values, columns })
                    .collect();
                // The demonstration adds to the file it has just written.
                let same = *path == prepared.path;
                write_with_arrays(&prepared.path, path, &arrays, common.overwrite || same)?;
                return Ok(());
            }
            Self::Matrix(path, format) => (Some(path), *format),
            Self::Stdout => (None, MatrixFormat::Csv),
        };
        let names: Vec<String> = arrays
            .iter()
            .flat_map(|(key, _)| (0..columns).map(move |i| format!("{key}_{i}")))
            .collect();
        let values = side_by_side(&arrays, columns);
        let matrix = NamedMatrix {
            corner: "cell",
            rows: &prepared.obs_names,
            columns: &names,
            values: &values,
        };
        match path {
            Some(path) => Ok(matrix.save(path, common.overwrite)?),
            None => print(&matrix, format),
        }
    }
}

/// Arrays of the same rows as one matrix.
fn side_by_side(arrays: &[(&str, Vec<f32>)], columns: usize) -> Vec<f32> {
    let rows = arrays.first().map_or(0, |(_, values)| values.len() / columns);
    (0..rows)
        .flat_map(|row| arrays.iter().flat_map(move |(_, v)| &v[row * columns..][..columns]))
        .copied()
        .collect()
}

fn print(matrix: &NamedMatrix, format: MatrixFormat) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    match matrix.write(&mut out, format).and_then(|()| out.flush()) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|source| CliError::Stdout { source }),
    }
}
