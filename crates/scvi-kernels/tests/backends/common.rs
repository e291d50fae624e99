//! Random inputs, parameters with every kind of sink, and how results are compared.

use scvi_kernels::ops::adam::AdamRule;
use scvi_kernels::{Backend, CsrRows, GradSink, Philox, Real};

/// What an operation wrote, by name.
pub type Results = Vec<(&'static str, Vec<f64>)>;

/// Allowed deviation, relative to the norm of a result. In f32 sums take the numbers in another order
/// than the reference, and elementary functions are of a few ulp.
pub const DOUBLE: f64 = 1e-10;
/// See [`DOUBLE`].
pub const SINGLE: f64 = 5e-5;

/// Runs an operation on the processor and on the reference, in both number types.
macro_rules! hold_to_reference {
    ($op:ident, $($argument:expr),*) => {{
        use scvi_kernels::{Cpu, Reference};
        let double = [
            $op(&Cpu::<f64>::new(), $($argument),*),
            $op(&Reference::<f64>::new(), $($argument),*),
        ];
        $crate::common::compare(stringify!($op), double, $crate::common::DOUBLE);
        let single = [
            $op(&Cpu::<f32>::new(), $($argument),*),
            $op(&Reference::<f32>::new(), $($argument),*),
        ];
        $crate::common::compare(stringify!($op), single, $crate::common::SINGLE);
    }};
}

/// A vanishing result is measured against numbers of this size: those that it is a difference of.
const FLOOR: f64 = 0.1;

pub fn compare(operation: &str, [got, want]: [Results; 2], allowed: f64) {
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    assert!(!want.is_empty() && got.len() == want.len(), "{operation}");
    for ((name, got), (_, want)) in got.iter().zip(&want) {
        assert_eq!(got.len(), want.len(), "{operation}: {name}");
        let floor = FLOOR * (want.len() as f64).sqrt();
        let found = norm(&mut got.iter().zip(want).map(|(g, w)| g - w));
        let allowed = allowed * norm(&mut want.iter().copied()).max(floor);
        assert!(found <= allowed, "{operation}: {name} is off by {found:.1e}, not {allowed:.1e}");
    }
}

/// Numbers behind those that an operation needs.
const TAIL: usize = 5;

/// Inputs drawn from a seed, in the memory of a backend: the same numbers for each.
pub struct Case<'a, B> {
    pub b: &'a B,
    philox: Philox,
    drawn: u32,
}

impl<'a, B: Backend> Case<'a, B> {
    pub fn new(b: &'a B, seed: u64) -> Self {
        Self { b, philox: Philox::new(seed), drawn: 0 }
    }

    /// A number in `[low, high)`.
    pub fn within(&mut self, low: f64, high: f64) -> f64 {
        self.drawn += 1;
        low + (high - low) * self.philox.uniform(0, 0, self.drawn, 0)
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.within(0.0, n as f64) as usize
    }

    pub fn coin(&mut self) -> bool {
        self.below(2) == 1
    }

    pub fn normals(&mut self, n: usize) -> Vec<f64> {
        let mut one = || {
            self.drawn += 1;
            self.philox.normal_pair(1, 0, self.drawn, 0)[0]
        };
        (0..n).map(|_| one()).collect()
    }

    /// A buffer that begins with these numbers.
    pub fn buf(&self, values: &[f64]) -> B::Buf {
        let mut buf = self.b.zeros(values.len() + TAIL);
        let values: Vec<B::Elem> = values.iter().map(|&v| B::Elem::of(v)).collect();
        self.b.upload(&mut buf, &values);
        buf
    }

    /// Standard normal numbers.
    pub fn normal(&mut self, n: usize) -> B::Buf {
        let values = self.normals(n);
        self.buf(&values)
    }

    /// Positive numbers, as variances are.
    pub fn positive(&mut self, n: usize) -> B::Buf {
        let values: Vec<f64> = self.normals(n).iter().map(|v| 0.1 + v * v).collect();
        self.buf(&values)
    }

    /// What an operation writes: it must not read what was there.
    pub fn out(&self, n: usize) -> B::Buf {
        self.buf(&vec![f64::NAN; n])
    }

    /// Row numbers below `rows`.
    pub fn ids(&mut self, n: usize, rows: usize) -> B::Ids {
        let values: Vec<u32> = (0..n).map(|_| self.below(rows) as u32).collect();
        let mut ids = self.b.ids(n);
        self.b.upload_ids(&mut ids, &values);
        ids
    }

    /// Counts from 1 to 300, small ones more often than large ones; every cell has one.
    pub fn rows(&mut self, cells: usize, genes: usize, density: f64) -> CsrRows {
        let mut rows = CsrRows::default();
        rows.clear();
        for _ in 0..cells {
            let sure = self.below(genes);
            let is_there = |g: &usize| *g == sure || self.within(0.0, 1.0) < density;
            let present: Vec<u32> = (0..genes).filter(is_there).map(|g| g as u32).collect();
            let count = |_: &u32| 300f64.powf(self.within(0.0, 1.0)).round() as f32;
            let counts: Vec<f32> = present.iter().map(count).collect();
            rows.push(&present, &counts);
        }
        rows
    }

    pub fn counts(&mut self, cells: usize, genes: usize, density: f64) -> B::Counts {
        let (log, rows) = (self.coin(), self.rows(cells, genes, density));
        let mut counts = self.b.counts([cells + 3, rows.counts.len() + 3, genes], true);
        self.b.load_counts(&mut counts, &rows, log);
        counts
    }

    /// The front of a buffer and what lies behind.
    pub fn read(&self, buf: &B::Buf, n: usize) -> Vec<f64> {
        self.b.download(buf, n + TAIL).iter().map(|v| v.to_f64()).collect()
    }

    /// A parameter with a random place for its gradient.
    pub fn parameter(&mut self, values: &[f64]) -> Parameter<B> {
        let mode = self.below(5);
        let mask: Vec<f64> = values.iter().map(|_| self.below(2) as f64).collect();
        let grad = self.normals(values.len());
        let m = self.normal(values.len());
        let v = self.positive(values.len());
        let (value, grad, mask) = (self.buf(values), self.buf(&grad), self.buf(&mask));
        Parameter { mode, len: values.len(), value, grad, m, v, mask }
    }

    pub fn random_parameter(&mut self, n: usize) -> Parameter<B> {
        let values = self.normals(n);
        self.parameter(&values)
    }

    /// All that an operation may have changed of a parameter.
    pub fn read_parameter(&self, p: &Parameter<B>) -> Vec<f64> {
        [&p.value, &p.grad, &p.m, &p.v].map(|buf| self.read(buf, p.len)).concat()
    }
}

/// A parameter and what a sink may want of it.
pub struct Parameter<B: Backend> {
    mode: usize,
    pub len: usize,
    pub value: B::Buf,
    pub grad: B::Buf,
    pub m: B::Buf,
    pub v: B::Buf,
    pub mask: B::Buf,
}

impl<B: Backend> Parameter<B> {
    pub fn sink(&mut self) -> GradSink<'_, B> {
        let Self { mode, value, grad, m, v, mask, .. } = self;
        let rule = AdamRule { lr: 0.05, weight_decay: 0.1, ..AdamRule::default() };
        match mode {
            0 => GradSink::Frozen { value },
            1 => GradSink::Store { value, grad },
            2 => GradSink::Accumulate { value, grad },
            3 => GradSink::Adam { value, m, v, step: rule.at_step(3) },
            _ => GradSink::AdamWhere { value, m, v, step: rule.decoupled_at_step(3), mask },
        }
    }
}
