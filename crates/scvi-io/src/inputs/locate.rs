//! What lies at a path that is given as input.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::InputError;
use super::mtx::MtxFiles;
use super::tenx_h5::TenxH5;
use crate::IoError;
use crate::anndata::{Node, Store, is_store};

/// Names of Cell Ranger's matrices of cells, in the order in which they are looked for.
const FILTERED: [&str; 7] = [
    "filtered_feature_bc_matrix.h5",
    "filtered_feature_bc_matrix",
    "sample_filtered_feature_bc_matrix.h5",
    "sample_filtered_feature_bc_matrix",
    "filtered_gene_bc_matrices_h5.h5",
    "filtered_gene_bc_matrices",
    "count",
];

/// Parts of the names of Cell Ranger's matrices of all barcodes.
const RAW: [&str; 2] = ["raw_feature_bc_matrix", "raw_gene_bc_matrices"];

/// Names that every sample's files have: a sample goes by the name of a folder above.
const GENERIC: [&str; 5] = ["outs", "count", "matrix", "per_sample_outs", "gex"];

/// What an input is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Located {
    /// An `.h5ad` file or a zarr store.
    AnnData(PathBuf),
    /// An `.h5mu` file.
    MuData(PathBuf),
    /// A 10x `.h5` file.
    TenxH5(PathBuf),
    /// A matrix folder.
    Mtx(PathBuf, MtxFiles),
}

impl Located {
    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::AnnData(path) | Self::MuData(path) | Self::TenxH5(path) => path,
            Self::Mtx(path, _) => path,
        }
    }
}

/// Finds the matrix at a path: the file itself, a folder, or what Cell Ranger put into a folder.
pub(super) fn locate(path: &Path, allow_raw: bool) -> Result<Located, InputError> {
    let located = find(path)?;
    let shown = located.path();
    let is_raw = |part: &std::ffi::OsStr| {
        let part = part.to_string_lossy();
        RAW.iter().any(|raw| part.contains(raw))
    };
    // The two innermost names: before Cell Ranger 3 a folder of genomes lies between.
    if !allow_raw && shown.iter().rev().take(2).any(is_raw) {
        let siblings = shown.ancestors().skip(1).take(2);
        let beside =
            |folder: &Path| FILTERED.iter().map(|name| folder.join(name)).find(|p| p.exists());
        let filtered = siblings.filter_map(beside).next();
        return Err(InputError::RawMatrix { path: shown.into(), filtered });
    }
    Ok(located)
}

fn find(path: &Path) -> Result<Located, InputError> {
    if !path.is_dir() {
        return file(path);
    }
    if is_store(path) {
        return Ok(Located::AnnData(path.into()));
    }
    let names = members(path)?;
    let mut prefixes: Vec<&str> = names.iter().filter_map(|name| matrix_prefix(name)).collect();
    prefixes.sort_unstable();
    prefixes.dedup();
    match prefixes[..] {
        [] => {}
        [prefix] => return mtx(path, path, prefix, &names),
        _ => {
            let matrix = |prefix: &&str| {
                let of = |name: &&String| matrix_prefix(name) == Some(prefix);
                let name = names.iter().find(of).cloned().unwrap_or_default();
                path.join(name).display().to_string()
            };
            let found = prefixes.iter().map(matrix).collect();
            return Err(InputError::SeveralMatrices { path: path.into(), found });
        }
    }
    if let Some(inner) = FILTERED.iter().map(|name| path.join(name)).find(|inner| inner.exists()) {
        return find(&inner);
    }
    let outs = path.join("outs");
    if outs.is_dir() {
        return find(&outs);
    }
    in_subfolders(path, &names)
}

/// Before Cell Ranger 3 a folder holds a folder for each genome. Others hold all barcodes only.
fn in_subfolders(path: &Path, names: &[String]) -> Result<Located, InputError> {
    let holds_matrix = |name: &&String| {
        let inner = members(&path.join(name)).unwrap_or_default();
        inner.iter().any(|name| matrix_prefix(name).is_some())
    };
    let found: Vec<&String> = names.iter().filter(holds_matrix).collect();
    let raw = |name: &&String| RAW.iter().any(|raw| name.contains(raw));
    match found[..] {
        [only] if !raw(&only) => find(&path.join(only)),
        _ => match names.iter().find(|name| raw(name)) {
            Some(raw) => Err(InputError::RawMatrix { path: path.join(raw), filtered: None }),
            None if found.is_empty() => Err(InputError::NoMatrix { path: path.into() }),
            None => {
                let found =
                    found.iter().map(|name| path.join(name).display().to_string()).collect();
                Err(InputError::SeveralMatrices { path: path.into(), found })
            }
        },
    }
}

