//! `scvi latent`.

use std::path::{Path, PathBuf};

use scvi::Cpu;
use scvi::data::Dataset;
use scvi::model::{
    AbundanceOptions, Cells, Latent, PointEstimate, Watch, differential_abundance,
    latent_library_size, latent_mean, latent_representation, latent_sample,
};
use scvi::module::Vae;
use scvi_io::SavedModel;
use scvi_io::anndata::{AnnDataFile, Categorical, Extras, NewRows, Slot, UnsValue, check_copy};
use scvi_io::rows::RowSink;
use scvi_io::table::NamedMatrix;

use crate::args::{Common, LatentArgs, output_path};
use crate::copies::create_copy;
use crate::error::CliError;
use crate::input::{Prepared, open};
use crate::matrix_output::MatrixOutput;
use crate::report::Report;
use crate::watching::Tasks;

/// Cells evaluated at a time where the user did not say.
const BATCH_SIZE: usize = 256;
const WHAT: &str = "latent representation";

pub fn run(args: &LatentArgs, common: &Common) -> Result<(), CliError> {
    let output = Output::check(output_path(&args.output), &args.source.input, common)?;
    let source = &args.source;
    let (SavedModel { vae, .. }, prepared) = open(source, common)?;
    let prepared = prepared.keeping_dropped_cells(args.keep_dropped_cells);
    let data = prepared.dataset()?;
    let cells = Cells::all(&data, source.batch_size);
    let tasks = Tasks::new(common);
    let latent = tasks.run(WHAT, |watch| latent_representation(&vae, cells, watch))?;
    let shown = if args.no_give_mean {
        tasks.run(WHAT, |watch| latent_sample(&vae, cells, common.seed, watch))?
    } else {
        mean(&vae, cells, &latent, &tasks)?
    };
    let n_latent = latent.n_latent;
    let abundance =
        args.sample_key.as_ref().map(|key| abundance(key, args, &prepared, &latent, &tasks));
    let mut blocks = vec![Block::numbered("X_scVI", n_latent, shown)];
    if args.return_dist {
        blocks.push(Block::numbered("X_latent_qzm", n_latent, latent.mean));
        blocks.push(Block::numbered("X_latent_qzv", n_latent, latent.var));
    }
    blocks.extend(abundance.transpose()?);
    let config = vae.spec().config();
    let is_inferred = !config.use_observed_lib_size && !config.use_size_factor_key;
    let estimate = match is_inferred && !args.no_give_mean {
        true => PointEstimate::Mean,
        false => PointEstimate::Sample { seed: common.seed },
    };
    let library = args.library_size.then(|| {
        let task = |watch: &mut Watch| latent_library_size(&vae, cells, estimate, watch);
        tasks.run("library sizes", task)
    });
    let library = library.transpose()?;
    let latent = Representation { blocks, library }.in_output_rows(&prepared);
    output.write(&prepared, &latent, common)?;
    if output.is_stdout() {
        return Ok(());
    }
    let mut report = Report::default();
    report
        .add("cells", prepared.counts.n_cells())
        .dropped(&prepared.dropped)
        .add("n_latent", n_latent)
        .add("seconds", tasks.seconds())
        .add("files", vec![output_path(&args.output).display().to_string()]);
    report.print(common)
}

/// What is written of every cell in use.
pub struct Representation {
    blocks: Vec<Block>,
    /// `(cells)`
    library: Option<Vec<f32>>,
}

/// A matrix of every cell in use.
pub(super) struct Block {
    key: &'static str,
    /// Names of its columns in a table.
    names: Vec<String>,
    /// What the columns are, where they have names of their own.
    labels: Option<Vec<String>>,
    /// `(cells, columns)`
    values: Vec<f32>,
}

impl Block {
    pub(super) fn numbered(key: &'static str, columns: usize, values: Vec<f32>) -> Self {
        let names = (0..columns).map(|i| format!("{key}_{i}")).collect();
        Self { key, names, labels: None, values }
    }
}

/// ln p(z | sample) of every cell, a column a sample.
fn abundance(
    key: &str,
    args: &LatentArgs,
    prepared: &Prepared,
    latent: &Latent,
    tasks: &Tasks,
) -> Result<Block, CliError> {
    if let Some(dof) = args.dof.filter(|dof| !(*dof > 0.0 && dof.is_finite())) {
        let (option, range) = ("dof", "a number above 0");
        return Err(CliError::Option { option, found: dof.to_string(), range });
    }
    let column = AnnDataFile::open(&prepared.path)?.obs_column(key)?;
    let Categorical { codes, categories, .. } = column.to_categorical();
    // A cell without a value is in no sample.
    let sample_of: Vec<u32> = prepared.rows().map(|row| codes[row].unwrap_or(u32::MAX)).collect();
    let options = AbundanceOptions {
        num_cells_posterior: args.num_cells_posterior,
        dof: args.dof,
        seed: tasks.common.seed,
    };
    let task = |watch: &mut Watch| {
        differential_abundance(latent, &sample_of, categories.len(), &options, watch)
    };
    let values = tasks.run("differential abundance", task)?;
    let names = categories.iter().map(|sample| format!("da_log_prob_{sample}")).collect();
    Ok(Block { key: "da_log_probs", names, labels: Some(categories), values })
}

/// The mean of z of every cell.
fn mean(
    vae: &Vae<Cpu<f32>>,
    cells: Cells,
    latent: &Latent,
    tasks: &Tasks,
) -> Result<Vec<f32>, CliError> {
    tasks.run(WHAT, |watch| latent_mean(vae, cells, latent, tasks.common.seed, watch))
}

