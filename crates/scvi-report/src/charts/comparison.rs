//! Two values for each row, between 0 and 1.

use super::Axis;
use super::canvas::{Anchor, Canvas, FAINT, GRID, INK, Plot, fitted, text_width};
use super::palette::categorical;

const ROW: f64 = 30.0;

/// Two values for each row, between 0 and 1, joined by a line.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// What the numbers are.
    pub x_label: String,
    /// The names of the two.
    pub names: [String; 2],
    /// Name of each row, and its values; what is no number is left out.
    pub rows: Vec<(String, [f64; 2])>,
}

impl Comparison {
    pub(super) fn height(&self) -> u32 {
        (self.rows.len() as f64 * ROW) as u32 + 80
    }

    pub(super) fn draw(&self, canvas: &mut Canvas) {
        let widest = self.rows.iter().map(|(name, _)| text_width(name)).fold(0.0, f64::max);
        let names = widest.min(canvas.width * 0.45);
        let plot = Plot {
            left: names + 16.0,
            top: 34.0,
            right: canvas.width - 20.0,
            bottom: canvas.height - 42.0,
        };
        let x = Axis::unit(&self.x_label);
        let colors = categorical(2);
        let mut at = 8.0;
        for (name, &color) in self.names.iter().zip(&colors) {
            canvas.circle((at + 5.0, 14.0), 5.0, color);
            canvas.text(name, (at + 16.0, 14.0), Anchor::Start, INK);
            at += text_width(name) + 36.0;
        }
        for (at, text) in x.ticks(6) {
            canvas.path(&[(plot.x(at), plot.top), (plot.x(at), plot.bottom)], GRID, 1.0);
            canvas.text(&text, (plot.x(at), plot.bottom + 13.0), Anchor::Middle, FAINT);
        }
        let middle = f64::midpoint(plot.left, plot.right);
        canvas.text(&self.x_label, (middle, plot.bottom + 31.0), Anchor::Middle, INK);
        for (k, (name, values)) in self.rows.iter().enumerate() {
            let height = plot.top + ROW * (k as f64 + 0.5);
            let name = fitted(name, names + 2.0);
            canvas.text(&name, (plot.left - 8.0, height), Anchor::End, INK);
            let [before, after] = values.map(|value| x.place(value).map(|at| plot.x(at)));
            if let (Some(before), Some(after)) = (before, after) {
                canvas.path(&[(before, height), (after, height)], FAINT, 2.0);
            }
            for (place, &color) in [before, after].iter().zip(&colors) {
                if let Some(place) = *place {
                    canvas.circle((place, height), 5.0, color);
                }
            }
        }
    }
}
