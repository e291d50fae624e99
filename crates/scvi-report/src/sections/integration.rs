//! Whether batches mixed and labels stayed apart.

use crate::charts::{Chart, Comparison, Figure};
use crate::number::{count, shown};
use crate::page::{Block, Section, Table};

/// A measure of integration, by the definition of scib-metrics, between 0 and 1.
#[derive(Debug, Clone)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// What it measures, in a few words.
    pub meaning: String,
    /// Of the principal components of log counts.
    pub before: f64,
    /// Of the latent space.
    pub after: f64,
}

/// All measures.
#[derive(Debug, Clone, Default)]
pub struct Integration {
    /// Of how well batches mix.
    pub batch_mixing: Vec<Metric>,
    /// Of how well cells of a label stay together, label column by label column.
    pub label_conservation: Vec<(String, Vec<Metric>)>,
    /// Cells that were measured.
    pub n_cells: usize,
}

impl Integration {
    /// The section; none where there is nothing to measure by.
    pub fn section(&self) -> Option<Section> {
        let groups = std::iter::once(("Batch mixing".to_owned(), &self.batch_mixing)).chain(
            self.label_conservation
                .iter()
                .map(|(key, metrics)| (format!("Label conservation ({key})"), metrics)),
        );
        let groups: Vec<_> = groups.filter(|(_, metrics)| !metrics.is_empty()).collect();
        if groups.is_empty() {
            return None;
        }
        let mut blocks = vec![Block::Text(format!(
            "Each measure lies between 0 and 1, higher is better, by the definitions of \
             scib-metrics. Before: 50 principal components of log counts. After: the latent space. \
             A good integration raises batch mixing and keeps label conservation. Measured on {} \
             cells.",
            count(self.n_cells)
        ))];
        let rows = groups.iter().flat_map(|(_, metrics)| metrics.iter());
        let rows: Vec<_> = rows.map(|m| (m.name.clone(), [m.before, m.after])).collect();
        let words: Vec<String> = rows
            .iter()
            .map(|(name, [before, after])| {
                format!("{name} {} to {}", shown(*before), shown(*after))
            })
            .collect();
        let chart = Comparison {
            x_label: "higher is better".to_owned(),
            names: ["before (PCA)".to_owned(), "after (latent space)".to_owned()],
            rows,
        };
        blocks.push(Block::Figures(vec![Figure {
            name: "integration".to_owned(),
            title: "Integration before and after".to_owned(),
            alt: format!("Measures before and after integration: {}.", words.join(", ")),
            chart: Chart::Comparison(chart),
        }]));
        for (caption, metrics) in groups {
            let columns =
                [("measure", false), ("meaning", false), ("before", true), ("after", true)];
            let row = |m: &Metric| {
                vec![m.name.clone(), m.meaning.clone(), shown(m.before), shown(m.after)]
            };
            blocks.push(Block::Table(Table {
                caption,
                columns: columns.map(|(name, is_number)| (name.to_owned(), is_number)).to_vec(),
                rows: metrics.iter().map(row).collect(),
            }));
        }
        Some(Section { id: "integration", heading: "Integration", blocks })
    }
}
