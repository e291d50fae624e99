//! Genes chosen by their counts, before these are read to train on.

use scvi::data::{GeneOverlap, Survey};
use scvi::preprocess::{Batches, GeneSelection, SelectedGenes};
use scvi_io::anndata::AnnDataFile;
use scvi_io::{DroppedCells, GeneSelectionMeta, choose_genes};

use super::cell_selection::CellSelection;
use super::columns::batches;
use super::matrix::Matrix;
use crate::args::{Common, GenesArgs};
use crate::error::CliError;
use crate::log::tell;

/// What `scvi genes` finds out, with the names of all genes.
pub struct GeneTable {
    pub names: Vec<String>,
    pub selected: SelectedGenes,
    /// Cells that genes were not chosen by.
    pub dropped: Vec<DroppedCells>,
}

/// Looks at all counts of a file, and chooses genes.
pub fn gene_table(args: &GenesArgs, common: &Common) -> Result<GeneTable, CliError> {
    let path = &args.input;
    let file = AnnDataFile::open(path)?;
    let matrix = Matrix::for_training(&file, path, &args.reading)?;
    matrix.check_first(&args.reading)?;
    let cells = CellSelection::new(&matrix, &args.cells, &args.reading)?;
    let batches = batches(&file, args.batch_key.as_deref(), &cells)?;
    let (selected, survey) = choose(&matrix, cells.rows.as_deref(), &batches, &args.selection())?;
    matrix.warn_of_fractions(&survey, "genes are chosen by counts", common);
    if cells.has_dropped() {
        tell(common, &cells.told(file.n_obs()));
    }
    Ok(GeneTable { names: matrix.genes.to_vec(), selected, dropped: cells.dropped })
}

/// Chooses genes of a matrix by the cells in the given rows, or by all.
fn choose(
    matrix: &Matrix<'_>,
    rows: Option<&[usize]>,
    batches: &Batches,
    selection: &GeneSelection,
) -> Result<(SelectedGenes, Survey), CliError> {
    let found = choose_genes(matrix.file, &matrix.key, rows, batches, selection);
    found.map_err(|error| matrix.explain(error.into()))
}

/// Genes to train on.
pub(super) struct ChosenGenes {
    /// Their names.
    pub(super) names: Vec<String>,
    /// Where they stand in the file.
    pub(super) overlap: GeneOverlap,
    /// How they were chosen.
    pub(super) meta: GeneSelectionMeta,
}

/// Chooses the genes of a matrix to train on, by the cells in the given rows, and says how many;
/// `None` where all are used.
pub(super) fn for_training(
    matrix: &Matrix<'_>,
    rows: Option<&[usize]>,
    batches: &Batches,
    selection: &GeneSelection,
    common: &Common,
) -> Result<Option<ChosenGenes>, CliError> {
    if selection.is_empty() {
        return Ok(None);
    }
    let (selected, _) = choose(matrix, rows, batches, selection)?;
    let chosen = selected.chosen();
    let n_genes = matrix.genes.len();
    if let Some(least) = selection.min_cells {
        let n = selected.n_in_too_few_cells();
        tell(
            common,
            &format!("left out {n} of {n_genes} genes with counts in fewer than {least} cells"),
        );
    }
    if let Some((_, flavor)) = selection.top {
        let unseen = match selected.n_unseen() {
            0 => String::new(),
            n => format!("; {n} have no count in any cell"),
        };
        let (n, flavor) = (chosen.len(), flavor.name());
        tell(common, &format!("chose {n} of {n_genes} genes ({flavor}{unseen})"));
    }
    let names: Vec<String> = chosen.into_iter().map(|gene| matrix.genes[gene].clone()).collect();
    let overlap = super::genes::overlap(matrix.path, &matrix.genes, &names)?;
    let meta = GeneSelectionMeta::new(selection, &selected);
    Ok(Some(ChosenGenes { names, overlap, meta }))
}
