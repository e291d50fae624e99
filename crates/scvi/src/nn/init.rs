//! torch's default initialisation, from counter-based noise.

use scvi_kernels::{Philox, Real, Stream};

/// Draws initial weights; each parameter takes the next number of `draw`.
pub(crate) struct Init {
    philox: Philox,
    next: u32,
}

impl Init {
    pub(crate) fn new(seed: u64) -> Self {
        Self { philox: Philox::new(seed), next: 0 }
    }

    fn draw(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    /// U(-1/√fan_in, 1/√fan_in), as `torch.nn.Linear` draws weight and bias (Kaiming's uniform
    /// rule with a = √5).
    pub(crate) fn linear<F: Real>(&mut self, len: usize, fan_in: usize) -> Vec<F> {
        let (draw, bound) = (self.draw(), 1.0 / (fan_in as f64).sqrt());
        let uniform = |i| self.philox.uniform(Stream::Init as u32, draw, i as u32, 0);
        (0..len).map(|i| F::of((2.0 * uniform(i) - 1.0) * bound)).collect()
    }

    /// N(0, 1), as `torch.randn`.
    pub(crate) fn normal<F: Real>(&mut self, len: usize) -> Vec<F> {
        let draw = self.draw();
        let pair = |i| self.philox.normal_pair(Stream::Init as u32, draw, i as u32, 0);
        (0..len.div_ceil(2)).flat_map(pair).take(len).map(F::of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_weights_fill_their_interval() {
        let mut init = Init::new(1);
        let w: Vec<f64> = init.linear(20_000, 25);
        assert!(w.iter().all(|v| v.abs() <= 0.2));
        let variance = w.iter().map(|v| v * v).sum::<f64>() / w.len() as f64;
        assert!((variance - 0.04 / 3.0).abs() < 4e-4);
        assert_ne!(w, init.linear::<f64>(20_000, 25));
        assert_eq!(w, Init::new(1).linear::<f64>(20_000, 25));
    }
}
