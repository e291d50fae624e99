//! What a report is made from.

use scvi::data::Dataset;
use scvi_io::{DroppedCells, SavedModel};

use super::Origin;
use super::count_summary::CountSummary;
use super::origin::gene_selection;
use crate::charts::Marks;
use crate::metrics::Categories;
use crate::page::Coloring;
use crate::sections::{Column, DataSummary, Expression};

/// What a report is made from.
pub struct ReportInput<'a> {
    /// The trained model.
    pub model: &'a SavedModel,
    /// Its cells.
    pub data: &'a Dataset<'a>,
    /// Their names: `(cells)`.
    pub cells: &'a [String],
    /// Columns of obs to color by, in this order.
    pub columns: Vec<ObsColumn>,
    /// Genes to color by.
    pub color_genes: Vec<u32>,
    /// Cells that were left out of these.
    pub dropped: &'a [DroppedCells],
    /// Differential expression.
    pub expression: Option<Expression>,
    /// Where all of it comes from.
    pub origin: Origin,
    /// Cells evaluated at a time; results do not depend on it.
    pub batch_size: usize,
    /// Seed of sample, picture and draws.
    pub seed: u64,
}

/// A column of obs.
#[derive(Debug, Clone)]
pub struct ObsColumn {
    /// Its key.
    pub key: String,
    /// What it is to the model, or to the reader.
    pub role: Role,
    /// `(cells)`
    pub marks: Marks,
}

/// What a column is to the model, or to the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The batches that the model corrects for.
    Batch,
    /// Labels to judge the latent space by.
    Labels,
    /// Another column that the model reads.
    Covariate,
    /// Only to color by.
    Color,
}

impl Role {
    fn word(self) -> &'static str {
        match self {
            Self::Batch => "batch",
            Self::Labels => "labels",
            Self::Covariate => "covariate",
            Self::Color => "column",
        }
    }
}

impl ObsColumn {
    /// Names of the categories.
    pub(super) fn names(&self) -> &[String] {
        match &self.marks {
            Marks::Categories { names, .. } => names,
            Marks::Numbers(_) => &[],
        }
    }

    /// The categories of some cells, those without a value in one of their own; none of numbers.
    pub(super) fn categories(&self, cells: &[u32]) -> Option<Categories> {
        let Marks::Categories { names, codes } = &self.marks else { return None };
        let none = names.len() as u32;
        let codes = cells.iter().map(|&cell| codes[cell as usize].unwrap_or(none));
        Some(Categories::new(&codes.collect::<Vec<_>>()))
    }
}

impl ReportInput<'_> {
    /// Batch and label of each cell as one number.
    pub(super) fn strata(&self) -> Vec<u32> {
        let mut strata = vec![0u32; self.data.n_cells()];
        for role in [Role::Batch, Role::Labels] {
            let column = self.columns.iter().find(|column| column.role == role);
            if let Some(Marks::Categories { names, codes }) = column.map(|column| &column.marks) {
                let n = names.len() as u32 + 1;
                for (stratum, code) in strata.iter_mut().zip(codes) {
                    let code = code.map_or(0, |code| code + 1);
                    *stratum = stratum.wrapping_mul(n).wrapping_add(code);
                }
            }
        }
        strata
    }

    /// Of each column, for the cells of a sample.
    pub(super) fn column_colorings(&self, sample: &[u32]) -> Vec<Coloring> {
        let at = |&cell: &u32| cell as usize;
        let of_column = |ObsColumn { key, marks, .. }: &ObsColumn| {
            let marks = match marks {
                Marks::Numbers(values) => {
                    Marks::Numbers(sample.iter().map(|cell| values[at(cell)]).collect())
                }
                Marks::Categories { names, codes } => Marks::Categories {
                    names: names.clone(),
                    codes: sample.iter().map(|cell| codes[at(cell)]).collect(),
                },
            };
            Coloring { label: key.clone(), marks }
        };
        self.columns.iter().map(of_column).collect()
    }

    /// Of genes, then of the library size.
    pub(super) fn count_colorings(&self, counts: &CountSummary, sample: &[u32]) -> Vec<Coloring> {
        let totals: Vec<f32> =
            sample.iter().map(|&cell| counts.totals[cell as usize] as f32).collect();
        let mut colorings = Vec::new();
        for (&gene, values) in self.color_genes.iter().zip(&counts.of_genes) {
            let normalized = values.iter().zip(&totals).map(|(x, n)| (1e4 * x / n).ln_1p());
            let label = format!("{} (log-normalized)", self.model.meta.var_names[gene as usize]);
            colorings.push(Coloring { label, marks: Marks::Numbers(normalized.collect()) });
        }
        let logs = totals.iter().map(|n| n.log10()).collect();
        let label = "library size (log10 counts)".to_owned();
        colorings.push(Coloring { label, marks: Marks::Numbers(logs) });
        colorings
    }

    pub(super) fn data_summary(&self, counts: CountSummary) -> DataSummary {
        let of_column = |column: &ObsColumn| {
            let Marks::Categories { names, codes } = &column.marks else { return None };
            let mut n_cells = vec![0; names.len()];
            codes.iter().flatten().for_each(|&code| n_cells[code as usize] += 1);
            let categories = names.iter().cloned().zip(n_cells).collect();
            Some(Column { role: column.role.word(), key: column.key.clone(), categories })
        };
        DataSummary {
            n_genes: self.model.meta.var_names.len(),
            counts_per_cell: counts.totals,
            genes_per_cell: counts.n_genes,
            columns: self.columns.iter().filter_map(of_column).collect(),
            dropped: self.all_dropped(),
            gene_selection: self.model.meta.gene_selection.as_ref().map(gene_selection),
        }
    }
}
