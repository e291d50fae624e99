//! An AnnData opened for reading.

use std::path::{Path, PathBuf};

use scvi::data::{CategoricalField, MatrixKey};

use super::column::{Categorical, Column};
use super::read_column::read_column;
use super::store::{Node, Store};
use crate::IoError;
use crate::inputs::InputError;
use crate::obs_query::QueriedColumn;

/// How many cells an error names.
const NAMED_CELLS: usize = 10;

/// An AnnData, opened for reading: an `.h5ad` file, or a zarr store.
///
/// Names are read at once; columns and counts when asked for, in pieces, so that little more
/// memory is needed than for what is returned.
///
/// ```no_run
/// use scvi_io::anndata::{AnnDataFile, MatrixKey};
///
/// let file = AnnDataFile::open("pbmc.h5ad")?;
/// let counts = file.counts(&MatrixKey::X)?;
/// let batches = file.obs_column("batch")?.to_categorical();
/// println!("{} cells, {} batches", counts.n_cells(), batches.categories.len());
/// # Ok::<(), scvi_io::IoError>(())
/// ```
#[derive(Debug)]
pub struct AnnDataFile {
    store: Store,
    obs_names: Vec<String>,
    var_names: Vec<String>,
    obs_columns: Vec<String>,
    var_columns: Vec<String>,
    layers: Vec<String>,
    obsm_keys: Vec<String>,
}

impl AnnDataFile {
    /// Opens a file and reads the names of cells, genes, columns and layers.
    ///
    /// # Errors
    /// [`IoError`] where the file is missing, of another kind, broken, or not an AnnData.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, IoError> {
        Self::of(Store::open(path.as_ref())?)
    }

    /// Opens a modality of a MuData, an `.h5mu` file, as if it were a file of its own.
    ///
    /// # Errors
    /// [`InputError::NoRna`] where there is none of that name, others as [`AnnDataFile::open`].
    pub(crate) fn open_modality(path: &Path, name: &str) -> Result<Self, InputError> {
        let store = Store::open(path)?;
        let modalities = store.members("mod")?;
        if !modalities.iter().any(|known| known == name) {
            return Err(InputError::NoRna { path: path.into(), modalities });
        }
        Ok(Self::of(store.below(&format!("mod/{name}")))?)
    }

    fn of(store: Store) -> Result<Self, IoError> {
        let (obs_names, obs_columns) = frame(&store, "obs")?;
        let (var_names, var_columns) = frame(&store, "var")?;
        let layers = store.members("layers")?;
        if layers.is_empty() && matches!(store.node("X")?, Node::Missing) {
            return Err(not_anndata(&store, "it has no 'X' and no layers".into()));
        }
        let obsm_keys = store.members("obsm")?;
        Ok(Self { store, obs_names, var_names, obs_columns, var_columns, layers, obsm_keys })
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// Where the file lies.
    pub fn path(&self) -> PathBuf {
        self.store.path().to_path_buf()
    }

    /// Number of cells.
    pub fn n_obs(&self) -> usize {
        self.obs_names.len()
    }

    /// Number of genes.
    pub fn n_vars(&self) -> usize {
        self.var_names.len()
    }

    /// Names of the cells.
    pub fn obs_names(&self) -> &[String] {
        &self.obs_names
    }

    /// Names of the genes.
    pub fn var_names(&self) -> &[String] {
        &self.var_names
    }

    /// The columns of `obs`, in their order.
    pub fn obs_columns(&self) -> &[String] {
        &self.obs_columns
    }

    /// The columns of `var`, in their order.
    pub fn var_columns(&self) -> &[String] {
        &self.var_columns
    }

    /// What kind of file it is: `h5ad` or `zarr`.
    pub fn kind(&self) -> &'static str {
        match self.store {
            Store::Hdf5(_) => "h5ad",
            Store::Zarr(_) => "zarr",
        }
    }

    /// The layers, sorted.
    pub fn layers(&self) -> &[String] {
        &self.layers
    }

    /// The keys of `obsm`, sorted.
    pub fn obsm_keys(&self) -> &[String] {
        &self.obsm_keys
    }

    /// A column of `obs`, one value per cell.
    ///
    /// # Errors
    /// [`IoError::NoColumn`] where there is none of that name; others where it cannot be read.
    pub fn obs_column(&self, key: &str) -> Result<Column, IoError> {
        self.column("obs", &self.obs_columns, self.n_obs(), key)
    }

    /// What a name stands for in a query over `obs`: a column, or the cells' names where it is
    /// `index` or the name of the index.
    ///
    /// # Errors
    /// As [`AnnDataFile::obs_column`].
    pub fn queried(&self, name: &str) -> Result<QueriedColumn, IoError> {
        let is_column = self.obs_columns.iter().any(|column| column == name);
        let is_index = name == "index" || self.store.attrs("obs")?.text("_index") == Some(name);
        if !is_column && is_index {
            let values = Column::Strings(self.obs_names.iter().cloned().map(Some).collect());
            return Ok(QueriedColumn { values, is_nullable: false });
        }
        if !is_column {
            return Err(self.no_column("obs", &self.obs_columns, name));
        }
        let values = self.obs_column(name)?;
        let is_nullable = match self.store.node(&format!("obs/{name}"))? {
            Node::Group => self.store.members(&format!("obs/{name}"))?.contains(&"mask".into()),
            _ => false,
        };
        Ok(QueriedColumn { values, is_nullable })
    }

    /// A column of `var`, one value per gene.
    ///
    /// # Errors
    /// As [`AnnDataFile::obs_column`].
    pub fn var_column(&self, key: &str) -> Result<Column, IoError> {
        self.column("var", &self.var_columns, self.n_vars(), key)
    }

    /// A column of the table of genes of a matrix: of raw's own where it is that.
    ///
    /// # Errors
    /// As [`AnnDataFile::obs_column`].
    pub fn var_column_of(&self, matrix: &MatrixKey, key: &str) -> Result<Column, IoError> {
        if *matrix != MatrixKey::Raw {
            return self.var_column(key);
        }
        let (genes, columns) = frame(&self.store, "raw/var")?;
        self.column("raw/var", &columns, genes.len(), key)
    }

    fn no_column(&self, frame: &'static str, available: &[String], key: &str) -> IoError {
        let (path, key, available) = (self.path(), key.into(), available.to_vec());
        IoError::NoColumn { path, frame, key, available }
    }

    fn column(
        &self,
        frame: &'static str,
        available: &[String],
        n: usize,
        key: &str,
    ) -> Result<Column, IoError> {
        let Some(column) = read_column(&self.store, frame, key)? else {
            return Err(self.no_column(frame, available, key));
        };
        if column.len() != n {
            let each = if frame == "obs" { "cell" } else { "gene" };
            let expected = format!("{n} values, one per {each}");
            let found = column.len().to_string();
            return Err(self.store.structure(&format!("{frame}/{key}"), expected, found));
        }
        Ok(column)
    }

    /// Checks that every cell has a value in a column of this file.
    ///
    /// # Errors
    /// [`IoError::MissingValues`] with their number and the first names.
    pub fn require_complete(&self, key: &str, column: &Column) -> Result<(), IoError> {
        let missing = column.missing();
        if missing.is_empty() {
            return Ok(());
        }
        let name = |&cell: &usize| self.obs_names.get(cell).cloned().unwrap_or(cell.to_string());
        Err(IoError::MissingValues {
            key: key.into(),
            n_missing: missing.len(),
            n_cells: column.len(),
            first: missing.iter().take(NAMED_CELLS).map(name).collect(),
        })
    }

    /// The categories of a column of obs, and the code of every cell.
    ///
    /// # Errors
    /// As [`obs_column`](Self::obs_column) and [`require_complete`](Self::require_complete).
    pub fn categories(&self, key: &str) -> Result<(CategoricalField, Vec<u32>), IoError> {
        let column = self.obs_column(key)?;
        self.require_complete(key, &column)?;
        let Categorical { codes, categories, kind, .. } = column.to_categorical();
        // No cell is without a category.
        let codes = codes.into_iter().map(|code| code.unwrap_or(0)).collect();
        Ok((CategoricalField { key: key.to_owned(), categories, kind }, codes))
    }

    pub(super) fn no_counts(&self, wanted: &MatrixKey) -> IoError {
        let available = self.matrices().iter().map(MatrixKey::to_string).collect();
        IoError::NoCounts { path: self.path(), wanted: wanted.to_string(), available }
    }
}

