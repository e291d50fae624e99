//! Opens a model, whatever its kind.

use std::fs;
use std::path::Path;

use crate::IoError;
use crate::convert::from_scvi_tools;
use crate::model_dir::{META_FILE, is_model_dir};
use crate::saved_model::SavedModel;
use crate::scvi_tools::{ScviToolsSave, saves_in};

/// What a model lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelKind {
    /// A folder of this program, known by its `model.json`.
    Native,
    /// A save of scvi-tools: a folder with a `model.pt`, with or without a prefix, or that file.
    ScviTools,
}

impl ModelKind {
    /// Its word: `native`, `scvi-tools`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::ScviTools => "scvi-tools",
        }
    }
}

/// Which kind of model lies there.
///
/// In a folder that holds both, the native one counts.
///
/// # Errors
/// [`IoError::NotFound`] and [`IoError::NotModelDir`] where there is none, and
/// [`IoError::Os`] where the folder cannot be read.
pub fn model_kind(path: impl AsRef<Path>) -> Result<ModelKind, IoError> {
    let path = path.as_ref();
    let none = |problem: String| Err(IoError::NotModelDir { path: path.into(), problem });
    let meta = fs::metadata(path).map_err(|e| IoError::os("read", path, e))?;
    if meta.is_file() {
        let save = path.extension().is_some_and(|ending| ending == "pt");
        let problem = "it is a file, not a folder, and no model.pt of scvi-tools".to_owned();
        return if save { Ok(ModelKind::ScviTools) } else { none(problem) };
    }
    if is_model_dir(path) {
        return Ok(ModelKind::Native);
    }
    // A save of before 0.15 is told apart by the reader.
    if saves_in(path)?.is_empty() && !path.join("model_params.pt").is_file() {
        return none(format!("neither {META_FILE} nor a model.pt of scvi-tools is in it"));
    }
    Ok(ModelKind::ScviTools)
}

/// Opens a model: a folder of this program, a folder in which scvi-tools saved one, or the
/// `model.pt` itself, which picks one of several.
///
/// # Errors
/// As [`model_kind`]; where the model is broken, of a newer format, or one that this program has
/// not.
pub fn open_model(path: impl AsRef<Path>) -> Result<SavedModel, IoError> {
    let path = path.as_ref();
    match model_kind(path)? {
        ModelKind::Native => SavedModel::load(path),
        ModelKind::ScviTools => {
            let fault = |source| IoError::ScviTools { path: path.to_owned(), source };
            let save = if path.is_file() {
                let bytes = fs::read(path).map_err(|e| IoError::os("read", path, e))?;
                ScviToolsSave::from_bytes(&bytes).map_err(fault)?
            } else {
                ScviToolsSave::read(path, None)?
            };
            from_scvi_tools(save).map_err(fault)
        }
    }
}
