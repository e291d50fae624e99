//! Whether counts drawn from the model look like those that were observed.

use super::table;
use crate::charts::{Axis, Marks};
use crate::number::{count, shown};
use crate::page::{Block, Coloring, Panel, Scatter, Section, Table, View};

/// Posterior predictive checks.
#[derive(Debug, Clone, Default)]
pub struct Adequacy {
    /// Draws of each cell.
    pub n_samples: u32,
    /// Cells that were drawn for.
    pub n_cells: usize,
    /// Names of the genes.
    pub genes: Vec<String>,
    /// A statistic of each gene, observed and drawn.
    pub by_gene: Vec<Fit>,
    /// Names of the cells.
    pub cells: Vec<String>,
    /// A statistic of each cell, observed and drawn.
    pub by_cell: Vec<Fit>,
    /// Single numbers: name, meaning, value.
    pub summary: Vec<[String; 3]>,
    /// The genes and cells that the model explains worst.
    pub worst: Vec<Worst>,
}

/// A statistic of the observed counts and of drawn ones.
#[derive(Debug, Clone)]
pub struct Fit {
    /// What it is, as a choice: `coefficient of variation`.
    pub name: String,
    /// Whether it is shown on logarithmic axes.
    pub is_log: bool,
    /// `(genes)` or `(cells)`
    pub observed: Vec<f32>,
    /// The mean over the draws.
    pub drawn: Vec<f32>,
}

/// Genes or cells that the model explains worst.
#[derive(Debug, Clone)]
pub struct Worst {
    /// What they are, and by what measure.
    pub caption: String,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Rows, the worst first.
    pub rows: Vec<Vec<String>>,
}

impl Fit {
    /// Mean absolute difference of the two.
    fn error(&self) -> f64 {
        let pairs = self.observed.iter().zip(&self.drawn);
        let differences = pairs.map(|(&a, &b)| f64::from((a - b).abs())).filter(|d| d.is_finite());
        let (sum, n) = differences.fold((0.0, 0.0), |(sum, n), d| (sum + d, n + 1.0));
        sum / n
    }

    /// Pearson's correlation of the two.
    fn correlation(&self) -> f64 {
        let pairs = self.observed.iter().zip(&self.drawn);
        let known = pairs.filter(|(a, b)| a.is_finite() && b.is_finite());
        let pairs: Vec<(f64, f64)> = known.map(|(&a, &b)| (a.into(), b.into())).collect();
        let n = pairs.len() as f64;
        let mean = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / n;
        let (a, b) = (mean(|p| p.0), mean(|p| p.1));
        let sum = |f: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(f).sum::<f64>();
        let both = sum(&|p| (p.0 - a) * (p.1 - b));
        both / (sum(&|p| (p.0 - a).powi(2)) * sum(&|p| (p.1 - b).powi(2))).sqrt()
    }

    fn view(&self) -> View {
        let axis = |label: &str| {
            let all = self.observed.iter().chain(&self.drawn).map(|&v| v.into());
            let axis = if self.is_log { Axis::log } else { Axis::linear };
            axis(label.to_owned(), all.collect::<Vec<f64>>())
        };
        let axes = [axis("observed"), axis("drawn from the model")];
        let ends = [axes[0].range.start, axes[0].range.end];
        View {
            points: None,
            x: self.observed.clone(),
            y: self.drawn.clone(),
            axes: Some(axes),
            lines: vec![ends.map(|end| [end, end])],
        }
    }
}

impl Adequacy {
    /// The section.
    pub fn section(&self) -> Section {
        let mut blocks = vec![Block::Text(format!(
            "Counts were drawn from the model {} for each of {} cells and compared with those that \
             were observed. Points on the dashed line are explained as they are; genes far above it \
             are more variable in the model than in the data.",
            if self.n_samples == 1 {
                "once".to_owned()
            } else {
                format!("{} times", self.n_samples)
            },
            count(self.n_cells)
        ))];
        let rows = self.by_gene.iter().map(|fit| (fit, "genes"));
        let rows = rows.chain(self.by_cell.iter().map(|fit| (fit, "cells"))).map(|(fit, of)| {
            vec![format!("{}, {of}", fit.name), shown(fit.error()), shown(fit.correlation())]
        });
        let columns = ["statistic", "mean absolute error", "correlation"];
        blocks.push(Block::Table(table("Observed against drawn", &columns, rows.collect())));
        for (name, noun, points, fits) in [
            ("ppc_genes", "gene", &self.genes, &self.by_gene),
            ("ppc_cells", "cell", &self.cells, &self.by_cell),
        ] {
            if !fits.is_empty() {
                blocks.push(Block::Scatter(Box::new(scatter(name, noun, points, fits))));
            }
        }
        if !self.summary.is_empty() {
            let rows = self.summary.iter().map(|row| row.to_vec()).collect();
            let columns = [("check", false), ("meaning", false), ("value", true)];
            let columns = columns.map(|(name, is_number)| (name.to_owned(), is_number)).to_vec();
            let caption = "Further checks".to_owned();
            blocks.push(Block::Table(Table { caption, columns, rows }));
        }
        for Worst { caption, columns, rows } in &self.worst {
            let columns: Vec<&str> = columns.iter().map(|c| &c[..]).collect();
            blocks.push(Block::Table(table(caption, &columns, rows.clone())));
        }
        Section { id: "adequacy", heading: "Adequacy of the model", blocks }
    }
}

fn scatter(name: &str, noun: &'static str, points: &[String], fits: &[Fit]) -> Scatter {
    let title = format!("Observed and drawn, {noun} by {noun}");
    let words: Vec<String> = fits
        .iter()
        .map(|fit| format!("{}, correlation {}", fit.name, shown(fit.correlation())))
        .collect();
    // Colored by the distance from the line, in the units of the axes.
    let differences = fits.iter().map(|fit| {
        let pairs = fit.observed.iter().zip(&fit.drawn);
        let difference = pairs.map(|(&a, &b)| (b - a).abs()).collect();
        Coloring { label: "difference".to_owned(), marks: Marks::Numbers(difference) }
    });
    let panel = |(k, fit): (usize, &Fit)| Panel { label: fit.name.clone(), view: k, coloring: k };
    Scatter {
        name: name.to_owned(),
        alt: format!("{title}: {}.", words.join("; ")),
        title,
        noun,
        choice: "Statistic",
        points: points.to_vec(),
        views: fits.iter().map(Fit::view).collect(),
        colorings: differences.collect(),
        panels: fits.iter().enumerate().map(panel).collect(),
    }
}
