//! Genes chosen by their counts in a file.

mod meta;

use scvi::data::{CsrMatrix, MatrixKey, Survey};
use scvi::preprocess::{Batches, GeneSelection, GeneSelectionError, SelectedGenes};

use crate::IoError;
use crate::anndata::{AnnDataFile, StoredCounts};

pub use meta::GeneSelectionMeta;

/// Chooses genes of a matrix of a file; with what a look at all of its counts tells.
///
/// Counts are read in passes, some cells at a time, and not held. `cells` are the rows to choose by, in
/// rising order, all by default; `batches` are theirs.
///
/// # Errors
/// As [`AnnDataFile::counts`], and [`IoError::GeneSelection`] where there is too little to choose from.
pub fn choose_genes(
    file: &AnnDataFile,
    key: &MatrixKey,
    cells: Option<&[usize]>,
    batches: &Batches,
    selection: &GeneSelection,
) -> Result<(SelectedGenes, Survey), IoError> {
    let names = file.genes_of(key)?;
    let mut survey = Survey::default();
    let mut pass = |f: &mut dyn FnMut(usize, &CsrMatrix)| -> Result<(), Stopped> {
        let mut rows = Rows { cells, n_read: 0, n_given: 0 };
        let stored = file.stored_counts(key)?;
        survey = stored.for_each_block(StoredCounts::TURNED, &mut |block| {
            rows.give(block, f);
            Ok(())
        })?;
        Ok(())
    };
    match selection.choose(&names, batches, &mut pass) {
        Ok(selected) => Ok((selected, survey)),
        Err(Stopped::Io(error)) => Err(*error),
        Err(Stopped::Selection(source)) => {
            Err(IoError::GeneSelection { path: file.path(), source })
        }
    }
}

/// The rows of a pass that genes are chosen by.
struct Rows<'a> {
    cells: Option<&'a [usize]>,
    /// Rows of the file so far.
    n_read: usize,
    /// Those of them that were given on.
    n_given: usize,
}

impl Rows<'_> {
    fn give(&mut self, block: &CsrMatrix, f: &mut dyn FnMut(usize, &CsrMatrix)) {
        let first = self.n_read;
        self.n_read += block.n_cells();
        match self.cells {
            None => f(first, block),
            Some(cells) => {
                let rest = &cells[self.n_given..];
                let n = rest.partition_point(|&cell| cell < self.n_read);
                let inside: Vec<usize> = rest[..n].iter().map(|cell| cell - first).collect();
                f(self.n_given, &block.select_cells(&inside));
                self.n_given += n;
            }
        }
    }
}

/// Why choosing ended.
enum Stopped {
    Io(Box<IoError>),
    Selection(GeneSelectionError),
}

impl From<IoError> for Stopped {
    fn from(error: IoError) -> Self {
        Self::Io(Box::new(error))
    }
}

impl From<GeneSelectionError> for Stopped {
    fn from(error: GeneSelectionError) -> Self {
        Self::Selection(error)
    }
}
