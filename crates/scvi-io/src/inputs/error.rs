//! What may go wrong with the files that a sample comes in.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::IoError;

/// An error while reading samples, or while joining them.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InputError {
    /// A file or folder that cannot be read, or breaks its format.
    #[error(transparent)]
    Io(#[from] IoError),
    /// A folder in which no matrix was found.
    #[error(
        "{} holds no matrix of counts: expected matrix.mtx with barcodes.tsv and features.tsv (or \
         genes.tsv), filtered_feature_bc_matrix.h5, or a zarr store", path.display()
    )]
    NoMatrix {
        /// The folder.
        path: PathBuf,
    },
    /// A folder with several matrices.
    #[error("{} holds several matrices: {}", path.display(), scvi::listed(found))]
    SeveralMatrices {
        /// The folder.
        path: PathBuf,
        /// Each of them, as it can be given.
        found: Vec<String>,
    },
    /// The matrix of all barcodes, most of which are empty droplets.
    #[error("{} holds all barcodes, most of them empty droplets", path.display())]
    RawMatrix {
        /// The file or folder.
        path: PathBuf,
        /// The filtered matrix beside it, where there is one.
        filtered: Option<PathBuf>,
    },
    /// A loom file.
    #[error("{} is a loom file, which is not read", path.display())]
    Loom {
        /// The file.
        path: PathBuf,
    },
    /// A MuData file without RNA.
    #[error("{} has no modality 'rna' (there are: {})", path.display(), scvi::listed(modalities))]
    NoRna {
        /// The file.
        path: PathBuf,
        /// The modalities there are.
        modalities: Vec<String>,
    },
    /// A line of a text file that is not as its format says.
    #[error("{}, line {line}: expected {expected}, found {found}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What the format asks for.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// Tables that do not fit their matrix.
    #[error("{}: expected {expected}, found {found}", path.display())]
    Misfit {
        /// The file.
        path: PathBuf,
        /// What the matrix asks for.
        expected: String,
        /// What the file holds.
        found: String,
    },
    /// A barcode that stands for two cells.
    #[error("{}: barcode '{barcode}' occurs {found} times", path.display())]
    DuplicateBarcode {
        /// The file.
        path: PathBuf,
        /// The barcode.
        barcode: String,
        /// How often.
        found: usize,
    },
    /// No feature is a gene.
    #[error("{} has no genes, only {}", path.display(), scvi::listed(types))]
    NoGenes {
        /// The file.
        path: PathBuf,
        /// The feature types there are.
        types: Vec<String>,
    },
    /// One genome of several has to be named.
    #[error("{} holds several genomes: {}", path.display(), scvi::listed(genomes))]
    SeveralGenomes {
        /// The file.
        path: PathBuf,
        /// The genomes.
        genomes: Vec<String>,
    },
    /// A genome that is not there.
    #[error("{} has no genome '{genome}' (there are: {})", path.display(), scvi::listed(genomes))]
    NoGenome {
        /// The file.
        path: PathBuf,
        /// The genome asked for.
        genome: String,
        /// The genomes there are.
        genomes: Vec<String>,
    },
    /// Two inputs of one name.
    #[error("{} and {} are both named '{name}'", first.display(), second.display())]
    SameName {
        /// The name.
        name: String,
        /// An input.
        first: PathBuf,
        /// Another.
        second: PathBuf,
    },
    /// Not as many names as inputs.
    #[error("{found} batch names for {n_inputs} inputs")]
    NamesOfInputs {
        /// Names that were given.
        found: usize,
        /// Inputs.
        n_inputs: usize,
    },
    /// A column that some inputs have.
    #[error(
        "obs column '{key}' is in {} and not in {}: it must be in all inputs, or in none", 
        with.display(), without.display()
    )]
    SomeHaveColumn {
        /// The column.
        key: String,
        /// An input that has it.
        with: PathBuf,
        /// An input that has not.
        without: PathBuf,
    },
    /// Inputs whose genes are named differently.
    #[error(
        "{} and {} share {n_shared} gene names; the first has {}, the second {}",
        first.display(), second.display(), examples(of_first), examples(of_second)
    )]
    FewSharedGenes {
        /// An input.
        first: PathBuf,
        /// Another.
        second: PathBuf,
        /// Names that both have.
        n_shared: usize,
        /// Names of the first.
        of_first: Vec<String>,
        /// Names of the second.
        of_second: Vec<String>,
    },
    /// A gene name that stands for two genes of an input.
    #[error("{}: gene '{gene}' occurs {found} times; inputs are joined by gene name", path.display())]
    DuplicateGene {
        /// The input.
        path: PathBuf,
        /// The gene.
        gene: String,
        /// How often.
        found: usize,
    },
    /// Lists of samples with different columns.
    #[error("lists of samples have different columns: {first}; and {other}")]
    SampleColumns {
        /// Columns of a list.
        first: String,
        /// Columns of another.
        other: String,
    },
    /// A list of samples that cannot be used.
    #[error("{}: {problem}", path.display())]
    SampleSheet {
        /// The list.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

impl InputError {
    pub(super) fn line(path: &Path, line: u64, expected: &str, found: impl Into<String>) -> Self {
        Self::Line { path: path.into(), line, expected: expected.into(), found: found.into() }
    }
}

fn examples(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(3).map(|name| format!("'{name}'")).collect();
    shown.join(", ")
}
