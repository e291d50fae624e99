//! The page: sections of text, tables and charts as one HTML file that needs nothing else.

mod blocks;
mod document;
pub mod escape;
mod scatter;

use crate::charts::Figure;

pub use scatter::{Coloring, Panel, Scatter, View};

/// A page.
#[derive(Debug, Clone)]
pub struct Page {
    /// What it is about.
    pub title: String,
    /// A line below the title.
    pub subtitle: String,
    /// Its parts, in order.
    pub sections: Vec<Section>,
}

/// A part of a page.
#[derive(Debug, Clone)]
pub struct Section {
    /// Its name in addresses: lower-case letters.
    pub id: &'static str,
    /// Its heading.
    pub heading: &'static str,
    /// What it shows.
    pub blocks: Vec<Block>,
}

/// Something in a section.
#[derive(Debug, Clone)]
pub enum Block {
    /// A paragraph.
    Text(String),
    /// A judgement in words.
    Verdict {
        /// Whether nothing need be done.
        is_good: bool,
        /// The judgement.
        text: String,
    },
    /// Names with values, shown large.
    Facts(Vec<(String, String)>),
    /// Rows of text and numbers.
    Table(Table),
    /// Charts, side by side where there is space.
    Figures(Vec<Figure>),
    /// Points that answer to pointer and keyboard.
    Scatter(Box<Scatter>),
}

/// Rows of text and numbers.
#[derive(Debug, Clone)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// Its columns, and whether they hold numbers.
    pub columns: Vec<(String, bool)>,
    /// `(rows, columns)`
    pub rows: Vec<Vec<String>>,
}

impl Page {
    /// Every chart of the page as a still picture.
    pub fn figures(&self) -> Vec<Figure> {
        let blocks = self.sections.iter().flat_map(|section| &section.blocks);
        let of_block = |block: &Block| match block {
            Block::Figures(figures) => figures.clone(),
            Block::Scatter(scatter) => scatter.figures(),
            _ => Vec::new(),
        };
        blocks.flat_map(of_block).collect()
    }
}
