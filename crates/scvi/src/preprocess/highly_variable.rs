//! The genes that vary most.

use super::Pass;
use super::batches::Batches;
use super::cell_ranger::cell_ranger;
use super::error::GeneSelectionError;
use super::flavor::Flavor;
use super::pearson_residuals::{PearsonResiduals, pearson_residuals};
use super::seurat_v3::seurat_v3;

/// What is found out about every gene: columns under scanpy's names, one value per gene.
#[derive(Debug, Clone, PartialEq)]
pub struct HighlyVariable {
    pub(super) columns: Vec<(&'static str, GeneColumn)>,
    /// Whether each gene is chosen.
    pub highly_variable: Vec<bool>,
    /// Genes without a single count.
    pub n_unseen: usize,
}

/// One such column.
#[derive(Debug, Clone, PartialEq)]
pub enum GeneColumn {
    /// Numbers; NaN is a missing value.
    Numbers(Vec<f64>),
    /// Numbers of batches.
    Counts(Vec<usize>),
    /// Yes or no.
    Flags(Vec<bool>),
}

impl HighlyVariable {
    /// All columns but `highly_variable`.
    pub fn columns(&self) -> &[(&'static str, GeneColumn)] {
        &self.columns
    }

    /// The numbers of a column.
    pub fn numbers(&self, name: &str) -> Option<&[f64]> {
        self.columns.iter().find_map(|(found, column)| match column {
            GeneColumn::Numbers(numbers) if *found == name => Some(&numbers[..]),
            _ => None,
        })
    }

    /// The same of `n_genes` genes, of which these are the `genes`: of the others nothing is known.
    pub(super) fn expand(&self, genes: &[usize], n_genes: usize) -> Self {
        fn spread<T: Copy>(values: &[T], genes: &[usize], mut all: Vec<T>) -> Vec<T> {
            genes.iter().zip(values).for_each(|(&gene, &value)| all[gene] = value);
            all
        }
        let column = |column: &GeneColumn| match column {
            GeneColumn::Numbers(numbers) => {
                GeneColumn::Numbers(spread(numbers, genes, vec![f64::NAN; n_genes]))
            }
            GeneColumn::Counts(counts) => {
                GeneColumn::Counts(spread(counts, genes, vec![0; n_genes]))
            }
            GeneColumn::Flags(flags) => {
                GeneColumn::Flags(spread(flags, genes, vec![false; n_genes]))
            }
        };
        Self {
            columns: self.columns.iter().map(|(name, values)| (*name, column(values))).collect(),
            highly_variable: spread(&self.highly_variable, genes, vec![false; n_genes]),
            n_unseen: self.n_unseen,
        }
    }

    /// Numbers of the chosen genes, in the order of the data.
    pub fn chosen(&self) -> Vec<usize> {
        (0..self.highly_variable.len()).filter(|&gene| self.highly_variable[gene]).collect()
    }
}

/// Chooses the `n_top_genes` most variable of the named genes, batch by batch, as scanpy 1.11 does.
///
/// `pass` reads all counts; it is called at most twice.
///
/// # Errors
/// [`GeneSelectionError`] where there is too little to choose from, and what a pass fails with.
pub fn highly_variable_genes<E: From<GeneSelectionError>>(
    flavor: Flavor,
    names: &[String],
    batches: &Batches,
    n_top_genes: usize,
    pass: &mut Pass<'_, E>,
) -> Result<HighlyVariable, E> {
    flavor.check()?;
    let found = match flavor {
        Flavor::SeuratV3 { span } => seurat_v3(span, names.len(), batches, n_top_genes, pass),
        Flavor::PearsonResiduals { theta, clip } => {
            let model = PearsonResiduals { theta, clip };
            pearson_residuals(model, names.len(), batches, n_top_genes, pass)
        }
        Flavor::CellRanger => cell_ranger(names, batches, n_top_genes, pass),
    }?;
    if !found.highly_variable.contains(&true) {
        return Err(GeneSelectionError::NoneVaries.into());
    }
    Ok(found)
}
