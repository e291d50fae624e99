//! A copy of a store with results added.

use std::fs;
use std::path::{Path, PathBuf};

use scvi::module::{MinifiedDataType, PosteriorRows};
use serde_json::json;

use super::chunked_rows::{CHUNK, ChunkedRows};
use super::consolidate::{consolidate, is_consolidated};
use super::store::{GROUP, NODE, Store, Version};
use super::write::{Element, edit_attributes, write_group, write_text, write_texts, write_whole};
use crate::IoError;
use crate::anndata::encodings::{ARRAY, CATEGORICAL, CSR_MATRIX, DICT, NUMERIC_SCALAR};
use crate::anndata::{
    AnnDataFile, Categorical, Column, Extras, NewRows, PosteriorKeys, Slot, TYPE, UnsValue,
    check_additions,
};
use crate::output::AtomicDir;
use crate::rows::RowSink;

/// The file by which the store at a path is known, or would be.
pub(crate) fn marker(path: &Path) -> &'static str {
    if path.join(NODE).is_file() { NODE } else { GROUP }
}

/// A copy of a store in the making, to which matrices are added row by row.
///
/// Files are copied byte for byte, but for the metadata of groups that get something. Where the
/// store keeps all metadata in one place too, that is written anew.
#[derive(Debug)]
pub(crate) struct ZarrCopy {
    dir: AtomicDir,
    version: Version,
    is_consolidated: bool,
    columns: Vec<usize>,
    arrays: Vec<ChunkedRows>,
}

impl ZarrCopy {
    /// Copies `input`, and reserves the matrices.
    pub(crate) fn create(
        input: &Path,
        output: &Path,
        matrices: &[NewRows<'_>],
        extras: Extras<'_>,
        overwrite: bool,
    ) -> Result<Self, IoError> {
        let file = AnnDataFile::open(input)?;
        let n_obs = check_additions(&file, matrices, &extras)?;
        let mut copy = Self::of(input, output, &[], overwrite)?;
        let root = copy.dir.temp_path().to_owned();
        let version = copy.version;
        for slot in [Slot::Obsm, Slot::Layers].map(Slot::name) {
            if matrices.iter().any(|m| m.slot.name() == slot) {
                ensure_group(&root.join(slot), version)?;
            }
        }
        let values = CHUNK / matrices.len().max(1);
        for matrix in matrices {
            let folder = root.join(matrix.slot.name()).join(matrix.key);
            remove(&folder)?;
            let shape = [n_obs, matrix.columns];
            copy.arrays.push(ChunkedRows::create(folder, version, shape, values)?);
            copy.columns.push(matrix.columns);
        }
        for (name, values) in extras.uns {
            add_uns(&root, version, name, values)?;
        }
        let (obs, var) = (root.join("obs"), root.join("var"));
        add_columns(&obs, version, file.obs_columns(), extras.obs, extras.labels)?;
        add_columns(&var, version, file.var_columns(), extras.var, &[])?;
        Ok(copy)
    }

    /// Copies `input` without what stands at the `dropped` places.
    pub(super) fn of(
        input: &Path,
        output: &Path,
        dropped: &[PathBuf],
        overwrite: bool,
    ) -> Result<Self, IoError> {
        let version = Store::open(input)?.version();
        let dir = AtomicDir::create(output, marker(output), overwrite)?;
        copy_folder(input, dir.temp_path(), dropped).map_err(|error| match error {
            IoError::CannotCopy { problem, .. } => {
                IoError::CannotCopy { path: input.into(), problem }
            }
            error => error,
        })?;
        let is_consolidated = is_consolidated(input, version)?;
        Ok(Self { dir, version, is_consolidated, columns: Vec::new(), arrays: Vec::new() })
    }

    /// The folder that is being filled.
    pub(super) fn root(&self) -> &Path {
        self.dir.temp_path()
    }

    /// The version of the format.
    pub(super) fn version(&self) -> Version {
        self.version
    }

    pub(super) fn close(self) -> Result<(), IoError> {
        if self.is_consolidated {
            consolidate(self.dir.temp_path(), self.version)?;
        }
        self.dir.finish()
    }
}

impl RowSink for ZarrCopy {
    fn columns(&self) -> &[usize] {
        &self.columns
    }

