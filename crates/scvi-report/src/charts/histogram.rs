//! How often values occur.

use super::Axis;
use super::canvas::{Canvas, Plot};
use super::palette::categorical;

/// Bars over intervals of equal width, or of equal ratio.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// The values.
    pub x: Axis,
    /// What is counted.
    pub y_label: String,
    /// Values in each interval from the beginning of the axis to its end.
    pub counts: Vec<usize>,
}

impl Histogram {
    /// Of values over so many intervals; logarithmic where they span a factor of 10.
    pub fn of(x_label: &str, y_label: &str, values: &[f64], n_bins: usize) -> Self {
        let span = super::span(values.iter().copied());
        let is_log = span.start > 0.0 && span.end / span.start > 10.0;
        let axis = if is_log { Axis::log } else { Axis::linear };
        let x = axis(x_label.to_owned(), values.to_vec());
        let mut counts = vec![0; n_bins];
        for at in values.iter().filter_map(|&value| x.place(value)) {
            let bin = (at * n_bins as f64) as usize;
            counts[bin.min(n_bins - 1)] += 1;
        }
        Self { x, y_label: y_label.to_owned(), counts }
    }

    pub(super) fn draw(&self, canvas: &mut Canvas) {
        let y = Axis::from_zero(&self.y_label, self.counts.iter().map(|&n| n as f64));
        let plot = Plot::of(canvas, &y);
        canvas.axes(plot, &self.x, &y);
        let color = categorical(1)[0];
        let n_bins = self.counts.len() as f64;
        for (bin, &n) in self.counts.iter().enumerate().filter(|(_, n)| **n > 0) {
            let [left, right] = [bin, bin + 1].map(|edge| plot.x(edge as f64 / n_bins));
            let top = plot.y(y.place(n as f64).unwrap_or(0.0));
            canvas.rectangle((left, top), (right - 1.0, plot.bottom), color);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_counted_once() {
        let values = [1.0, 2.0, 2.0, 500.0, 1000.0];
        let histogram = Histogram::of("counts", "cells", &values, 10);
        assert!(histogram.x.is_log);
        assert_eq!(histogram.counts.iter().sum::<usize>(), values.len());
        let same = Histogram::of("counts", "cells", &[3.0; 4], 10);
        assert_eq!(same.counts.iter().sum::<usize>(), 4);
    }
}
