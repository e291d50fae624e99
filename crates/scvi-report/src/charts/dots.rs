//! A circle for each group and gene.

use super::canvas::{Anchor, Canvas, FAINT, INK, fitted, text_width};
use super::palette::ramp;
use crate::number::shown;

const ROW: f64 = 20.0;
const LARGEST: f64 = 8.0;

/// A circle for each row (gene) and column (group of cells): its area a share, its color a value.
#[derive(Debug, Clone)]
pub struct DotPlot {
    /// Names of the rows.
    pub rows: Vec<String>,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// What the areas are, and what the colors.
    pub labels: [String; 2],
    /// `(rows, columns)`: between 0 and 1.
    pub sizes: Vec<f64>,
    /// `(rows, columns)`
    pub values: Vec<f64>,
}

impl DotPlot {
    /// Pixels that the names of the columns take.
    fn head(&self) -> f64 {
        self.columns.iter().map(|name| text_width(name)).fold(0.0, f64::max).min(160.0) + 12.0
    }

    pub(super) fn height(&self) -> u32 {
        (self.head() + self.rows.len() as f64 * ROW + 76.0) as u32
    }

    pub(super) fn draw(&self, canvas: &mut Canvas) {
        let names = self.rows.iter().map(|name| text_width(name)).fold(0.0, f64::max);
        let left = names.min(canvas.width * 0.35) + 16.0;
        let n_columns = self.columns.len().max(1) as f64;
        let step = ((canvas.width - left - 8.0) / n_columns).min(44.0);
        let radius = (step / 2.0 - 0.5).clamp(1.5, LARGEST);
        let head = self.head();
        for (k, name) in self.columns.iter().enumerate() {
            let at = (left + step * (k as f64 + 0.5), head - 6.0);
            canvas.text(&fitted(name, head - 8.0), at, Anchor::StartUpwards, INK);
        }
        let range = super::span(self.values.iter().copied());
        let colored = |value: f64| ramp((value - range.start) / (range.end - range.start));
        for (row, name) in self.rows.iter().enumerate() {
            let height = head + ROW * (row as f64 + 0.5);
            let name = fitted(name, left - 14.0);
            canvas.text(&name, (left - 8.0, height), Anchor::End, INK);
            for column in 0..self.columns.len() {
                let k = row * self.columns.len() + column;
                let size = self.sizes[k].clamp(0.0, 1.0).sqrt() * radius;
                if size > 0.0 {
                    let at = (left + step * (column as f64 + 0.5), height);
                    canvas.circle(at, size, colored(self.values[k]));
                }
            }
        }
        self.legend(canvas, radius, [range.start, range.end])
    }

    fn legend(&self, canvas: &mut Canvas, radius: f64, [low, high]: [f64; 2]) {
        let (mut at, height) = (12.0, canvas.height - 44.0);
        for share in [0.1, 0.5, 1.0_f64] {
            canvas.circle((at, height), share.sqrt() * radius, FAINT);
            let text = format!("{:.0} %", share * 100.0);
            canvas.text(&text, (at + 12.0, height), Anchor::Start, INK);
            at += text_width(&text) + 34.0;
        }
        canvas.text(&self.labels[0], (at, height), Anchor::Start, FAINT);
        let height = height + 24.0;
        let low = shown(low);
        canvas.text(&low, (4.0, height), Anchor::Start, INK);
        let begin = text_width(&low) + 12.0;
        for k in 0..60 {
            let x = begin + f64::from(k) * 2.0;
            let color = ramp(f64::from(k) / 59.0);
            canvas.rectangle((x, height - 5.0), (x + 2.0, height + 5.0), color);
        }
        let text = format!("{}  {}", shown(high), self.labels[1]);
        canvas.text(&text, (begin + 128.0, height), Anchor::Start, INK)
    }
}
