//! Values by epoch.

use super::Axis;
use super::canvas::{Anchor, Canvas, INK, Plot, text_width};
use super::palette::categorical;

/// Lines over a common axis.
#[derive(Debug, Clone)]
pub struct LineChart {
    /// What x is.
    pub x_label: String,
    /// What the values are.
    pub y_label: String,
    /// `(points)`, rising.
    pub x: Vec<f64>,
    /// The lines.
    pub series: Vec<Series>,
}

/// One line.
#[derive(Debug, Clone)]
pub struct Series {
    /// Its name.
    pub name: String,
    /// `(points)`; none where nothing was recorded.
    pub values: Vec<Option<f64>>,
}

impl LineChart {
    pub(super) fn draw(&self, canvas: &mut Canvas) {
        let values = self.series.iter().flat_map(|s| s.values.iter().flatten().copied());
        let y = Axis::linear(&self.y_label, values);
        let mut x = Axis::linear(&self.x_label, self.x.iter().copied());
        if let (Some(&first), Some(&last)) = (self.x.first(), self.x.last())
            && first < last
        {
            x.range = first..last;
        }
        let mut plot = Plot::of(canvas, &y);
        if self.series.len() > 1 {
            plot.top += 18.0;
        }
        canvas.axes(plot, &x, &y);
        let colors = categorical(self.series.len());
        let mut at = plot.left;
        for (series, &color) in self.series.iter().zip(&colors) {
            let known = self.x.iter().zip(&series.values).filter_map(|(&at, value)| {
                Some((plot.x(x.place(at)?), plot.y(y.place((*value)?)?)))
            });
            let points: Vec<_> = known.collect();
            match points[..] {
                [point] => canvas.circle(point, 3.0, color),
                _ => canvas.path(&points, color, 2.0),
            }
            if self.series.len() > 1 {
                canvas.path(&[(at, 28.0), (at + 18.0, 28.0)], color, 3.0);
                canvas.text(&series.name, (at + 24.0, 28.0), Anchor::Start, INK);
                at += text_width(&series.name) + 44.0;
            }
        }
    }
}
