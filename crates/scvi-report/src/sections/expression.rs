//! Differential expression.

use super::table;
use crate::charts::{Axis, Chart, DotPlot, Figure, Marks};
use crate::number::shown;
use crate::page::{Block, Coloring, Panel, Scatter, Section, Table, View};

/// Genes of each group in the dot plot.
const TOP: usize = 5;
/// Genes of each group in its volcano plot.
const MOST: usize = 3000;

/// Results of comparisons.
#[derive(Debug, Clone, Default)]
pub struct Expression {
    /// Where they come from.
    pub source: String,
    /// Names of the genes.
    pub genes: Vec<String>,
    /// The comparisons.
    pub groups: Vec<GroupResult>,
    /// What speaks for a difference: `Bayes factor`, `P(different)`.
    pub evidence: String,
    /// Whether it is a probability.
    pub is_probability: bool,
}

/// One comparison.
#[derive(Debug, Clone)]
pub struct GroupResult {
    /// Its name.
    pub name: String,
    /// Number of the gene in each row.
    pub genes: Vec<u32>,
    /// Log2 fold change: `(rows)`.
    pub lfc: Vec<f32>,
    /// What speaks for a difference: `(rows)`.
    pub evidence: Vec<f32>,
    /// Share of the group's cells with a count, NaN where it is not known: `(rows)`.
    pub share: Vec<f32>,
}

impl GroupResult {
    /// Without a row.
    pub fn named(name: &str) -> Self {
        let (genes, lfc, evidence, share) = Default::default();
        Self { name: name.to_owned(), genes, lfc, evidence, share }
    }

    /// Adds a row: log2 fold change, evidence, and share of the group's cells.
    pub fn push(&mut self, gene: u32, [lfc, evidence, share]: [f32; 3]) {
        self.genes.push(gene);
        self.lfc.push(lfc);
        self.evidence.push(evidence);
        self.share.push(share);
    }

    /// Rows in which the group has more, those with the strongest evidence first.
    fn up(&self) -> Vec<usize> {
        let is_up = |k: &usize| self.lfc[*k] > 0.0 && !self.evidence[*k].is_nan();
        let mut rows: Vec<usize> = (0..self.genes.len()).filter(is_up).collect();
        let key = |k: usize| (self.evidence[k], self.lfc[k]);
        rows.sort_by(|&a, &b| {
            let ((p, lfc_a), (q, lfc_b)) = (key(a), key(b));
            q.total_cmp(&p).then(lfc_b.total_cmp(&lfc_a))
        });
        rows
    }

    /// The rows that a volcano plot shows: all, or those of the largest changes.
    fn shown(&self) -> Vec<usize> {
        let mut rows: Vec<usize> = (0..self.genes.len()).collect();
        if rows.len() > MOST {
            rows.sort_by(|&a, &b| self.lfc[b].abs().total_cmp(&self.lfc[a].abs()).then(a.cmp(&b)));
            rows.truncate(MOST);
            rows.sort_unstable();
        }
        rows
    }
}

impl Expression {
    /// The section; none without comparisons.
    pub fn section(&self) -> Option<Section> {
        if self.groups.is_empty() {
            return None;
        }
        let blocks = vec![
            Block::Text(format!(
                "From {}. In the dot plot a marker gene is one whose row is bright and large in one \
                 group only. In a volcano plot the genes that differ most lie in the upper corners.",
                self.source
            )),
            Block::Figures(vec![self.dots()]),
            Block::Scatter(Box::new(self.volcanoes())),
            Block::Table(self.table()),
        ];
        Some(Section { id: "expression", heading: "Differential expression", blocks })
    }

    fn dots(&self) -> Figure {
        let mut rows: Vec<u32> = Vec::new();
        for group in &self.groups {
            for row in group.up().into_iter().take(TOP) {
                if !rows.contains(&group.genes[row]) {
                    rows.push(group.genes[row]);
                }
            }
        }
        let n = rows.len() * self.groups.len();
        let (mut sizes, mut values) = (vec![0.0; n], vec![f64::NAN; n]);
        for (column, group) in self.groups.iter().enumerate() {
            for (row, gene) in group.genes.iter().enumerate() {
                if let Some(at) = rows.iter().position(|g| g == gene) {
                    let at = at * self.groups.len() + column;
                    let share = group.share[row];
                    // Where shares are not known all circles are alike.
                    sizes[at] = if share.is_nan() { 0.5 } else { share.into() };
                    values[at] = group.lfc[row].into();
                }
            }
        }
        let name_of = |gene: &u32| self.genes[*gene as usize].clone();
        let words = self.groups.iter().map(|group| {
            let top = group.up().into_iter().take(TOP).map(|k| name_of(&group.genes[k]));
            format!("{}: {}", group.name, top.collect::<Vec<_>>().join(", "))
        });
        Figure {
            name: "de_dotplot".to_owned(),
            title: "Top genes by group".to_owned(),
            alt: format!("Top genes by group. {}.", words.collect::<Vec<_>>().join("; ")),
            chart: Chart::Dots(DotPlot {
                rows: rows.iter().map(name_of).collect(),
                columns: self.groups.iter().map(|group| group.name.clone()).collect(),
                labels: ["of cells".to_owned(), "log2 fold change".to_owned()],
                sizes,
                values,
            }),
        }
    }

    fn volcanoes(&self) -> Scatter {
        let (mut views, mut colorings, mut panels) = (Vec::new(), Vec::new(), Vec::new());
        for (k, group) in self.groups.iter().enumerate() {
            let rows = group.shown();
            let pick = |values: &[f32]| rows.iter().map(|&row| values[row]).collect::<Vec<f32>>();
            let (x, y) = (pick(&group.lfc), pick(&group.evidence));
            let across = Axis::linear("log2 fold change", x.iter().map(|&v| v.into()));
            let up = match self.is_probability {
                true => Axis { range: -0.02..1.02, ..Axis::unit(&self.evidence) },
                false => Axis::linear(&self.evidence, y.iter().map(|&v| v.into())),
            };
            let zero = [[0.0, up.range.start], [0.0, up.range.end]];
            views.push(View {
                points: Some(rows.iter().map(|&row| group.genes[row]).collect()),
                x,
                y,
                axes: Some([across, up]),
                lines: vec![zero],
            });
            let marks = Marks::Numbers(pick(&group.share));
            colorings.push(Coloring { label: "share of cells".to_owned(), marks });
            panels.push(Panel { label: group.name.clone(), view: k, coloring: k });
        }
        Scatter {
            name: "de_volcano".to_owned(),
            title: "Volcano plot by group".to_owned(),
            alt: format!(
                "Log2 fold change against {} of each gene, for {} groups.",
                self.evidence,
                self.groups.len()
            ),
            noun: "gene",
            choice: "Group",
            points: self.genes.clone(),
            views,
            colorings,
            panels,
        }
    }

    fn table(&self) -> Table {
        let mut rows = Vec::new();
        for group in &self.groups {
            for row in group.up().into_iter().take(TOP) {
                let share = match group.share[row] {
                    share if share.is_nan() => shown(f64::NAN),
                    share => format!("{:.0} %", 100.0 * share),
                };
                let numbers = [group.lfc[row], group.evidence[row]].map(|v| shown(v.into()));
                let [lfc, evidence] = numbers;
                let gene = self.genes[group.genes[row] as usize].clone();
                rows.push(vec![group.name.clone(), gene, lfc, evidence, share]);
            }
        }
        let columns = ["group", "gene", "log2 fold change", &self.evidence, "cells"];
        let mut table = table("Top genes by group", &columns, rows);
        table.columns[1].1 = false;
        table
    }
}
