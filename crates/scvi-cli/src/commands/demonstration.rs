//! The demonstration: `scvi train` without an input.

use std::path::{Path, PathBuf};

use scvi::data::simulate::{SimulateConfig, simulate};
use scvi_io::anndata::AnnDataFile;
use scvi_io::checkpoint::checkpoint_path;
use scvi_io::{InputMeta, load_model};

use super::simulate::{names, write};
use crate::args::{Common, TrainArgs};
use crate::error::CliError;
use crate::input::{Names, Prepared};
use crate::log::tell;

/// Names of its outputs.
pub const MODEL: &str = "scvi_demo_model";
pub const DATA: &str = "scvi_demo.h5ad";
pub const REPORT: &str = "scvi_demo_report.html";
/// The column of obs with the simulated cell types.
pub const CELL_TYPE: &str = "cell_type";

fn config(common: &Common) -> SimulateConfig {
    SimulateConfig { seed: common.seed, ..SimulateConfig::default() }
}

/// Options for the outputs of a run.
pub struct OutputOptions {
    pub model: Common,
    pub data: Common,
}

impl OutputOptions {
    /// The outputs of an earlier demonstration may be replaced, for they can be made again. Whatever
    /// else has their names stays.
    pub fn of(args: &TrainArgs, common: &Common) -> Self {
        let mut options = Self { model: common.clone(), data: common.clone() };
        if args.input.is_some() || common.overwrite {
            return options;
        }
        let Names { cells, genes } = names(&config(common));
        let is_data = AnnDataFile::open(DATA)
            .is_ok_and(|file| file.obs_names() == cells && file.var_names() == genes);
        let input = Some(InputMeta::new(cells.len(), &genes));
        let is_model = args.model.is_none()
            && !checkpoint_path(Path::new(MODEL)).exists()
            && load_model(MODEL).is_ok_and(|(_, meta)| meta.input == input);
        for (is_earlier, path, options) in
            [(is_model, MODEL, &mut options.model), (is_data, DATA, &mut options.data)]
        {
            if is_earlier {
                tell(common, &format!("replacing {path} of an earlier demonstration"));
                options.overwrite = true;
            }
        }
        options
    }
}

/// Simulates the data and writes it, with its names.
pub fn prepare(common: &Common) -> Result<Prepared, CliError> {
    let config = config(common);
    let path = PathBuf::from(DATA);
    scvi_io::output::check_output(&path, common.overwrite)?;
    tell(
        common,
        &format!(
            "no INPUT: simulating {} cells x {} genes, {} batches, {} cell types (seed {})",
            config.n_cells, config.n_genes, config.n_batches, config.n_cell_types, config.seed
        ),
    );
    let sim = simulate(&config);
    write(&path, &config, &sim, common)?;
    Ok(Prepared::simulated(path, &sim, names(&config)))
}
