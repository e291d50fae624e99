//! The cells between which a loess fit is interpolated.

/// A cell with at most this share of the points of a neighbourhood is not divided.
const CELL: f64 = 0.2;
/// Distance of the outermost vertices from the points, as a share of the points' range.
const MARGIN: f64 = 0.005;

/// Bounds of the cells in rising order: each cell is divided at its median until it holds few
/// points. `xs` is sorted.
///
/// Source: netlib `dloess`, `ehg126` (outermost vertices) and `ehg124` (division).
pub(super) fn vertices(xs: &[f64], span: f64) -> Vec<f64> {
    let most = (xs.len() as f64 * (span * CELL)).floor() as usize;
    let (low, high) = (xs[0], xs[xs.len() - 1]);
    let least = 1e-10 * low.abs().max(high.abs()) + 1e-30;
    let margin = MARGIN * (high - low).max(least);
    let mut vertices = vec![low - margin, high + margin];
    // Points and bounds of each cell that may yet be divided.
    let mut cells = vec![(0, xs.len(), [low - margin, high + margin])];
    while let Some((start, end, [lower, upper])) = cells.pop() {
        if end - start <= most {
            continue;
        }
        let last_below = division(&xs[start..end]) + start;
        let cut = xs[last_below];
        if cut == lower || cut == upper {
            continue;
        }
        vertices.push(cut);
        cells.push((start, last_below + 1, [lower, cut]));
        cells.push((last_below + 1, end, [cut, upper]));
    }
    vertices.sort_by(f64::total_cmp);
    vertices.dedup();
    vertices
}

/// The last of some sorted points that belongs to the lower half. Equal points are not separated: the
/// division nearest to the median is taken, and the median itself where the search meets an end.
fn division(xs: &[f64]) -> usize {
    // dloess numbers points from 1: its median of an even number is the lower one, and so is this.
    let middle = (xs.len() - 1) / 2;
    let mut offset = 0isize;
    loop {
        let at = match middle.checked_add_signed(offset) {
            Some(at) if at + 1 < xs.len() => at,
            _ => return middle,
        };
        if xs[at] != xs[at + 1] {
            return at;
        }
        // 0, 1, -1, 2, -2, ...
        offset = if offset > 0 { -offset } else { 1 - offset };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_points_are_not_separated() {
        assert_eq!(division(&[1.0, 2.0, 3.0, 4.0]), 1);
        assert_eq!(division(&[1.0, 2.0, 3.0, 4.0, 5.0]), 2);
        assert_eq!(division(&[1.0, 2.0, 2.0, 4.0]), 2);
        assert_eq!(division(&[1.0, 2.0, 2.0, 2.0, 2.0]), 2);
        assert_eq!(division(&[1.0, 1.0, 1.0, 1.0]), 1);
    }

    #[test]
    fn vertices_surround_the_points_and_rise() {
        let xs: Vec<f64> = (0..500).map(|i| f64::from(i / 7)).collect();
        let vertices = vertices(&xs, 0.3);
        assert!(vertices.windows(2).all(|pair| pair[0] < pair[1]), "{vertices:?}");
        assert!(vertices[0] < xs[0] && vertices[vertices.len() - 1] > xs[499]);
        assert!(vertices[1..vertices.len() - 1].iter().all(|v| xs.contains(v)), "{vertices:?}");
    }
}
