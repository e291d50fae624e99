//! The latent space in two dimensions.

use crate::number::count;
use crate::page::{Block, Coloring, Panel, Scatter, Section, View};

/// A plane in which cells lie as they do in the latent space.
#[derive(Debug, Clone)]
pub struct LatentSpace {
    /// Names of the cells in it.
    pub cells: Vec<String>,
    /// `(cells)`
    pub x: Vec<f32>,
    /// `(cells)`
    pub y: Vec<f32>,
    /// What cells can be colored by, the first of them to begin with.
    pub colorings: Vec<Coloring>,
    /// All cells, of which these may be a sample.
    pub n_cells: usize,
}

impl LatentSpace {
    /// The section.
    pub fn section(self) -> Section {
        let Self { cells, x, y, colorings, n_cells } = self;
        let mut text = "Each point is a cell, and near points have similar expression after batch \
                        effects are removed. Distances between groups that are far apart mean \
                        little. A click on the legend hides a group."
            .to_owned();
        if cells.len() < n_cells {
            let (n, all) = (count(cells.len()), count(n_cells));
            text += &format!(" Shown are {n} of {all} cells, drawn at random within each batch.");
        }
        let names: Vec<&str> = colorings.iter().map(|c| &c.label[..]).collect();
        let alt = format!(
            "UMAP of {} cells in the latent space, which can be colored by {}.",
            count(cells.len()),
            names.join(", ")
        );
        let panel =
            |(k, c): (usize, &Coloring)| Panel { label: c.label.clone(), view: 0, coloring: k };
        let panels = colorings.iter().enumerate().map(panel).collect();
        let scatter = Scatter {
            name: "umap".to_owned(),
            title: "UMAP of the latent space".to_owned(),
            alt,
            noun: "cell",
            choice: "Color by",
            points: cells,
            views: vec![View { points: None, x, y, axes: None, lines: Vec::new() }],
            colorings,
            panels,
        };
        let blocks = vec![Block::Text(text), Block::Scatter(Box::new(scatter))];
        Section { id: "latent", heading: "Latent space", blocks }
    }
}