impl Representation {
    /// One matrix.
    pub(super) fn of(block: Block) -> Self {
        Self { blocks: vec![block], library: None }
    }

    /// The posterior's mean of every cell.
    pub fn mean(vae: &Vae<Cpu<f32>>, data: &Dataset, common: &Common) -> Result<Self, CliError> {
        let cells = Cells::all(data, BATCH_SIZE);
        let task = |watch: &mut Watch| latent_representation(vae, cells, watch);
        let tasks = Tasks::new(common);
        let latent = tasks.run(WHAT, task)?;
        let mean = mean(vae, cells, &latent, &tasks)?;
        Ok(Self { blocks: vec![Block::numbered("X_scVI", latent.n_latent, mean)], library: None })
    }

    /// With the rows of outputs.
    pub fn in_output_rows(self, prepared: &Prepared) -> Self {
        let placed =
            |block: Block| Block { values: prepared.in_output_rows(block.values), ..block };
        Self {
            blocks: self.blocks.into_iter().map(placed).collect(),
            library: self.library.map(|sizes| prepared.in_output_rows(sizes)),
        }
    }
}

/// Where a representation goes.
pub enum Output {
    /// A copy of the input with the representation added.
    Copy(PathBuf),
    Matrix(MatrixOutput),
}

impl Output {
    /// Reads the format off the ending, and makes sure that the file can be written, be it a copy of
    /// `input`.
    pub fn check(path: &Path, input: &Path, common: &Common) -> Result<Self, CliError> {
        if path.extension().is_some_and(|e| e == "h5ad" || e == "zarr") {
            check_copy(input, path, common.overwrite)?;
            return Ok(Self::Copy(path.to_owned()));
        }
        let range = "a file ending in .h5ad or .zarr, as the input, in .npy, .csv or .tsv, or -";
        MatrixOutput::check(path, range, common).map(Self::Matrix)
    }

    pub(super) fn is_stdout(&self) -> bool {
        matches!(self, Self::Matrix(matrix) if matrix.is_stdout())
    }

    /// The file, if it is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Copy(path) | Self::Matrix(MatrixOutput::File(path)) => Some(path),
            Self::Matrix(MatrixOutput::Stdout) => None,
        }
    }

    /// Makes the file that a copy is made of: what is in the way is told before work that may take
    /// days.
    pub fn prepare(&self, prepared: &Prepared) -> Result<(), CliError> {
        match self {
            Self::Copy(path) => Ok(prepared.copied(path).map(drop)?),
            Self::Matrix(_) => Ok(()),
        }
    }

    /// A file of the same kind at another path.
    pub fn at(&self, path: &Path) -> Self {
        match self {
            Self::Copy(_) => Self::Copy(path.to_owned()),
            Self::Matrix(_) => Self::Matrix(MatrixOutput::File(path.to_owned())),
        }
    }

    /// Writes the arrays, which have the rows of outputs.
    pub fn write(
        &self,
        prepared: &Prepared,
        latent: &Representation,
        common: &Common,
    ) -> Result<(), CliError> {
        let Representation { blocks, library } = latent;
        let output = match self {
            Self::Copy(path) => {
                return add_to_copy(prepared, path, blocks, library.as_deref(), common);
            }
            Self::Matrix(output) => output,
        };
        let names = blocks.iter().flat_map(|block| block.names.iter().cloned());
        let names: Vec<String> =
            names.chain(library.is_some().then(|| "library_size".to_owned())).collect();
        let cells = prepared.output_names();
        let values = side_by_side(blocks, cells.len(), library.as_deref());
        let matrix = NamedMatrix { corner: "cell", rows: &cells, columns: &names, values: &values };
        output.write(&matrix, common)
    }
}

/// Writes a copy of the input with everything added.
fn add_to_copy(
    prepared: &Prepared,
    path: &Path,
    blocks: &[Block],
    library: Option<&[f32]>,
    common: &Common,
) -> Result<(), CliError> {
    let rows: Vec<NewRows> = blocks
        .iter()
        .map(|block| NewRows { slot: Slot::Obsm, key: block.key, columns: block.names.len() })
        .collect();
    let labels = blocks.iter().filter_map(|block| {
        let labels = block.labels.clone()?;
        Some((format!("{}_columns", block.key), UnsValue::Texts(labels)))
    });
    let labels: Vec<(String, UnsValue)> = labels.collect();
    let uns: Vec<(&str, UnsValue)> = labels.iter().map(|(k, v)| (k.as_str(), v.clone())).collect();
    let obs: Vec<(&str, &[f32])> = library.map(|v| ("scvi_library_size", v)).into_iter().collect();
    let extras = Extras { obs: &obs, uns: &uns, ..Extras::default() };
    // The demonstration adds to the file it has just written.
    let overwrite = common.overwrite || *path == prepared.path;
    let mut file = Box::new(create_copy(prepared, path, &rows, extras, overwrite, common)?);
    for (k, block) in blocks.iter().enumerate() {
        file.append(k, &block.values)?;
    }
    Ok(file.finish()?)
}

/// Blocks of the same rows, and a column, as one matrix.
fn side_by_side(blocks: &[Block], rows: usize, last: Option<&[f32]>) -> Vec<f32> {
    (0..rows)
        .flat_map(|row| {
            let parts = blocks.iter().flat_map(move |block| {
                let columns = block.names.len();
                &block.values[row * columns..][..columns]
            });
            parts.chain(last.map(|v| &v[row]))
        })
        .copied()
        .collect()
}