fn not_anndata(store: &Store, problem: String) -> IoError {
    IoError::NotAnnData { path: store.path().to_path_buf(), problem }
}

/// Row names and column order of `obs` or `var`.
pub(super) fn frame(store: &Store, name: &str) -> Result<(Vec<String>, Vec<String>), IoError> {
    match store.node(name)? {
        Node::Group => {}
        Node::Missing => return Err(not_anndata(store, format!("it has no '{name}'"))),
        Node::Array(_) => {
            let problem = format!("'{name}' is a table of the kind anndata wrote before 0.7");
            return Err(not_anndata(store, problem));
        }
    }
    let attrs = store.attrs(name)?;
    let index = attrs.text("_index").unwrap_or("_index");
    let Some(column) = read_column(store, name, index)? else {
        return Err(store.structure(name, format!("the index '{index}'"), "no such member"));
    };
    let label = |row: usize| {
        column.label(row).ok_or_else(|| {
            store.structure(
                &format!("{name}/{index}"),
                "a name per row",
                format!("none in row {row}"),
            )
        })
    };
    let rows = (0..column.len()).map(label).collect::<Result<_, _>>()?;
    let columns = match attrs.texts("column-order") {
        Some(columns) => columns.to_vec(),
        None => {
            let mut columns = store.members(name)?;
            columns.retain(|c| c != index && c != "__categories");
            columns
        }
    };
    Ok((rows, columns))
}
