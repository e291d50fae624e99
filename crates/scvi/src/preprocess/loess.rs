//! Local regression of degree 2 on one variable, as `loess` of Cleveland's `dloess` computes it.
//!
//! At some vertices a parabola is fitted to the nearest share `span` of all points, by weights
//! (1 - (d/h)³)³ with h the distance of the farthest of them; between two vertices the fit is the
//! cubic that has their values and slopes.
//!
//! Source: Cleveland and Grosse 1991, "Computational methods for local regression"; netlib `dloess`
//! (`ehg126`, `ehg129`, `ehg127`), which scikit-misc calls with its defaults.

/// A cell of at most this share of a neighbourhood is not divided.
const CELL: f64 = 0.2;
/// How far the outermost vertices lie beyond the points, as a share of their range.
const MARGIN: f64 = 0.005;
/// Points this near the edge of a neighbourhood have no weight, and so near its centre full weight.
const EDGE: f64 = 0.999;
const CENTRE: f64 = 0.001;

/// The fit at every point.
///
/// # Panics
/// If there are fewer than 3 points in a neighbourhood.
pub(super) fn loess(x: &[f64], y: &[f64], span: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..x.len()).collect();
    order.sort_by(|&a, &b| x[a].total_cmp(&x[b]));
    let sorted = |of: &[f64]| order.iter().map(|&i| of[i]).collect::<Vec<_>>();
    let (xs, ys) = (sorted(x), sorted(y));
    let n = xs.len();
    let q = (n as f64 * span + 1e-5).floor() as usize;
    assert!(q >= 3, "{q} points in a neighbourhood");
    let vertices = vertices(&xs, (n as f64 * span * CELL).floor() as usize);
    let fits: Vec<[f64; 2]> = vertices.iter().map(|&v| parabola(&xs, &ys, v, q.min(n))).collect();
    let mut fitted = vec![0.0; n];
    for (&i, &x) in order.iter().zip(&xs) {
        let k = vertices.partition_point(|&v| v <= x).clamp(1, vertices.len() - 1);
        fitted[i] = between([vertices[k - 1], vertices[k]], [fits[k - 1], fits[k]], x);
    }
    fitted
}

/// Where parabolas are fitted, in rising order: halves of halves of the points.
fn vertices(xs: &[f64], most: usize) -> Vec<f64> {
    let (low, high) = (xs[0], xs[xs.len() - 1]);
    let least = low.abs().max(high.abs()) * 1e-3 + 1e-30;
    let margin = (high - low).max(least) * MARGIN;
    let mut vertices = vec![low - margin, high + margin];
    let mut cells = vec![(0, xs.len())];
    while let Some((start, end)) = cells.pop() {
        if end - start <= most.max(1) {
            continue;
        }
        let middle = (start + end - 1) / 2;
        let cut = xs[middle];
        if vertices.contains(&cut) {
            continue;
        }
        vertices.push(cut);
        cells.extend([(start, middle + 1), (middle + 1, end)]);
    }
    vertices.sort_by(f64::total_cmp);
    vertices
}

/// Value and slope at `at` of the parabola through its `q` nearest points.
fn parabola(xs: &[f64], ys: &[f64], at: f64, q: usize) -> [f64; 2] {
    let start = nearest(xs, at, q);
    let (xs, ys) = (&xs[start..start + q], &ys[start..start + q]);
    let h = (at - xs[0]).abs().max((xs[q - 1] - at).abs());
    // Normal equations in d/h, so that they are well conditioned: powers 0 to 4, and with y 0 to 2.
    let (mut powers, mut moments) = ([0.0; 5], [0.0; 3]);
    for (&x, &y) in xs.iter().zip(ys) {
        let d = if h > 0.0 { (x - at) / h } else { 0.0 };
        let r = d.abs();
        let weight = match r {
            _ if r >= EDGE => continue,
            _ if r <= CENTRE => 1.0,
            _ => (1.0 - r * r * r).powi(3),
        };
        let mut power = weight;
        for (k, sum) in powers.iter_mut().enumerate() {
            *sum += power;
            if let Some(moment) = moments.get_mut(k) {
                *moment += power * y;
            }
            power *= d;
        }
    }
    let [value, slope, _] = solve(powers, moments);
    [value, if h > 0.0 { slope / h } else { 0.0 }]
}

