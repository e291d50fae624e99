//! Which genes are used, of all that were counted.

use super::Pass;
use super::batches::Batches;
use super::error::GeneSelectionError;
use super::flavor::Flavor;
use super::highly_variable::{GeneColumn, HighlyVariable, highly_variable_genes};
use crate::data::CsrMatrix;

/// What genes are chosen by; without any criterion all genes are used.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct GeneSelection {
    /// Cells that a gene must have counts in, as `scanpy.pp.filter_genes` has it.
    pub min_cells: Option<usize>,
    /// How many of the most variable genes, and by which measure.
    pub top: Option<(usize, Flavor)>,
}

/// What became of every gene, `(genes)` each.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectedGenes {
    /// Cells in which each gene has counts, where genes are chosen by it.
    pub n_cells: Option<Vec<usize>>,
    /// Whether a gene has counts in enough cells.
    pub is_in_enough_cells: Vec<bool>,
    /// How each gene varies; missing values for those in too few cells.
    pub highly_variable: Option<HighlyVariable>,
}

impl GeneSelection {
    /// Whether there is anything to choose by.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Chooses among the named genes. Those in too few cells are left out first, as if they had not been
    /// counted: that takes a pass of its own.
    ///
    /// # Errors
    /// As [`highly_variable_genes`], and where no gene is in enough cells.
    pub fn choose<E: From<GeneSelectionError>>(
        &self,
        names: &[String],
        batches: &Batches,
        pass: &mut Pass<'_, E>,
    ) -> Result<SelectedGenes, E> {
        let n_cells = match self.min_cells {
            None => None,
            Some(_) => Some(cells_of_genes(names.len(), pass)?),
        };
        let is_in_enough_cells: Vec<bool> = match (&n_cells, self.min_cells) {
            (Some(n_cells), Some(least)) => n_cells.iter().map(|&n| n >= least).collect(),
            _ => vec![true; names.len()],
        };
        let known: Vec<usize> = (0..names.len()).filter(|&gene| is_in_enough_cells[gene]).collect();
        if known.is_empty() {
            return Err(
                GeneSelectionError::NoGenes { min_cells: self.min_cells.unwrap_or(0) }.into()
            );
        }
        let highly_variable = match self.top {
            None => None,
            Some((n, flavor)) if known.len() == names.len() => {
                Some(highly_variable_genes(flavor, names, batches, n, pass)?)
            }
            Some((n, flavor)) => {
                let known_names: Vec<String> =
                    known.iter().map(|&gene| names[gene].clone()).collect();
                let places = places(&known, names.len());
                let mut of_known = |f: &mut dyn FnMut(usize, &CsrMatrix)| {
                    pass(&mut |first, counts| {
                        f(first, &counts.clone().place_genes(&places, known.len()));
                    })
                };
                let found = highly_variable_genes(flavor, &known_names, batches, n, &mut of_known)?;
                Some(found.expand(&known, names.len()))
            }
        };
        Ok(SelectedGenes { n_cells, is_in_enough_cells, highly_variable })
    }
}

impl SelectedGenes {
    /// All that is known of each gene, in columns under scanpy's names.
    pub fn columns(&self) -> Vec<(&'static str, GeneColumn)> {
        let n_cells = self.n_cells.clone().map(|n_cells| ("n_cells", GeneColumn::Counts(n_cells)));
        let mut columns: Vec<_> = n_cells.into_iter().collect();
        if let Some(found) = &self.highly_variable {
            columns.extend(found.columns.clone());
            let chosen = GeneColumn::Flags(found.highly_variable.clone());
            columns.push(("highly_variable", chosen));
        }
        columns
    }

    /// Genes without a single count.
    pub fn n_unseen(&self) -> usize {
        match (&self.n_cells, &self.highly_variable) {
            (Some(n_cells), _) => n_cells.iter().filter(|&&n| n == 0).count(),
            (None, found) => found.as_ref().map_or(0, |found| found.n_unseen),
        }
    }

    /// Genes with counts in too few cells.
    pub fn n_in_too_few_cells(&self) -> usize {
        self.is_in_enough_cells.iter().filter(|&&is_enough| !is_enough).count()
    }

    /// Numbers of the genes to use, in the order of the data.
    pub fn chosen(&self) -> Vec<usize> {
        match &self.highly_variable {
            Some(found) => found.chosen(),
            None => (0..self.is_in_enough_cells.len())
                .filter(|&gene| self.is_in_enough_cells[gene])
                .collect(),
        }
    }
}

/// Cells in which each gene has counts.
fn cells_of_genes<E>(n_genes: usize, pass: &mut Pass<'_, E>) -> Result<Vec<usize>, E> {
    let mut n_cells = vec![0; n_genes];
    pass(&mut |_, counts| {
        for cell in 0..counts.n_cells() {
            let (genes, values) = counts.row(cell);
            let present = genes.iter().zip(values).filter(|(_, value)| **value > 0.0);
            present.for_each(|(&gene, _)| n_cells[gene as usize] += 1);
        }
    })?;
    Ok(n_cells)
}

/// The place of each gene among some of them.
fn places(genes: &[usize], n_genes: usize) -> Vec<Option<u32>> {
    let mut places = vec![None; n_genes];
    genes.iter().zip(0..).for_each(|(&gene, place)| places[gene] = Some(place));
    places
}
