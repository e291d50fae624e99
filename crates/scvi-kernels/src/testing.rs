//! What the tests of the operations share: random inputs, finite differences, sinks, pools.

use crate::ops::adam::AdamRule;
use crate::{Aligned, CACHE_LINE, Cpu, CsrRows, GradSink, Philox, Real};

/// Random inputs of a test, the same ones every time.
pub(crate) struct Draw {
    philox: Philox,
    drawn: u32,
}

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self { philox: Philox::new(seed), drawn: 0 }
    }

    /// A number in `[low, high)`.
    pub(crate) fn within(&mut self, low: f64, high: f64) -> f64 {
        self.drawn += 1;
        low + (high - low) * self.philox.uniform(0, 0, self.drawn, 0)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.within(0.0, n as f64) as usize
    }

    /// Standard normal numbers.
    pub(crate) fn normal(&mut self, n: usize) -> Vec<f64> {
        let mut one = || {
            self.drawn += 1;
            self.philox.normal_pair(1, 0, self.drawn, 0)[0]
        };
        (0..n).map(|_| one()).collect()
    }

    /// Whole counts from 1 to `most`, small ones more often than large ones; every cell has one.
    pub(crate) fn counts(
        &mut self,
        cells: usize,
        genes: usize,
        density: f64,
        most: f64,
    ) -> CsrRows {
        let mut rows = CsrRows::default();
        rows.clear();
        for _ in 0..cells {
            let sure = self.below(genes);
            let genes: Vec<u32> = (0..genes)
                .filter(|&g| g == sure || self.within(0.0, 1.0) < density)
                .map(|g| g as u32)
                .collect();
            let count = |_: &u32| most.powf(self.within(0.0, 1.0)).round() as f32;
            let counts: Vec<f32> = genes.iter().map(count).collect();
            rows.push(&genes, &counts);
        }
        rows
    }
}

/// The rows as a dense matrix, `(cells, genes)`.
pub(crate) fn dense(rows: &CsrRows, genes: usize) -> Vec<f64> {
    let mut x = vec![0.0; rows.n_cells() * genes];
    for cell in 0..rows.n_cells() {
        for k in rows.indptr[cell]..rows.indptr[cell + 1] {
            x[cell * genes + rows.genes[k] as usize] = rows.counts[k] as f64;
        }
    }
    x
}

pub(crate) fn cast<F: Real>(values: &[f64]) -> Vec<F> {
    values.iter().map(|&v| F::of(v)).collect()
}

/// A backend's buffer of these numbers.
pub(crate) fn buf<F: Copy>(values: &[F]) -> Aligned<F> {
    Aligned::from_slice(CACHE_LINE, values)
}

/// A backend's buffer of one number over and over.
pub(crate) fn full<F: Copy>(len: usize, value: F) -> Aligned<F> {
    Aligned::from_iter(CACHE_LINE, std::iter::repeat_n(value, len))
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(crate) fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

/// ‖got - want‖ ≤ tolerance ‖want‖, and no number is NaN.
pub(crate) fn assert_near(name: &str, got: &[f64], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len(), "{name}");
    let difference: Vec<f64> = got.iter().zip(want).map(|(g, w)| g - w).collect();
    let (found, allowed) = (norm(&difference), tolerance * norm(want));
    assert!(found <= allowed, "{name}: off by {found:.2e}, allowed {allowed:.2e}");
}

/// Entries that are tried one by one; of longer gradients a random choice of so many.
const ENTRIES: usize = 16;

/// Holds `grad` against differences of `loss` at `x`: entry by entry, and along two random
/// directions, in which every entry takes part.
pub(crate) fn check_gradient(
    name: &str,
    x: &[f64],
    grad: &[f64],
    mut loss: impl FnMut(&[f64]) -> f64,
) {
    assert_eq!(x.len(), grad.len(), "{name}");
    let mut draw = Draw::new(x.len() as u64);
    let unit = |i: usize| (0..x.len()).map(|j| if i == j { 1.0 } else { 0.0 }).collect();
    let entries: Vec<usize> = match x.len() {
        n if n <= ENTRIES => (0..n).collect(),
        n => (0..ENTRIES).map(|_| draw.below(n)).collect(),
    };
    let mut directions: Vec<Vec<f64>> = entries.into_iter().map(unit).collect();
    directions.extend((0..2).map(|_| draw.normal(x.len())));
    let rounding = 1e-11 * (1.0 + loss(x).abs());
    for d in directions {
        let want = five_points(x, &d, &mut loss);
        let got = dot(grad, &d);
        let allowed = 1e-7 * norm(grad) + rounding * norm(&d);
        assert!((got - want).abs() <= allowed, "{name}: {got:e} for {want:e}, ±{allowed:.1e}");
    }
}

/// The derivative along `d`, by the five-point stencil: its error falls with the step's fourth
/// power, so that a long step can be taken and rounding stays out.
fn five_points(x: &[f64], d: &[f64], loss: &mut impl FnMut(&[f64]) -> f64) -> f64 {
    let step = 1e-3 / norm(d).max(1.0);
    let mut at = |k: f64| {
        let moved: Vec<f64> = x.iter().zip(d).map(|(x, d)| x + k * step * d).collect();
        loss(&moved)
    };
    (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / (12.0 * step)
}

/// What becomes of a gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Frozen,
    Store,
    Accumulate,
    Adam,
}

