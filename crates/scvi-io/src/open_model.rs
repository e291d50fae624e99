//! Opens a model, whatever its kind.

use std::fs;
use std::path::{Path, PathBuf};

use crate::IoError;
use crate::convert::from_scvi_tools;
use crate::model_dir::META_FILE;
use crate::saved_model::SavedModel;
use crate::scvi_tools::{LEGACY_FILE, SAVE_FILE, SaveError, ScviToolsSave};

/// What a model lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelKind {
    /// A folder of this program, known by its `model.json`.
    Native,
    /// A save of scvi-tools, known by its `model.pt`.
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

    /// The end of the name of the file that it is known by.
    fn file(self) -> &'static str {
        match self {
            Self::Native => META_FILE,
            Self::ScviTools => SAVE_FILE,
        }
    }
}

/// Which kind of model lies there: see [`open_model`].
///
/// # Errors
/// As [`open_model`], for all that can be said without reading the model.
pub fn model_kind(path: impl AsRef<Path>) -> Result<ModelKind, IoError> {
    find(path.as_ref(), None).map(|found| found.kind)
}

/// Opens a model: a folder that holds one of this program or of scvi-tools, or, to pick one of
/// several, its file `model.json` or `model.pt`.
///
/// The names of a model's files may begin with a prefix. Of several models in a folder the one
/// without a prefix counts, that of this program before that of scvi-tools.
///
/// # Errors
/// [`IoError::NotFound`] and [`IoError::NotModelDir`] where there is none,
/// [`IoError::SeveralModels`] where none of several counts; others where the model is broken, of a
/// newer format, or one that this program has not.
pub fn open_model(path: impl AsRef<Path>) -> Result<SavedModel, IoError> {
    find(path.as_ref(), None)?.open()
}

/// Opens the model in a folder whose files' names begin with a prefix, an empty one included.
///
/// # Errors
/// As [`open_model`]; [`IoError::NoSuchModel`] with the prefixes that are there.
pub fn open_model_with_prefix(dir: impl AsRef<Path>, prefix: &str) -> Result<SavedModel, IoError> {
    find(dir.as_ref(), Some(prefix))?.open()
}

/// A model in a folder.
struct Found {
    kind: ModelKind,
    /// The file that it is known by.
    file: PathBuf,
    /// What the names of its files begin with.
    prefix: String,
}

impl Found {
    fn open(self) -> Result<SavedModel, IoError> {
        let Self { kind, file, prefix } = self;
        match kind {
            ModelKind::Native => {
                let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty());
                SavedModel::load_prefixed(dir.unwrap_or(Path::new(".")), &prefix)
            }
            ModelKind::ScviTools => {
                let bytes = fs::read(&file).map_err(|e| IoError::os("read", &file, e))?;
                let model = ScviToolsSave::from_bytes(&bytes).and_then(from_scvi_tools);
                model.map_err(|source| IoError::ScviTools { path: file, source })
            }
        }
    }

    fn of_file(file: PathBuf) -> Option<Self> {
        let name = file.file_name()?.to_str()?;
        let kinds = [ModelKind::Native, ModelKind::ScviTools].into_iter();
        let (kind, prefix) = kinds
            .filter_map(|kind| Some((kind, name.strip_suffix(kind.file())?.to_owned())))
            .next()?;
        Some(Self { kind, file, prefix })
    }
}

fn find(path: &Path, prefix: Option<&str>) -> Result<Found, IoError> {
    let meta = fs::metadata(path).map_err(|e| IoError::os("read", path, e))?;
    if meta.is_file() {
        return named(path);
    }
    let mut models = models_in(path)?;
    let wanted = match prefix {
        Some(prefix) => models.iter().position(|model| model.prefix == prefix),
        None if models.len() == 1 => Some(0),
        None => models.iter().position(|model| model.prefix.is_empty()),
    };
    match wanted {
        Some(wanted) => Ok(models.swap_remove(wanted)),
        None => Err(legacy(path, prefix).unwrap_or_else(|| not_found(path, prefix, &models))),
    }
}

/// The model that a file belongs to.
fn named(path: &Path) -> Result<Found, IoError> {
    let renamed = || {
        let kind = path.extension().filter(|ending| *ending == "pt").map(|_| ModelKind::ScviTools);
        kind.map(|kind| Found { kind, file: path.to_owned(), prefix: String::new() })
    };
    Found::of_file(path.to_owned()).or_else(renamed).ok_or_else(|| {
        let problem = format!("it is a file, not a folder, and no {SAVE_FILE} of scvi-tools");
        IoError::NotModelDir { path: path.into(), problem }
    })
}

/// The models in a folder, sorted by prefix; of one prefix, that of this program first.
fn models_in(dir: &Path) -> Result<Vec<Found>, IoError> {
    let os = |e| IoError::os("read", dir, e);
    let mut models = Vec::new();
    for entry in fs::read_dir(dir).map_err(os)? {
        let file = dir.join(entry.map_err(os)?.file_name());
        models.extend(Found::of_file(file).filter(|model| model.file.is_file()));
    }
    models.sort_by(|a, b| a.file.cmp(&b.file));
    models.sort_by(|a, b| a.prefix.cmp(&b.prefix));
    Ok(models)
}

/// What is wrong where a save of an old format lies.
fn legacy(dir: &Path, prefix: Option<&str>) -> Option<IoError> {
    let file = dir.join(format!("{}{LEGACY_FILE}", prefix.unwrap_or_default()));
    file.is_file().then(|| IoError::ScviTools {
        path: dir.into(),
        source: SaveError::Legacy { format: "scvi-tools' of before 0.15" },
    })
}

fn not_found(dir: &Path, prefix: Option<&str>, models: &[Found]) -> IoError {
    let name = |model: &Found| format!("{}{}", model.prefix, model.kind.file());
    match prefix {
        Some(prefix) => IoError::NoSuchModel {
            path: dir.into(),
            prefix: prefix.to_owned(),
            prefixes: models.iter().map(|model| format!("'{}'", model.prefix)).collect(),
        },
        None if models.is_empty() => {
            let problem = format!("neither {META_FILE} nor a {SAVE_FILE} of scvi-tools is in it");
            IoError::NotModelDir { path: dir.into(), problem }
        }
        None => {
            IoError::SeveralModels { path: dir.into(), files: models.iter().map(name).collect() }
        }
    }
}
