//! The cells and genes.

use super::{quantile, sorted, table};
use crate::charts::{Chart, Figure, Histogram};
use crate::number::{count, shown};
use crate::page::{Block, Section, Table};

/// Bars of a histogram.
const BINS: usize = 48;
/// Categories of a column that a table lists.
const LISTED: usize = 30;

/// What is known of the counts.
#[derive(Debug, Clone, Default)]
pub struct DataSummary {
    /// Genes of the model.
    pub n_genes: usize,
    /// Sum of the counts of each cell: `(cells)`.
    pub counts_per_cell: Vec<f64>,
    /// Genes with a count in each cell: `(cells)`.
    pub genes_per_cell: Vec<f64>,
    /// Columns of categories, each with its role.
    pub columns: Vec<Column>,
    /// Cells that were left out.
    pub dropped: Vec<Dropped>,
    /// How genes were chosen, in words.
    pub gene_selection: Option<String>,
}

/// Categories of the cells.
#[derive(Debug, Clone)]
pub struct Column {
    /// `batch`, `labels` or `covariate`.
    pub role: &'static str,
    /// The column of obs.
    pub key: String,
    /// Each category with its cells.
    pub categories: Vec<(String, usize)>,
}

/// Cells that a filter left out.
#[derive(Debug, Clone)]
pub struct Dropped {
    /// When: `in training`, `in this report`.
    pub when: &'static str,
    /// The filter, with its threshold.
    pub filter: String,
    /// How many.
    pub n_cells: usize,
}

impl DataSummary {
    /// The section.
    pub fn section(&self) -> Section {
        let n_cells = self.counts_per_cell.len();
        let [counts, genes] = [&self.counts_per_cell, &self.genes_per_cell].map(|v| sorted(v));
        let nonzero: f64 = genes.iter().sum();
        let n_values = n_cells as f64 * self.n_genes as f64;
        let mut facts =
            vec![("Cells".to_owned(), count(n_cells)), ("Genes".to_owned(), count(self.n_genes))];
        for column in &self.columns {
            facts.push((
                format!("{} ({})", column.role, column.key),
                count(column.categories.len()),
            ));
        }
        let share = 100.0 * (1.0 - nonzero / n_values);
        facts.push(("Zeros".to_owned(), format!("{share:.1} %")));
        facts.push(("Median counts per cell".to_owned(), shown(quantile(&counts, 0.5))));
        facts.push(("Median genes per cell".to_owned(), shown(quantile(&genes, 0.5))));
        let mut blocks = vec![
            Block::Text(
                "Cells far to the left of the others hold few counts: their place in the latent \
                 space is uncertain."
                    .to_owned(),
            ),
            Block::Facts(facts),
            Block::Figures(vec![
                histogram("counts_per_cell", "Counts per cell", "counts", &counts),
                histogram("genes_per_cell", "Genes per cell", "genes with a count", &genes),
            ]),
        ];
        blocks.extend(self.columns.iter().map(|column| Block::Table(column.table())));
        blocks.push(self.left_out());
        Section { id: "data", heading: "Data", blocks }
    }

    /// What was left out, and why.
    fn left_out(&self) -> Block {
        let mut words: Vec<String> = Vec::new();
        for Dropped { when, filter, n_cells } in &self.dropped {
            let n = count(*n_cells);
            words.push(format!("{when}, {n} cells by {filter}"));
        }
        let cells = match words.is_empty() {
            true => "No cells were left out.".to_owned(),
            false => format!("Left out: {}.", words.join("; ")),
        };
        let genes = self.gene_selection.as_deref().unwrap_or("All genes of the input were used.");
        Block::Text(format!("{cells} {genes}"))
    }
}

impl Column {
    fn table(&self) -> Table {
        let mut categories: Vec<&(String, usize)> = self.categories.iter().collect();
        categories.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        let total = categories.iter().map(|(_, n)| n).sum::<usize>().max(1) as f64;
        let row = |name: &str, n: usize| {
            vec![name.to_owned(), count(n), format!("{:.1} %", 100.0 * n as f64 / total)]
        };
        let listed = categories.iter().take(LISTED).map(|(name, n)| row(name, *n));
        let mut rows: Vec<Vec<String>> = listed.collect();
        if categories.len() > LISTED {
            let others = &categories[LISTED..];
            let n = others.iter().map(|(_, n)| n).sum();
            rows.push(row(&format!("{} others", count(others.len())), n));
        }
        table(
            &format!("Cells by {} ({})", self.role, self.key),
            &[&self.key, "cells", "share"],
            rows,
        )
    }
}

fn histogram(name: &str, title: &str, x_label: &str, sorted: &[f64]) -> Figure {
    let [low, median, high] = [0.05, 0.5, 0.95].map(|share| shown(quantile(sorted, share)));
    Figure {
        name: name.to_owned(),
        title: title.to_owned(),
        alt: format!(
            "Histogram of {x_label} per cell: median {median}, 90 % of the cells between {low} and \
             {high}."
        ),
        chart: Chart::Histogram(Histogram::of(x_label, "cells", sorted, BINS)),
    }
}
