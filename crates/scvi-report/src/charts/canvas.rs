//! An SVG that is drawn on in pixels.
//!
//! Its text is written here, and its ticks are found here: the ticks of plotters 0.3 need a loop
//! without an end for some ranges of numbers, and its points are whole pixels.

use super::Axis;
use super::palette::Color;
use crate::page::escape::{html, plain};

/// Text and axes; the page replaces them by its own in the dark.
pub const INK: Color = Color(0x1B1F24);
/// Less important text.
pub const FAINT: Color = Color(0x57606A);
/// Lines behind the data.
pub const GRID: Color = Color(0xE1E5EA);
/// Size of text, in pixels.
pub const TEXT: f64 = 12.0;

/// Where a text begins, ends or has its middle.
#[derive(Clone, Copy, PartialEq)]
pub enum Anchor {
    Start,
    Middle,
    End,
    /// Its beginning, read upwards.
    StartUpwards,
}

/// An SVG that is drawn on in pixels from its upper left corner.
pub struct Canvas {
    elements: String,
    pub width: f64,
    pub height: f64,
}

/// The part of a canvas that axes enclose.
#[derive(Clone, Copy)]
pub struct Plot {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Canvas {
    /// An empty one.
    pub fn new(width: u32, height: u32) -> Self {
        Self { elements: String::new(), width: width.into(), height: height.into() }
    }

    /// The SVG with these attributes, and elements before those that were drawn.
    pub fn svg(&self, attributes: &str, first: &str) -> String {
        let Self { elements, width, height } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"{TEXT}\" \
             {attributes}>{first}\n{elements}</svg>\n"
        )
    }

    /// A line through points.
    pub fn path(&mut self, points: &[(f64, f64)], color: Color, width: f64) {
        self.elements.push_str("<polyline points=\"");
        for (x, y) in points {
            self.elements.push_str(&format!("{x:.1},{y:.1} "));
        }
        let color = color.css();
        let style = "fill=\"none\" stroke-linejoin=\"round\"";
        self.elements
            .push_str(&format!("\" {style} stroke=\"{color}\" stroke-width=\"{width}\"/>\n"));
    }

    /// A filled circle.
    pub fn circle(&mut self, (x, y): (f64, f64), radius: f64, color: Color) {
        let fill = color.css();
        let at = format_args!("cx=\"{x:.1}\" cy=\"{y:.1}\"");
        self.elements.push_str(&format!("<circle {at} r=\"{radius:.2}\" fill=\"{fill}\"/>\n"));
    }

    /// A filled rectangle between its upper left and its lower right corner.
    pub fn rectangle(&mut self, a: (f64, f64), b: (f64, f64), color: Color) {
        let (width, height) = ((b.0 - a.0).max(0.0), (b.1 - a.1).max(0.0));
        let at = format_args!("x=\"{:.1}\" y=\"{:.1}\"", a.0, a.1);
        let size = format_args!("width=\"{width:.1}\" height=\"{height:.1}\"");
        self.elements.push_str(&format!("<rect {at} {size} fill=\"{}\"/>\n", color.css()));
    }

    /// A line of text whose middle has the height of `at`.
    pub fn text(&mut self, text: &str, (x, y): (f64, f64), anchor: Anchor, color: Color) {
        let (word, turn) = match anchor {
            Anchor::Start => ("start", String::new()),
            Anchor::Middle => ("middle", String::new()),
            Anchor::End => ("end", String::new()),
            Anchor::StartUpwards => ("start", format!(" transform=\"rotate(-90 {x:.1} {y:.1})\"")),
        };
        let (text, fill) = (html(text), color.css());
        let style = format_args!("text-anchor=\"{word}\" dy=\"0.35em\" fill=\"{fill}\"");
        self.elements
            .push_str(&format!("<text x=\"{x:.1}\" y=\"{y:.1}\" {style}{turn}>{text}</text>\n"));
    }

    /// Axes with ticks, labels and lines behind the data.
    pub fn axes(&mut self, plot: Plot, x: &Axis, y: &Axis) {
        let n_x = ((plot.right - plot.left) / 70.0).clamp(2.0, 8.0) as usize;
        let n_y = ((plot.bottom - plot.top) / 28.0).clamp(3.0, 6.0) as usize;
        for (at, text) in y.ticks(n_y) {
            let height = plot.y(at);
            self.path(&[(plot.left, height), (plot.right, height)], GRID, 1.0);
            self.text(&text, (plot.left - 6.0, height), Anchor::End, FAINT);
        }
        for (at, text) in x.ticks(n_x) {
            let place = plot.x(at);
            self.path(&[(place, plot.bottom), (place, plot.bottom + 4.0)], FAINT, 1.0);
            self.text(&text, (place, plot.bottom + 13.0), Anchor::Middle, FAINT);
        }
        self.path(&[(plot.left, plot.bottom), (plot.right, plot.bottom)], FAINT, 1.0);
        let middle = f64::midpoint(plot.left, plot.right);
        self.text(&x.label, (middle, plot.bottom + 31.0), Anchor::Middle, INK);
        // Above the axis, where it can be read without turning one's head.
        self.text(&y.label, (4.0, 10.0), Anchor::Start, INK)
    }
}

impl Plot {
    /// Leaves the space that ticks and labels take.
    pub fn of(canvas: &Canvas, y: &Axis) -> Self {
        let widest = y.ticks(6).iter().map(|(_, text)| text_width(text)).fold(0.0, f64::max);
        Self {
            left: widest + 14.0,
            top: 26.0,
            right: canvas.width - 16.0,
            bottom: canvas.height - 42.0,
        }
    }

    /// The pixel of a place on the horizontal axis.
    pub fn x(&self, at: f64) -> f64 {
        self.left + at.clamp(0.0, 1.0) * (self.right - self.left)
    }

    /// The pixel of a place on the vertical axis.
    pub fn y(&self, at: f64) -> f64 {
        self.bottom - at.clamp(0.0, 1.0) * (self.bottom - self.top)
    }
}

/// About how many pixels a line of text is wide.
pub fn text_width(text: &str) -> f64 {
    text.chars().map(|c| if c.is_ascii() { 0.62 } else { 1.0 }).sum::<f64>() * TEXT
}

/// A line of text that is no wider than so many pixels.
pub fn fitted(text: &str, width: f64) -> String {
    let text = plain(text);
    if text_width(&text) <= width {
        return text;
    }
    let mut short = String::new();
    for c in text.chars() {
        short.push(c);
        if text_width(&short) + TEXT > width {
            break;
        }
    }
    short + "…"
}
