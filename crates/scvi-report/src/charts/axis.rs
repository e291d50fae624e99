//! Axes: what part of the numbers is shown, and where ticks stand.

use std::ops::Range;

use crate::number::shown;

/// Coordinates beyond these are drawn at the edge.
const LIMIT: f64 = 1e30;

/// What part of the numbers is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// What the numbers are.
    pub label: String,
    /// From where to where; both above zero if logarithmic.
    pub range: Range<f64>,
    /// Whether distances are ratios.
    pub is_log: bool,
}

impl Axis {
    /// Over all of these values, with a little space around them.
    pub fn linear(label: impl Into<String>, values: impl IntoIterator<Item = f64>) -> Self {
        let Range { start, end } = span(values);
        let space = (end - start) * 0.04;
        Self { label: label.into(), range: start - space..end + space, is_log: false }
    }

    /// Over those of these values that are above zero.
    pub fn log(label: impl Into<String>, values: impl IntoIterator<Item = f64>) -> Self {
        let logs = values.into_iter().filter(|&v| v > 0.0);
        let logs = logs.map(|v| v.log10().clamp(-LIMIT.log10(), LIMIT.log10()));
        let Range { start, end } = span(logs);
        let space = (end - start) * 0.04;
        let range = 10f64.powf(start - space)..10f64.powf(end + space);
        Self { label: label.into(), range, is_log: true }
    }

    /// From zero to the largest of these values.
    pub fn from_zero(label: impl Into<String>, values: impl IntoIterator<Item = f64>) -> Self {
        let Range { end, .. } = span(values.into_iter().chain([0.0]));
        let end = if end > 0.0 { end * 1.04 } else { 1.0 };
        Self { label: label.into(), range: 0.0..end, is_log: false }
    }

    /// From 0 to 1.
    pub fn unit(label: impl Into<String>) -> Self {
        Self { label: label.into(), range: 0.0..1.0, is_log: false }
    }

    /// Where a value stands, 0 at the beginning and 1 at the end; none for what has no place.
    pub fn place(&self, value: f64) -> Option<f64> {
        let Range { start, end } = self.range;
        let at = match self.is_log {
            true if value <= 0.0 => return None,
            true => (value.ln() - start.ln()) / (end.ln() - start.ln()),
            false => (value - start) / (end - start),
        };
        at.is_finite().then_some(at)
    }

    /// Places of round numbers, about `n`, and how they are written.
    pub fn ticks(&self, n: usize) -> Vec<(f64, String)> {
        let Range { start, end } = self.range;
        let values = match self.is_log {
            true if end / start >= 10.0 => powers(start, end, n),
            _ => multiples(start, end, n),
        };
        let placed = values.into_iter().filter_map(|value| {
            let at = self.place(value).filter(|at| (0.0..=1.0).contains(at))?;
            Some((at, tick(value)))
        });
        placed.collect()
    }
}

/// Multiples of 1, 2 or 5 times a power of ten.
fn multiples(start: f64, end: f64, n: usize) -> Vec<f64> {
    let width = (end - start) / n as f64;
    let power = 10f64.powf(width.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|f| f * power >= width).unwrap_or(10.0);
    let step = factor * power;
    let first = (start / step).ceil();
    // More than twice as many there cannot be, whatever is rounded.
    let n_steps = ((end / step).floor() - first).clamp(0.0, 2.0 * n as f64) as usize;
    (0..=n_steps).map(|k| (first + k as f64) * step).collect()
}

/// Powers of ten, not each of them where there are many.
fn powers(start: f64, end: f64, n: usize) -> Vec<f64> {
    let (first, last) = (start.log10().ceil() as i32, end.log10().floor() as i32);
    let step = (last - first).max(0) as usize / n.max(1) + 1;
    (first..=last).step_by(step).map(|power| 10f64.powi(power)).collect()
}

/// A round number without the zeros that [`shown`] keeps.
fn tick(value: f64) -> String {
    let text = shown(value);
    match text.contains('.') && !text.contains('e') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// The smallest and the largest of these values, never the same, whatever they are.
pub fn span(values: impl IntoIterator<Item = f64>) -> Range<f64> {
    let finite = values.into_iter().filter(|v| v.is_finite()).map(|v| v.clamp(-LIMIT, LIMIT));
    let (low, high) =
        finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if low > high {
        return 0.0..1.0;
    }
    // Narrower than that the ticks of two neighbors would read the same.
    let least = low.abs().max(high.abs()).max(1e-9) * 1e-6;
    let space = low.abs().max(high.abs()).max(1e-9) * 0.1;
    match high - low < least {
        true => low - space..high + space,
        false => low..high,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ticks_are_round_numbers_within() {
        let ticks = Axis { label: String::new(), range: 0.0..1.0, is_log: false }.ticks(6);
        let texts: Vec<&str> = ticks.iter().map(|(_, text)| &text[..]).collect();
        assert_eq!(texts, ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        let ticks = Axis { label: String::new(), range: 0.5..2000.0, is_log: true }.ticks(4);
        let texts: Vec<&str> = ticks.iter().map(|(_, text)| &text[..]).collect();
        assert_eq!(texts, ["1", "10", "100", "1,000"]);
    }

    proptest! {
        #[test]
        fn any_numbers_have_an_axis(values in prop::collection::vec(any::<f64>(), 0..5)) {
            for axis in [
                Axis::linear("", values.clone()),
                Axis::log("", values.clone()),
                Axis::from_zero("", values.clone()),
            ] {
                prop_assert!(axis.range.start < axis.range.end, "{axis:?}");
                prop_assert!(axis.ticks(6).len() <= 20, "{axis:?}: {:?}", axis.ticks(6));
                for (at, _) in axis.ticks(6) {
                    prop_assert!((0.0..=1.0).contains(&at));
                }
            }
        }
    }
}
