//! `scvi inspect`.

mod data;
mod model;

use scvi_io::anndata::is_store;
use scvi_io::model_kind;

use crate::args::{Common, InspectArgs};
use crate::error::CliError;

pub fn run(args: &InspectArgs, common: &Common) -> Result<(), CliError> {
    let path = &args.path;
    let is_model = (path.is_dir() && !is_store(path)) || model_kind(path).is_ok();
    let report = if is_model { model::report(path, common)? } else { data::report(path, common)? };
    report.print(common)
}