    fn append(&mut self, matrix: usize, rows: &[f32]) -> Result<(), IoError> {
        self.arrays[matrix].append(rows)
    }

    fn finish(mut self: Box<Self>) -> Result<(), IoError> {
        self.arrays.iter_mut().try_for_each(ChunkedRows::finish)?;
        self.close()
    }
}

/// Writes a copy of a store in scvi-tools' minified form, as
/// [`write_minified`](crate::anndata::write_minified) says; what is written has been checked.
pub(crate) fn write_minified(
    file: &AnnDataFile,
    output: &Path,
    (posterior, keys): (&PosteriorRows<f32>, PosteriorKeys),
    kind: MinifiedDataType,
    overwrite: bool,
) -> Result<(), IoError> {
    let input = file.path();
    let empties = match kind {
        MinifiedDataType::LatentPosteriorParameters => {
            let layers = file.layers().iter().map(|layer| Path::new("layers").join(layer));
            layers.chain([PathBuf::from("X")]).collect()
        }
        MinifiedDataType::LatentPosteriorParametersWithCounts => Vec::new(),
    };
    let mut dropped = empties.clone();
    if !empties.is_empty() {
        dropped.push("raw".into());
    }
    let copy = ZarrCopy::of(&input, output, &dropped, overwrite)?;
    let (root, version) = (copy.dir.temp_path(), copy.version);
    for place in &empties {
        write_zeros(&root.join(place), version, [file.n_obs(), file.n_vars()])?;
    }
    let [mean, var, size] = keys.names();
    ensure_group(&root.join("obsm"), version)?;
    for (name, values) in [(mean, &posterior.qz_m), (var, &posterior.qz_v)] {
        let folder = root.join("obsm").join(name);
        remove(&folder)?;
        let shape = [file.n_obs(), values.len().checked_div(file.n_obs()).unwrap_or(0)];
        let mut rows = ChunkedRows::create(folder, version, shape, CHUNK)?;
        rows.append(values)?;
        rows.finish()?;
    }
    let sizes = [(size, &posterior.observed_lib_size[..])];
    add_columns(&root.join("obs"), version, file.obs_columns(), &sizes, &[])?;
    add_uns(root, version, TYPE, &UnsValue::Text(kind.name().to_owned()))?;
    copy.close()
}

/// Copies files and folders; what is neither cannot be copied as it is.
fn copy_folder(from: &Path, to: &Path, dropped: &[PathBuf]) -> Result<(), IoError> {
    for entry in fs::read_dir(from).map_err(|e| IoError::os("read", from, e))? {
        let entry = entry.map_err(|e| IoError::os("read", from, e))?;
        let (path, name) = (entry.path(), PathBuf::from(entry.file_name()));
        if dropped.contains(&name) {
            continue;
        }
        let kind = entry.file_type().map_err(|e| IoError::os("read", &path, e))?;
        let copy = to.join(&name);
        if kind.is_dir() {
            fs::create_dir(&copy).map_err(|e| IoError::os("create", &copy, e))?;
            let below = dropped.iter().filter_map(|place| place.strip_prefix(&name).ok());
            copy_folder(&path, &copy, &below.map(Path::to_owned).collect::<Vec<_>>())?;
        } else if kind.is_file() {
            fs::copy(&path, &copy).map_err(|e| IoError::os("write", &copy, e))?;
        } else {
            let problem = format!("{} is neither a file nor a folder", path.display());
            return Err(IoError::CannotCopy { path: from.into(), problem });
        }
    }
    Ok(())
}

fn ensure_group(folder: &Path, version: Version) -> Result<(), IoError> {
    let file = match version {
        Version::Two => GROUP,
        Version::Three => NODE,
    };
    if folder.join(file).is_file() { Ok(()) } else { write_group(folder, version, DICT) }
}

fn remove(folder: &Path) -> Result<(), IoError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(IoError::os("write", folder, error))
        }
        _ => Ok(()),
    }
}

