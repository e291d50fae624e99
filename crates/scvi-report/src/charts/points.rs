//! Points in a plane.

use super::Axis;
use super::canvas::{Anchor, Canvas, FAINT, INK, Plot, fitted, text_width};
use super::palette::{Color, categorical, ramp};
use crate::number::shown;

/// Entries of a legend, at most.
const MOST: usize = 40;
const LINE: f64 = 18.0;

/// Points in a plane, colored.
#[derive(Debug, Clone)]
pub struct PointChart {
    /// Both axes; none for a plane whose directions have no meaning.
    pub axes: Option<[Axis; 2]>,
    /// Where the points are, as shares of both axes.
    pub places: Vec<[f32; 2]>,
    /// What they are colored by.
    pub marks: Marks,
    /// Lines to compare with, from place to place.
    pub lines: Vec<[[f32; 2]; 2]>,
}

/// What points are colored by.
#[derive(Debug, Clone)]
pub enum Marks {
    /// A category, or none, of each.
    Categories {
        /// Names of the categories.
        names: Vec<String>,
        /// `(points)`
        codes: Vec<Option<u32>>,
    },
    /// A number of each; NaN where there is none.
    Numbers(Vec<f32>),
}

impl PointChart {
    pub(super) fn height(&self, width: u32) -> u32 {
        let plane = if self.axes.is_some() { width * 3 / 4 } else { width };
        plane + self.legend_height(width.into()) as u32
    }

    /// Places of the legend's entries, row by row, and the height that they take.
    fn layout(&self, width: f64) -> (Vec<(f64, f64)>, f64) {
        let Marks::Categories { names, .. } = &self.marks else { return (Vec::new(), 34.0) };
        let (mut at, mut height) = (10.0, 0.0);
        let mut places = Vec::new();
        for name in names.iter().take(MOST) {
            let entry = text_width(&fitted(name, 180.0)) + 34.0;
            if at + entry > width && at > 10.0 {
                (at, height) = (10.0, height + LINE);
            }
            places.push((at, height));
            at += entry;
        }
        (places, height + LINE + 16.0)
    }

    fn legend_height(&self, width: f64) -> f64 {
        self.layout(width).1
    }

    pub(super) fn draw(&self, canvas: &mut Canvas) {
        let (places, height) = self.layout(canvas.width);
        let top = canvas.height - height + 8.0;
        let mut plot = match &self.axes {
            None => Plot { left: 8.0, top: 8.0, right: canvas.width - 8.0, bottom: 0.0 },
            Some([_, y]) => Plot::of(canvas, y),
        };
        plot.bottom = top - if self.axes.is_some() { 46.0 } else { 12.0 };
        if let Some([x, y]) = &self.axes {
            canvas.axes(plot, x, y);
        }
        for line in &self.lines {
            let line = line.map(|[x, y]| (plot.x(x.into()), plot.y(y.into())));
            canvas.path(&line, FAINT, 1.0);
        }
        let radius = match self.places.len() {
            0..=2_000 => 2.5,
            2_001..=10_000 => 1.75,
            10_001..=50_000 => 1.25,
            _ => 0.75,
        };
        let colors = self.colors();
        for k in self.order() {
            let [x, y] = self.places[k].map(f64::from);
            if x.is_finite() && y.is_finite() {
                canvas.circle((plot.x(x), plot.y(y)), radius, colors[k]);
            }
        }
        self.legend(canvas, &places, top)
    }

    fn legend(&self, canvas: &mut Canvas, places: &[(f64, f64)], top: f64) {
        match &self.marks {
            Marks::Categories { names, .. } => {
                let colors = categorical(names.len());
                for ((name, &color), &(x, y)) in names.iter().zip(&colors).zip(places) {
                    canvas.circle((x + 5.0, top + y + 6.0), 5.0, color);
                    let name = fitted(name, 180.0);
                    canvas.text(&name, (x + 16.0, top + y + 6.0), Anchor::Start, INK);
                }
            }
            Marks::Numbers(values) => {
                let range = super::span(values.iter().map(|&v| v.into()));
                let [low, high] = [range.start, range.end].map(shown);
                canvas.text(&low, (8.0, top + 8.0), Anchor::Start, INK);
                let begin = text_width(&low) + 16.0;
                for k in 0..80 {
                    let x = begin + f64::from(k) * 2.0;
                    let color = ramp(f64::from(k) / 79.0);
                    canvas.rectangle((x, top + 2.0), (x + 2.0, top + 14.0), color);
                }
                canvas.text(&high, (begin + 168.0, top + 8.0), Anchor::Start, INK)
            }
        }
    }

    fn colors(&self) -> Vec<Color> {
        match &self.marks {
            Marks::Categories { names, codes } => {
                let colors = categorical(names.len());
                let of = |code: &Option<u32>| code.and_then(|c| colors.get(c as usize).copied());
                codes.iter().map(|code| of(code).unwrap_or(Color::MISSING)).collect()
            }
            Marks::Numbers(values) => {
                let range = super::span(values.iter().map(|&v| v.into()));
                let at = |&v: &f32| (f64::from(v) - range.start) / (range.end - range.start);
                values.iter().map(|v| ramp(at(v))).collect()
            }
        }
    }

    /// Drawn in this order: high numbers last, categories mixed.
    fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.places.len()).collect();
        match &self.marks {
            // Knuth's multiplicative hash: neighbors in the file are no neighbors in the order.
            Marks::Categories { .. } => {
                order.sort_by_key(|&k| (k as u32).wrapping_mul(2_654_435_761));
            }
            Marks::Numbers(values) => {
                let key =
                    |k: &usize| if values[*k].is_nan() { f32::NEG_INFINITY } else { values[*k] };
                order.sort_by(|a, b| key(a).total_cmp(&key(b)));
            }
        }
        order
    }
}
