//! How the genes of a model were chosen.

use scvi::preprocess::{GeneSelection, SelectedGenes};
use serde::{Deserialize, Serialize};

/// How genes were chosen from those of the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeneSelectionMeta {
    /// Genes of the input.
    pub n_genes: usize,
    /// Genes without a single count.
    pub n_genes_without_counts: usize,
    /// Cells that a gene had to have counts in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_cells: Option<usize>,
    /// Genes dropped because they have counts in fewer.
    pub n_genes_in_too_few_cells: usize,
    /// Number of variable genes that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_top_genes: Option<usize>,
    /// How these were chosen, under scanpy's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flavor: Option<String>,
}

impl GeneSelectionMeta {
    /// What a selection came to.
    pub fn new(selection: &GeneSelection, selected: &SelectedGenes) -> Self {
        Self {
            n_genes: selected.is_in_enough_cells.len(),
            n_genes_without_counts: selected.n_unseen(),
            min_cells: selection.min_cells,
            n_genes_in_too_few_cells: selected.n_in_too_few_cells(),
            n_top_genes: selection.top.map(|(n, _)| n),
            flavor: selection.top.map(|(_, flavor)| flavor.name().to_owned()),
        }
    }
}
