//! The latent space in two dimensions.

use crate::number::count;
use crate::page::{Block, Colouring, Panel, Scatter, Section, View};

/// A plane in which cells lie as they do in the latent space.
#[derive(Debug, Clone)]
pub struct LatentSpace {
    /// Names of the cells in it.
    pub cells: Vec<String>,
    /// `(cells)`
    pub x: Vec<f32>,
    /// `(cells)`
    pub y: Vec<f32>,
    /// What cells can be coloured by, the first of them to begin with.
    pub colourings: Vec<Colouring>,
    /// All cells, of which these may be a sample.
    pub n_cells: usize,
}

impl LatentSpace {
    /// The section.
    pub fn section(self) -> Section {
        let Self { cells, x, y, colourings, n_cells } = self;
        let mut text = "Each point is a cell, and near points have similar expression after batch \
                        effects are removed. Distances between groups that are far apart mean \
                        little. A click on the legend hides a group."
            .to_owned();
        if cells.len() < n_cells {
            let (n, all) = (count(cells.len()), count(n_cells));
            text += &format!(" Shown are {n} of {all} cells, drawn at random within each batch.");
        }
        let names: Vec<&str> = colourings.iter().map(|c| &c.label[..]).collect();
        let alt = format!(
            "UMAP of {} cells in the latent space, which can be coloured by {}.",
            count(cells.len()),
            names.join(", ")
        );
        let panel =
            |(k, c): (usize, &Colouring)| Panel { label: c.label.clone(), view: 0, colouring: k };
        let panels = colourings.iter().enumerate().map(panel).collect();
        let scatter = Scatter {
            name: "umap".to_owned(),
            title: "UMAP of the latent space".to_owned(),
            alt,
            noun: "cell",
            choice: "Colour by",
            points: cells,
            views: vec![View { points: None, x, y, axes: None, lines: Vec::new() }],
            colourings,
            panels,
        };
        let blocks = vec![Block::Text(text), Block::Scatter(Box::new(scatter))];
        Section { id: "latent", heading: "Latent space", blocks }
    }
}