/// A parameter with all that a sink may want.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parameter<F> {
    pub(crate) value: Aligned<F>,
    pub(crate) grad: Aligned<F>,
    m: Aligned<F>,
    v: Aligned<F>,
}

impl<F: Real> Parameter<F> {
    /// With moments as they may be after some steps.
    pub(crate) fn new(values: &[f64]) -> Self {
        let mut draw = Draw::new(values.len() as u64);
        let square = |m: &f64| 0.1 + m * m;
        let m = draw.normal(values.len());
        let v: Vec<f64> = m.iter().map(square).collect();
        let [value, m, v] = [values, &m, &v].map(|values| buf(&cast(values)));
        Self { value, grad: full(values.len(), F::ZERO), m, v }
    }

    pub(crate) fn sink(&mut self, mode: Mode) -> GradSink<'_, Cpu<F>> {
        let Self { value, grad, m, v } = self;
        match mode {
            Mode::Frozen => GradSink::Frozen { value },
            Mode::Store => GradSink::Store { value, grad },
            Mode::Accumulate => GradSink::Accumulate { value, grad },
            Mode::Adam => GradSink::Adam { value, m, v, step: RULE.at_step(STEP) },
        }
    }
}

const RULE: AdamRule =
    AdamRule { lr: 0.05, beta1: 0.9, beta2: 0.999, eps: 0.01, weight_decay: 0.1 };
const STEP: u64 = 3;

/// Runs an operation in each mode: frozen parameters stay as they are, storing and accumulating touch
/// only gradients, and Adam gives bit by bit what its formula gives from the stored gradient. What
/// the operation returns is the same each time.
pub(crate) fn check_sinks(
    parameters: &[Parameter<f32>],
    run: impl Fn(&mut [Parameter<f32>], Mode) -> Vec<f32>,
) {
    let [(frozen, out), (stored, stored_out), (updated, updated_out)] =
        [Mode::Frozen, Mode::Store, Mode::Adam].map(|mode| {
            let mut parameters = parameters.to_vec();
            let out = run(&mut parameters, mode);
            (parameters, out)
        });
    assert_eq!(frozen, parameters, "frozen parameters moved");
    check_accumulates(parameters, &stored, &run);
    assert_eq!(bits(&out), bits(&stored_out), "storing changes a result");
    assert_eq!(bits(&out), bits(&updated_out), "Adam changes a result");
    for ((old, stored), updated) in parameters.iter().zip(&stored).zip(&updated) {
        assert!(stored.grad.iter().any(|&g| g != 0.0), "a gradient without a number");
        assert_eq!((&stored.value, &stored.m, &stored.v), (&old.value, &old.m, &old.v));
        let mut want = old.clone();
        by_formula(&mut want, &stored.grad);
        assert_eq!(bits(&updated.m), bits(&want.m), "first moment");
        assert_eq!(bits(&updated.v), bits(&want.v), "second moment");
        assert_eq!(bits(&updated.value), bits(&want.value), "value");
        assert_eq!(updated.grad, old.grad, "Adam keeps no gradient");
    }
}

/// An accumulated gradient is what the buffer held plus the stored gradient.
fn check_accumulates(
    parameters: &[Parameter<f32>],
    stored: &[Parameter<f32>],
    run: &impl Fn(&mut [Parameter<f32>], Mode) -> Vec<f32>,
) {
    let mut accumulated = parameters.to_vec();
    accumulated.iter_mut().for_each(|p| p.grad.fill(0.75));
    run(&mut accumulated, Mode::Accumulate);
    for (accumulated, stored) in accumulated.iter().zip(stored) {
        let want: Vec<f32> = stored.grad.iter().map(|g| 0.75 + g).collect();
        assert_eq!(bits(&accumulated.grad), bits(&want), "accumulated gradient");
        assert_eq!(accumulated.value, stored.value, "accumulating moved a parameter");
    }
}

/// [`crate::ops::adam`]'s formula, number by number.
fn by_formula(p: &mut Parameter<f32>, grad: &[f32]) {
    let s = RULE.at_step::<f32>(STEP);
    for (i, &g) in grad.iter().enumerate() {
        let g = s.weight_decay.mul_add(p.value[i], g);
        p.m[i] = s.beta1.mul_add(p.m[i], (1.0 - s.beta1) * g);
        p.v[i] = s.beta2.mul_add(p.v[i], (1.0 - s.beta2) * g * g);
        p.value[i] -= s.step_size * p.m[i] / p.v[i].sqrt().mul_add(s.inv_sqrt_bias2, s.eps);
    }
}

/// Numbers to be compared to the last bit.
pub(crate) fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

/// Runs `op` in pools of one, two and three threads, and wants bit-identical results.
pub(crate) fn same_in_every_pool(op: impl Fn() -> Vec<f32> + Sync) {
    let [one, two, three] = [1, 2, 3].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        bits(&pool.install(&op))
    });
    assert!(!one.is_empty());
    assert_eq!(one, two, "two threads");
    assert_eq!(one, three, "three threads");
}
