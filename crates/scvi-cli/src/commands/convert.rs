//! `scvi convert`.

use scvi::data::MatrixKey;
use scvi_io::convert::to_scvi_tools;
use scvi_io::model_dir::check_model_output;
use scvi_io::scvi_tools::check_save_output;
use scvi_io::{IoError, ModelKind, model_kind, open_model};

use crate::args::{Common, ConvertArgs, ModelFormat};
use crate::error::CliError;
use crate::log::note;
use crate::report::Report;

pub fn run(args: &ConvertArgs, common: &Common) -> Result<(), CliError> {
    let ConvertArgs { model: path, output, .. } = args;
    let to = match args.to {
        ModelFormat::Native => ModelKind::Native,
        ModelFormat::ScviTools => ModelKind::ScviTools,
    };
    match to {
        ModelKind::Native => check_model_output(output, common.overwrite)?,
        ModelKind::ScviTools => check_save_output(output, common.overwrite)?,
    }
    let kind = model_kind(path)?;
    let mut model = open_model(path)?;
    if !model.left_out.is_empty() {
        note(
            common,
            &format!("left out, a model has no place for it: {}", scvi::listed(&model.left_out)),
        );
    }
    if to == ModelKind::ScviTools && model.meta.registry.layer == MatrixKey::Raw {
        note(
            common,
            "the model was trained on adata.raw.X, which scvi-tools cannot name: it will read \
             adata.X; give it adata.raw.to_adata()",
        );
    }
    let file = match to {
        ModelKind::Native => {
            model.save(output, common.overwrite)?;
            output.clone()
        }
        ModelKind::ScviTools => {
            let save = to_scvi_tools(&mut model)
                .map_err(|source| IoError::ScviTools { path: path.clone(), source })?;
            save.write(output, None, common.overwrite)?;
            output.join("model.pt")
        }
    };
    let mut report = Report::default();
    report
        .add("model_class", model.meta.model_class)
        .add("genes", model.meta.config.n_input)
        .add("from", kind.name())
        .add("to", to.name())
        .add("left_out", model.left_out)
        .add("files", vec![file.display().to_string()]);
    report.print(common)
}
