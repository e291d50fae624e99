use super::RepeatDims;
use crate::testing::{Draw, buf, check_gradient, dot, full};
use crate::{Aligned, Cpu, LabelOps};

fn forward(x: &[f64], d: RepeatDims) -> Aligned<f64> {
    // A buffer may be longer than a call needs: the rest is not touched.
    let mut y = full(d.rows * d.times * d.width + 1, 9.0);
    Cpu::new().repeat_rows(&buf(x), &mut y, d);
    assert_eq!(y.pop(), Some(9.0));
    y
}

#[test]
fn the_copies_of_a_row_stand_together() {
    let y = forward(&[1.0, 2.0, 3.0, 4.0], RepeatDims { rows: 2, times: 3, width: 2 });
    assert_eq!(y[..], [1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 3.0, 4.0, 3.0, 4.0, 3.0, 4.0]);
}

#[test]
fn the_gradient_joins_what_is_there() {
    for (rows, times, width) in [(1, 1, 1), (2, 3, 5), (7, 1, 4), (13, 10, 3)] {
        let (d, mut draw) = (RepeatDims { rows, times, width }, Draw::new(times as u64));
        let (x, dy, before) = (
            draw.normal(rows * width),
            draw.normal(rows * times * width),
            draw.normal(rows * width),
        );
        let mut dx = buf(&before);
        Cpu::new().repeat_rows_grad(&buf(&dy), &mut dx, d);
        let loss = |x: &[f64]| dot(&dy, &forward(x, d)) + dot(&before, x);
        check_gradient(&format!("{d:?}"), &x, &dx, loss);
    }
}
