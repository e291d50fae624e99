//! What may go wrong with a file.

use std::path::{Path, PathBuf};

use scvi::preprocess::GeneSelectionError;
use thiserror::Error;

/// An error while reading or writing a file: which file, where in it, what was expected.
///
/// [`IoError::hint`] says, for some, what to do about it. A new variant is a decision about that in
/// `hint.rs`, where no variant is left out.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IoError {
    /// The file does not exist.
    #[error("{} does not exist", path.display())]
    NotFound {
        /// The path asked for.
        path: PathBuf,
    },
    /// The operating system refused something.
    #[error("cannot {action} {}: {source}", path.display())]
    Os {
        /// What was tried, as a verb: `read`, `create`.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the system answered.
        source: std::io::Error,
    },
    /// Genes cannot be chosen by the counts of a file.
    #[error("{}: {source}", path.display())]
    GeneSelection {
        /// The file.
        path: PathBuf,
        /// Why.
        source: GeneSelectionError,
    },
    /// A list that is not UTF-8 text.
    #[error("{} is not UTF-8 text: {problem}", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        problem: String,
    },
    /// The file does not begin as an HDF5 file does.
    #[error("{} is not an HDF5 file", path.display())]
    NotHdf5 {
        /// The file.
        path: PathBuf,
    },
    /// The HDF5 structure is broken, cut off, or uses a feature that is not supported.
    #[error("{}: cannot read {place}: {source}", path.display())]
    Hdf5 {
        /// The file.
        path: PathBuf,
        /// The object inside the file.
        place: String,
        /// What the HDF5 library answered.
        source: Box<hdf5_pure::Error>,
    },
    /// A feature of HDF5 that is not read.
    #[error("{}: {place} {feature}, which is not read", path.display())]
    Unread {
        /// The file.
        path: PathBuf,
        /// The object inside the file.
        place: String,
        /// What it is or has, as a predicate: `is compressed by the filter szip (4)`.
        feature: String,
        /// Whether h5py needs the plugins of `hdf5plugin` to read it.
        needs_plugins: bool,
    },
    /// An object that lies in another file.
    #[error(
        "{}: {place} is {what}: other files are not opened, because a file could have any file of \
         this machine read", path.display()
    )]
    OtherFile {
        /// The file.
        path: PathBuf,
        /// The object inside the file.
        place: String,
        /// What it is.
        what: String,
    },
    /// A folder without the metadata of a zarr store.
    #[error("{} is a folder, and not a zarr store", path.display())]
    NotZarr {
        /// The folder.
        path: PathBuf,
    },
    /// A part of a file or zarr store that is broken, or uses a feature that is not supported.
    #[error("{}: cannot read {place}: {problem}", path.display())]
    Broken {
        /// The file or store.
        path: PathBuf,
        /// The group or array inside it.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A copy that would be of another kind than its input.
    #[error(
        "{} would be a copy of {} with the result added: it must end in .{kind}, as its input",
        output.display(), input.display()
    )]
    OtherKind {
        /// What is copied.
        input: PathBuf,
        /// The copy.
        output: PathBuf,
        /// The ending that it has to have.
        kind: &'static str,
    },
    /// A file that does not hold an AnnData object.
    #[error("{} does not hold an AnnData: {problem}", path.display())]
    NotAnnData {
        /// The file.
        path: PathBuf,
        /// What is missing or different.
        problem: String,
    },
    /// Something in the file has another shape, type or value than the format says.
    #[error("{}: {place}: expected {expected}, found {found}", path.display())]
    Structure {
        /// The file.
        path: PathBuf,
        /// The object inside the file.
        place: String,
        /// What the format asks for.
        expected: String,
        /// What the file holds.
        found: String,
    },
    /// A column of `obs` or `var` that is not there.
    #[error("{} has no {frame} column '{key}' (there are: {})", path.display(), scvi::listed(available))]
    NoColumn {
        /// The file.
        path: PathBuf,
        /// The table: `obs` or `var`.
        frame: &'static str,
        /// The column asked for.
        key: String,
        /// The columns there are.
        available: Vec<String>,
    },
    /// A categorical column with two categories of one name.
    #[error("{}: {column} has two categories named '{category}'", path.display())]
    DuplicateCategory {
        /// The file.
        path: PathBuf,
        /// The column inside the file: `obs/batch`.
        column: String,
        /// The name.
        category: String,
    },
    /// Counts asked for at a place where there are none.
    #[error("{} has no {wanted} (it has: {})", path.display(), scvi::listed(available))]
    NoCounts {
        /// The file.
        path: PathBuf,
        /// The matrix asked for: `X`, `layers/counts`, `raw/X`.
        wanted: String,
        /// The matrices there are.
        available: Vec<String>,
    },
    /// A word that may mean two matrices.
    #[error(
        "{}: '{word}' may mean the layer of that name ({}) or adata.{word} ({})",
        path.display(), spelled[0], spelled[1]
    )]
    AmbiguousMatrix {
        /// The file.
        path: PathBuf,
        /// The word.
        word: String,
        /// How the two are told apart: `layers/raw` and `raw/X`.
        spelled: [String; 2],
    },
    /// A count that is negative, not a number, infinite or too large.
    #[error(
        "{}: {place} holds {value} for cell '{cell}' (row {row}), gene '{gene}' (column {column}): \
         counts must be finite and not negative", path.display()
    )]
    BadCount {
        /// The file.
        path: PathBuf,
        /// The data set inside the file.
        place: String,
        /// The cell's name.
        cell: String,
        /// The cell's row, from 0.
        row: usize,
        /// The gene's name.
        gene: String,
        /// The gene's column, from 0.
        column: usize,
        /// The value.
        value: f64,
    },
    /// The arrays of a sparse matrix contradict each other.
    #[error("{}: {place}: {source}", path.display())]
    BadMatrix {
        /// The file.
        path: PathBuf,
        /// The group inside the file.
        place: String,
        /// What is wrong.
        source: scvi::data::CsrError,
    },
    /// A column with missing values where every cell needs one.
    #[error(
        "missing values in column '{key}': {n_missing} of {n_cells} cells: {}",
        scvi::listed_of(first, *n_missing)
    )]
    MissingValues {
        /// The column.
        key: String,
        /// Cells without a value.
        n_missing: usize,
        /// All cells.
        n_cells: usize,
        /// Names of the first of them.
        first: Vec<String>,
    },
    /// A file that would be overwritten.
    #[error("{} exists already", path.display())]
    Exists {
        /// The file or folder.
        path: PathBuf,
    },
    /// An output that another run is going to write.
    #[error("{} is in use by {}", path.display(), holder.as_deref().unwrap_or("another run"))]
    InUse {
        /// The file or folder.
        path: PathBuf,
        /// The process and its host, where these are known.
        holder: Option<String>,
    },
    /// An output that cannot be written there.
    #[error("cannot write {}: {problem}", path.display())]
    BadOutput {
        /// The output.
        path: PathBuf,
        /// Why not.
        problem: String,
    },
    /// A file that cannot be copied in full.
    #[error("{} cannot be copied with all it holds: {problem}", path.display())]
    CannotCopy {
        /// The file.
        path: PathBuf,
        /// The feature in the way.
        problem: String,
    },
    /// Data given to a writer that contradict each other.
    #[error("{what}: expected {expected}, got {found}")]
    BadInput {
        /// Which argument.
        what: String,
        /// What it had to be.
        expected: String,
        /// What it was.
        found: String,
    },
    /// A folder that is not a model folder.
    #[error("{} is not a model folder: {problem}", path.display())]
    NotModelDir {
        /// The folder.
        path: PathBuf,
        /// What is missing or different.
        problem: String,
    },
    /// A folder with several models, where none was named.
    #[error(
        "{} holds several models and none without a prefix: {}",
        path.display(), scvi::listed(files)
    )]
    SeveralModels {
        /// The folder.
        path: PathBuf,
        /// The file of each that names it: `early_model.json`, `early_model.pt`.
        files: Vec<String>,
    },
    /// A folder without the model that was named.
    #[error(
        "{} holds no model with the prefix '{prefix}'; prefixes of models there: {}",
        path.display(), scvi::listed(prefixes)
    )]
    NoSuchModel {
        /// The folder.
        path: PathBuf,
        /// What the names of its files should begin with.
        prefix: String,
        /// What those of the models there begin with, in quotes.
        prefixes: Vec<String>,
    },
    /// A model written by another version of the format.
    #[error(
        "{} has format version {found}; this program reads versions up to {supported}",
        path.display()
    )]
    FormatVersion {
        /// The model folder.
        path: PathBuf,
        /// The version in the file.
        found: u32,
        /// The newest version read here.
        supported: u32,
    },
    /// A file that is not a checkpoint, or a broken one.
    #[error("{} is not a checkpoint: {problem}", path.display())]
    NotCheckpoint {
        /// The file.
        path: PathBuf,
        /// What is missing or different.
        problem: String,
    },
    /// A checkpoint of another run.
    #[error("{} cannot be resumed from: {what} is {now}, and was {then}", path.display())]
    OtherRun {
        /// The checkpoint.
        path: PathBuf,
        /// What differs.
        what: String,
        /// What it was when the run began.
        then: String,
        /// What it is now.
        now: String,
    },
    /// A save of scvi-tools that cannot be read, or is not there.
    #[error("{}: {source}", path.display())]
    ScviTools {
        /// The save, or the folder where it was looked for.
        path: PathBuf,
        /// What is wrong.
        source: crate::scvi_tools::SaveError,
    },
    /// A tensor of a model that cannot be used.
    #[error("{}: tensor '{name}': {problem}", path.display())]
    BadTensor {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl IoError {
    /// Wraps an operating system error; a missing file becomes [`IoError::NotFound`].
    pub(crate) fn os(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        if source.kind() == std::io::ErrorKind::NotFound && action != "create" {
            return Self::NotFound { path: path.into() };
        }
        Self::Os { action, path: path.into(), source }
    }
}