/// Where the `q` points nearest to `at` begin.
fn nearest(xs: &[f64], at: f64, q: usize) -> usize {
    let (mut low, mut high) = (0, xs.len() - q);
    while low < high {
        let start = (low + high) / 2;
        // Whether the point after these is nearer than the first of them.
        if xs[start + q] - at < at - xs[start] {
            low = start + 1;
        } else {
            high = start;
        }
    }
    low
}

/// The coefficients of least squares, by Gauss's elimination with the largest pivot; those that
/// points of one x leave open are 0.
fn solve(powers: [f64; 5], moments: [f64; 3]) -> [f64; 3] {
    let mut rows: Vec<[f64; 4]> =
        (0..3).map(|i| [powers[i], powers[i + 1], powers[i + 2], moments[i]]).collect();
    let negligible = 1e-12 * powers[0];
    for column in 0..3 {
        let Some(pivot) =
            (column..3).max_by(|&a, &b| rows[a][column].abs().total_cmp(&rows[b][column].abs()))
        else {
            continue;
        };
        rows.swap(column, pivot);
        if rows[column][column].abs() <= negligible {
            rows[column] = [0.0; 4];
            rows[column][column] = 1.0;
        }
        let from = rows[column];
        for row in &mut rows[column + 1..] {
            let factor = row[column] / from[column];
            row.iter_mut().zip(from).for_each(|(value, from)| *value -= factor * from);
        }
    }
    let mut solution = [0.0; 3];
    for i in (0..3).rev() {
        let known: f64 = (i + 1..3).map(|j| rows[i][j] * solution[j]).sum();
        solution[i] = (rows[i][3] - known) / rows[i][i];
    }
    solution
}

/// The cubic with the values and slopes of two vertices.
fn between([low, high]: [f64; 2], [a, b]: [[f64; 2]; 2], x: f64) -> f64 {
    let h = high - low;
    let t = (x - low) / h;
    let s = 1.0 - t;
    (1.0 + 2.0 * t) * s * s * a[0] + t * s * s * h * a[1] + t * t * (3.0 - 2.0 * t) * b[0]
        - t * t * s * h * b[1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parabola_is_its_own_fit() {
        let x: Vec<f64> = (0..200).map(|i| (i * 37 % 200) as f64 / 50.0 - 1.0).collect();
        let f = |x: f64| 0.5 - 2.0 * x + 0.75 * x * x;
        let y: Vec<f64> = x.iter().map(|&x| f(x)).collect();
        for (x, fitted) in x.iter().zip(loess(&x, &y, 0.3)) {
            assert!((fitted - f(*x)).abs() < 1e-9, "{fitted} at {x}");
        }
    }

    /// skmisc.loess.loess(x, y, span=0.3, degree=2) of the same points (scikit-misc 0.5).
    #[test]
    fn noise_is_smoothed_as_dloess_smooths_it() {
        let x: Vec<f64> = (0..100).map(|i| f64::from(i * i) / 1000.0).collect();
        let y: Vec<f64> = (0..100).map(|i| f64::from(i * 7919 % 101) / 50.0 - 1.0).collect();
        let fitted = loess(&x, &y, 0.3);
        for (i, want) in WANT {
            assert!((fitted[i] - want).abs() < 1e-6, "point {i}: {}, not {want}", fitted[i]);
        }
    }

    #[test]
    fn points_of_one_x_do_not_divide_by_zero() {
        let fitted = loess(&[1.0; 20], &[2.0; 20], 0.3);
        assert!(fitted.iter().all(|v| (v - 2.0).abs() < 1e-9), "{fitted:?}");
    }

    const WANT: [(usize, f64); 9] = [
        (0, -0.213970),
        (1, -0.212713),
        (10, -0.103892),
        (25, 0.116416),
        (50, 0.005593),
        (75, -0.132051),
        (90, 0.086196),
        (98, 0.032253),
        (99, 0.004645),
    ];
}
