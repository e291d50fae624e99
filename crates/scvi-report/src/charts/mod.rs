//! Charts as SVG and PNG, in the colors of a light page.
//!
//! Titles and names may hold any text.

mod axis;
mod canvas;
mod comparison;
mod dots;
mod histogram;
mod lines;
pub mod palette;
mod png;
mod points;

pub use axis::{Axis, span};
pub use comparison::Comparison;
pub use dots::DotPlot;
pub use histogram::Histogram;
pub use lines::{LineChart, Series};
pub use points::{Marks, PointChart};

use canvas::Canvas;

use crate::ReportError;
use crate::page::escape::html;

/// A chart with its names.
#[derive(Debug, Clone)]
pub struct Figure {
    /// Its file's name without an ending: letters, digits, `_` and `-`.
    pub name: String,
    /// What it shows.
    pub title: String,
    /// The same in words, for those who do not see it.
    pub alt: String,
    /// What is drawn.
    pub chart: Chart,
}

/// What is drawn.
#[derive(Debug, Clone)]
pub enum Chart {
    /// Values by epoch.
    Lines(LineChart),
    /// How often values occur.
    Histogram(Histogram),
    /// A circle for each group and gene.
    Dots(DotPlot),
    /// Two values for each row.
    Comparison(Comparison),
    /// Points in a plane.
    Points(PointChart),
}

impl Figure {
    /// The chart as SVG, `width` pixels wide and as high as it needs to be.
    pub fn svg(&self, width: u32) -> String {
        let text = format!("<title>{}</title><desc>{}</desc>", html(&self.title), html(&self.alt));
        // The background is white wherever it is put.
        let white = "<rect width=\"100%\" height=\"100%\" fill=\"#FFFFFF\"/>";
        self.svg_with(width, "role=\"img\"", &(text + white))
    }

    /// The chart as SVG with these attributes, and elements before those of the chart.
    pub(crate) fn svg_with(&self, width: u32, attributes: &str, first: &str) -> String {
        let height = match &self.chart {
            Chart::Lines(_) | Chart::Histogram(_) => (width * 9 / 16).clamp(200, 340),
            Chart::Dots(chart) => chart.height(),
            Chart::Comparison(chart) => chart.height(),
            Chart::Points(chart) => chart.height(width),
        };
        let mut canvas = Canvas::new(width, height);
        match &self.chart {
            Chart::Lines(chart) => chart.draw(&mut canvas),
            Chart::Histogram(chart) => chart.draw(&mut canvas),
            Chart::Dots(chart) => chart.draw(&mut canvas),
            Chart::Comparison(chart) => chart.draw(&mut canvas),
            Chart::Points(chart) => chart.draw(&mut canvas),
        }
        canvas.svg(attributes, first)
    }

    /// The chart as PNG with two pixels for each of SVG's.
    ///
    /// # Errors
    /// Where the chart is too large for a picture.
    pub fn png(&self, width: u32) -> Result<Vec<u8>, ReportError> {
        let fault = |problem| ReportError::Chart { name: self.name.clone(), problem };
        png::from_svg(&self.svg(width)).map_err(fault)
    }
}
