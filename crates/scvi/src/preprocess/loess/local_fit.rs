//! A parabola fitted near one place.

/// A column of the design this small beside its length is a combination of those before it.
const NEGLIGIBLE: f64 = 1e-12;

/// Value and slope at `at` of the parabola fitted to the `q` nearest points, `xs` in rising order.
///
/// Points have the weights (1 - (d/h)³)³, with h the distance of the farthest.
///
/// Source: netlib `dloess`, `ehg127`. Where the points of a neighbourhood have fewer than three
/// places, dloess complains; here the highest powers are left out.
pub(super) fn local_fit(xs: &[f64], ys: &[f64], at: f64, q: usize) -> [f64; 2] {
    let start = nearest(xs, at, q);
    let (xs, ys) = (&xs[start..start + q], &ys[start..start + q]);
    let h = (at - xs[0]).abs().max((xs[q - 1] - at).abs());
    if h == 0.0 {
        return [ys.iter().sum::<f64>() / q as f64, 0.0];
    }
    // Columns (q) of the weighted design, in d/h: powers 0 to 2.
    let mut columns = [vec![0.0; q], vec![0.0; q], vec![0.0; q]];
    let mut weighted = vec![0.0; q];
    for (i, (&x, &y)) in xs.iter().zip(ys).enumerate() {
        let d = (x - at) / h;
        let root = (1.0 - d.abs().powi(3)).powi(3).sqrt();
        for (power, column) in columns.iter_mut().enumerate() {
            column[i] = root * d.powi(power as i32);
        }
        weighted[i] = root * y;
    }
    let [value, slope, _] = least_squares(columns, weighted);
    [value, slope / h]
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

/// Coefficients of least squares, by the modified Gram-Schmidt process; 0 of a column that depends on
/// those before it.
fn least_squares(mut columns: [Vec<f64>; 3], mut y: Vec<f64>) -> [f64; 3] {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let remove = |from: &mut [f64], share: f64, direction: &[f64]| {
        from.iter_mut().zip(direction).for_each(|(value, d)| *value -= share * d);
    };
    let lengths: Vec<f64> = columns.iter().map(|c| dot(c, c).sqrt()).collect();
    // columns = Q R, rhs = Qᵀ y.
    let (mut r, mut rhs) = ([[0.0; 3]; 3], [0.0; 3]);
    for j in 0..3 {
        let length = dot(&columns[j], &columns[j]).sqrt();
        if length <= NEGLIGIBLE * lengths[j] {
            continue;
        }
        r[j][j] = length;
        columns[j].iter_mut().for_each(|value| *value /= length);
        let (done, rest) = columns.split_at_mut(j + 1);
        let direction = &done[j];
        for (k, column) in rest.iter_mut().enumerate() {
            r[j][j + 1 + k] = dot(direction, column);
            remove(column, r[j][j + 1 + k], direction);
        }
        rhs[j] = dot(direction, &y);
        remove(&mut y, rhs[j], direction);
    }
    let mut solution = [0.0; 3];
    for j in (0..3).rev().filter(|&j| r[j][j] > 0.0) {
        let known: f64 = (j + 1..3).map(|k| r[j][k] * solution[k]).sum();
        solution[j] = (rhs[j] - known) / r[j][j];
    }
    solution
}