/// Adds columns of numbers and of categories to a data frame, behind those that it has.
fn add_columns(
    frame: &Path,
    version: Version,
    order: &[String],
    columns: &[(&str, &[f32])],
    labels: &[(&str, &Categorical)],
) -> Result<(), IoError> {
    let mut order = order.to_vec();
    let mut append = |name: &str| {
        if !order.iter().any(|known| known == name) {
            order.push(name.to_owned());
        }
    };
    for (name, values) in columns {
        let folder = frame.join(name);
        remove(&folder)?;
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let shape = [values.len()];
        write_whole(&folder, version, (&shape, Element::Single), &bytes, ARRAY)?;
        append(name);
    }
    for (name, column) in labels {
        let folder = frame.join(name);
        remove(&folder)?;
        write_categorical(&folder, version, column)?;
        append(name);
    }
    if columns.is_empty() && labels.is_empty() {
        return Ok(());
    }
    edit_attributes(frame, version, |all| _ = all.insert("column-order".into(), json!(order)))
}

fn write_categorical(folder: &Path, version: Version, column: &Categorical) -> Result<(), IoError> {
    write_group(folder, version, CATEGORICAL)?;
    let ordered = json!(column.ordered);
    edit_attributes(folder, version, |all| _ = all.insert("ordered".into(), ordered))?;
    write_categories(&folder.join("categories"), version, column)?;
    let codes = column.codes.iter().map(|code| code.map_or(-1, i64::from));
    let bytes: Vec<u8> = codes.flat_map(i64::to_le_bytes).collect();
    let shape = [column.codes.len()];
    write_whole(&folder.join("codes"), version, (&shape, Element::Integer), &bytes, ARRAY)
}

/// The categories as the values that they are.
fn write_categories(path: &Path, version: Version, column: &Categorical) -> Result<(), IoError> {
    fn bytes<T: Copy, const N: usize>(values: &[T], of: impl Fn(T) -> [u8; N]) -> Vec<u8> {
        values.iter().flat_map(|&value| of(value)).collect()
    }
    const VALUE: &str = "a category is a value";
    let (element, bytes) = match column.values() {
        Column::Floats(v) => (Element::Double, bytes(&v, f64::to_le_bytes)),
        Column::Singles(v) => (Element::Single, bytes(&v, f32::to_le_bytes)),
        Column::Integers(v) => (Element::Integer, bytes(&v, |v| v.expect(VALUE).to_le_bytes())),
        Column::Unsigned(v) => (Element::Unsigned, bytes(&v, |v| v.expect(VALUE).to_le_bytes())),
        Column::Bools(v) => (Element::Bool, bytes(&v, |v| [u8::from(v.expect(VALUE))])),
        Column::Strings(_) | Column::Categorical(_) => {
            return write_texts(path, version, &column.categories);
        }
    };
    write_whole(path, version, (&[column.categories.len()], element), &bytes, ARRAY)
}

fn add_uns(root: &Path, version: Version, name: &str, value: &UnsValue) -> Result<(), IoError> {
    let uns = root.join("uns");
    ensure_group(&uns, version)?;
    let folder = uns.join(name);
    remove(&folder)?;
    let scalar = |element, bytes: [u8; 8]| {
        write_whole(&folder, version, (&[], element), &bytes, NUMERIC_SCALAR)
    };
    match value {
        UnsValue::Text(text) => write_text(&folder, version, text),
        UnsValue::Texts(texts) => write_texts(&folder, version, texts),
        UnsValue::Integer(v) => scalar(Element::Integer, v.to_le_bytes()),
        UnsValue::Float(v) => scalar(Element::Double, v.to_le_bytes()),
        UnsValue::Floats(v) => {
            let bytes: Vec<u8> = v.iter().flat_map(|v| v.to_le_bytes()).collect();
            write_whole(&folder, version, (&[v.len()], Element::Double), &bytes, ARRAY)
        }
    }
}

/// A sparse matrix without a number, `(cells, genes)`.
fn write_zeros(folder: &Path, version: Version, shape: [usize; 2]) -> Result<(), IoError> {
    write_group(folder, version, CSR_MATRIX)?;
    edit_attributes(folder, version, |all| _ = all.insert("shape".into(), json!(shape)))?;
    let empty: (&[usize], _) = (&[0], Element::Single);
    write_whole(&folder.join("data"), version, empty, &[], ARRAY)?;
    write_whole(&folder.join("indices"), version, (&[0], Element::Integer), &[], ARRAY)?;
    let n = shape[0] + 1;
    write_whole(&folder.join("indptr"), version, (&[n], Element::Integer), &vec![0; 8 * n], ARRAY)
}