fn file(path: &Path) -> Result<Located, InputError> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if let (Some(prefix), Some(folder)) = (matrix_prefix(&name), path.parent()) {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        return mtx(path, folder, prefix, &members(folder)?);
    }
    if path.extension().is_some_and(|ending| ending == "loom") {
        return Err(InputError::Loom { path: path.into() });
    }
    let store = match Store::open(path) {
        Ok(store) => store,
        // Whatever it is, it is no AnnData: the reader of AnnData says so.
        Err(IoError::NotHdf5 { .. }) => return Ok(Located::AnnData(path.into())),
        Err(error) => return Err(error.into()),
    };
    let is_group = |place: &str| Ok::<_, IoError>(matches!(store.node(place)?, Node::Group));
    Ok(match () {
        () if is_group("obs")? && is_group("mod")? => Located::MuData(path.into()),
        () if is_group("obs")? => Located::AnnData(path.into()),
        () if TenxH5::is_one(&store)? => Located::TenxH5(path.into()),
        () if is_group("row_attrs")? && is_group("col_attrs")? => {
            return Err(InputError::Loom { path: path.into() });
        }
        () => Located::AnnData(path.into()),
    })
}

/// The files of a matrix folder that begin with a prefix, as repositories name them.
fn mtx(shown: &Path, folder: &Path, prefix: &str, names: &[String]) -> Result<Located, InputError> {
    let existing = |name: &str| {
        let plain = format!("{prefix}{name}");
        let zipped = format!("{plain}.gz");
        let both = [&plain, &zipped].map(|name| names.contains(name));
        match both {
            // One of them may be stale, and nothing says which.
            [true, true] => Err(InputError::SeveralMatrices {
                path: folder.into(),
                found: [plain, zipped].map(|name| folder.join(name).display().to_string()).to_vec(),
            }),
            [true, false] => Ok(Some(folder.join(plain))),
            [false, true] => Ok(Some(folder.join(zipped))),
            [false, false] => Ok(None),
        }
    };
    let needed = |found: Option<PathBuf>, name: &str| {
        let missing = || folder.join(format!("{prefix}{name}"));
        found.ok_or_else(|| InputError::Io(IoError::NotFound { path: missing() }))
    };
    let features = match existing("features.tsv")? {
        Some(features) => Some(features),
        None => existing("genes.tsv")?,
    };
    let files = MtxFiles {
        matrix: needed(existing("matrix.mtx")?, "matrix.mtx")?,
        barcodes: needed(existing("barcodes.tsv")?, "barcodes.tsv")?,
        features: needed(features, "features.tsv")?,
    };
    Ok(Located::Mtx(shown.into(), files))
}

/// What stands before `matrix.mtx`, of a file named so.
fn matrix_prefix(name: &str) -> Option<&str> {
    name.strip_suffix(".gz").unwrap_or(name).strip_suffix("matrix.mtx")
}

/// Names in a folder, sorted.
fn members(folder: &Path) -> Result<Vec<String>, InputError> {
    let entries = fs::read_dir(folder).map_err(|e| IoError::os("read", folder, e))?;
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    Ok(names)
}

/// A name for a sample: that of its file or folder, or of a folder above where every sample has a
/// file of that name.
pub fn sample_name(path: &Path) -> String {
    let absolute = fs::canonicalize(path).unwrap_or_else(|_| path.into());
    let parts = absolute.iter().rev().map(|part| part.to_string_lossy().into_owned());
    let generic = |name: &String| {
        let stem = stem(name);
        let in_lists = |list: &[&str]| list.iter().any(|known| self::stem(known) == stem);
        in_lists(&FILTERED) || in_lists(&RAW) || in_lists(&GENERIC)
    };
    let mut named = parts.skip_while(generic).map(|name| stem(&name).to_owned());
    named.find(|name| !name.is_empty() && name != "/").unwrap_or_else(|| "sample".to_owned())
}

/// A file's name without the endings of the formats that are read.
fn stem(name: &str) -> &str {
    let name = name.strip_suffix(".gz").unwrap_or(name);
    let name = name.strip_suffix("_matrix.mtx").or(name.strip_suffix(".mtx")).unwrap_or(name);
    let endings = [".h5ad", ".h5mu", ".h5", ".zarr"];
    endings.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}
