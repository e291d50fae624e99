//! Batch normalisation of a head's logits, gene by gene over the cells of its row. The formulas
//! are those of [`crate::ops::batch_norm`].

use super::lanes::{lane_dot, lane_sum};
use crate::backend::BatchNormEval;
use crate::cpu::Cpu;
use crate::ops::count_head::{HeadDims, HeadNorm, HeadNormSinks};
use crate::ops::{Rows, Sink, Split};
use crate::padded;
use crate::real::Real;

/// A normalisation as every part reads it.
#[derive(Clone, Copy)]
pub(super) enum Norm<'a, F> {
    /// by the moments of the minibatch
    Minibatch { gamma: &'a [F], beta: &'a [F], momentum: f64, eps: F },
    /// by the running moments
    Running { gamma: &'a [F], beta: &'a [F], mean: &'a [F], var: &'a [F], eps: F },
}

/// What a part of genes writes of a normalisation by the minibatch.
pub(super) struct Moments<'a, F> {
    mean: Rows<'a, F>,
    var: Rows<'a, F>,
    inv_std: Rows<'a, F>,
    normalised: Rows<'a, F>, // (genes, cells)
}

impl<'a, F: Real> Norm<'a, F> {
    /// Moments fall into parts of `part` genes.
    pub(super) fn new(
        norm: HeadNorm<'a, Cpu<F>>,
        part: usize,
        d: HeadDims,
    ) -> (Self, Option<Moments<'a, F>>) {
        match norm {
            HeadNorm::Eval(s) => {
                let BatchNormEval { gamma, beta, running_mean, running_var, eps } = s;
                let eps = F::of(eps);
                (Self::Running { gamma, beta, mean: running_mean, var: running_var, eps }, None)
            }
            HeadNorm::Train(s) => {
                let stride = padded(d.cells);
                let normalised = &mut s.normalised[..d.genes * stride];
                let moments = Moments {
                    mean: Rows::new(&mut s.running_mean[..d.genes], part),
                    var: Rows::new(&mut s.running_var[..d.genes], part),
                    inv_std: Rows::new(&mut s.inv_std[..d.genes], part),
                    normalised: Rows::new(normalised, part * stride),
                };
                let (gamma, beta, eps) = (&s.gamma[..], &s.beta[..], F::of(s.eps));
                (Self::Minibatch { gamma, beta, momentum: s.momentum, eps }, Some(moments))
            }
        }
    }

    /// Normalises the rows of the genes from `first` on, which is `local` within its part.
    #[inline(always)]
    pub(super) fn apply(
        self,
        rows: &mut [F], // (genes of the block, cells)
        first: usize,
        local: usize,
        moments: &mut Option<Moments<F>>,
        cells: usize,
    ) {
        for (k, row) in rows.chunks_exact_mut(padded(cells)).enumerate() {
            let g = first + k;
            match (self, &mut *moments) {
                (Self::Minibatch { gamma, beta, momentum, eps }, Some(moments)) => {
                    let hat = moments.normalise(row, local + k, cells, momentum, eps);
                    for (v, &hat) in row.iter_mut().zip(hat) {
                        *v = gamma[g].mul_add(hat, beta[g]);
                    }
                }
                (Self::Running { gamma, beta, mean, var, eps }, _) => {
                    let slope = gamma[g] / (var[g] + eps).sqrt();
                    let shift = beta[g] - slope * mean[g];
                    row.iter_mut().for_each(|v| *v = slope.mul_add(*v, shift));
                }
                (Self::Minibatch { .. }, None) => unreachable!("a minibatch has its moments"),
            }
        }
    }
}

impl<F: Real> Moments<'_, F> {
    /// x̂ of a gene's row, which is kept, and its running moments moved. Padding is 0.
    #[inline(always)]
    fn normalise(
        &mut self,
        row: &mut [F],
        gene: usize,
        cells: usize,
        momentum: f64,
        eps: F,
    ) -> &[F] {
        let hat = &mut self.normalised.data[gene * row.len()..][..row.len()];
        let n = F::of(cells as f64);
        row[cells..].fill(F::ZERO);
        let mean = lane_sum(row) / n;
        for (hat, &v) in hat.iter_mut().zip(&*row) {
            *hat = v - mean;
        }
        hat[cells..].fill(F::ZERO);
        let squares = lane_dot(hat, hat);
        let inv_std = F::ONE / (squares / n + eps).sqrt();
        hat.iter_mut().for_each(|hat| *hat *= inv_std);
        let (keep, take) = (F::of(1.0 - momentum), F::of(momentum));
        // One cell has no unbiased variance; it counts as none.
        let unbias = F::of(momentum / (cells as f64 - 1.0).max(1.0));
        self.mean.data[gene] = keep * self.mean.data[gene] + take * mean;
        self.var.data[gene] = keep * self.var.data[gene] + unbias * squares;
        self.inv_std.data[gene] = inv_std;
        hat
    }
}

impl<F: Real> Split for Moments<'_, F> {
    fn split(self, mid: usize) -> (Self, Self) {
        let (mean, mean2) = self.mean.split(mid);
        let (var, var2) = self.var.split(mid);
        let (inv_std, inv_std2) = self.inv_std.split(mid);
        let (normalised, normalised2) = self.normalised.split(mid);
        (
            Self { mean, var, inv_std, normalised },
            Self { mean: mean2, var: var2, inv_std: inv_std2, normalised: normalised2 },
        )
    }
}

/// A part's kept values of a normalisation, and where its gradients go.
pub(super) struct NormSinks<'a, F> {
    normalised: &'a [F], // (genes, cells)
    inv_std: &'a [F],    // (genes)
    gamma: Sink<'a, F>,
    beta: Sink<'a, F>,
    /// genes of a part
    part: usize,
}

impl<'a, F: Real> NormSinks<'a, F> {
    pub(super) fn new(sinks: HeadNormSinks<'a, Cpu<F>>, part: usize, d: HeadDims) -> Self {
        Self {
            normalised: &sinks.kept.normalised[..d.genes * padded(d.cells)],
            inv_std: &sinks.kept.inv_std[..d.genes],
            gamma: Sink::new(sinks.gamma, d.genes, part),
            beta: Sink::new(sinks.beta, d.genes, part),
            part,
        }
    }

    /// The gradient of y becomes that of what was normalised; padding is 0 before, and anything
    /// after. `d_gamma` and `d_beta` hold a number a gene of the block.
    #[inline(always)]
    pub(super) fn gradient(
        &mut self,
        rows: &mut [F], // (genes of the block, cells)
        first: usize,
        (d_gamma, d_beta): (&mut [F], &mut [F]),
        cells: usize,
    ) {
        let stride = padded(cells);
        let inv_n = F::of(1.0 / cells as f64);
        let genes = rows.len() / stride;
        for (k, row) in rows.chunks_exact_mut(stride).enumerate() {
            let hat = &self.normalised[(first + k) * stride..][..stride];
            d_beta[k] = lane_sum(row);
            d_gamma[k] = lane_dot(row, hat);
            let scale = self.gamma.value()[first + k] * self.inv_std[first + k];
            let (beta, gamma) = (inv_n * d_beta[k], inv_n * d_gamma[k]);
            for (v, &hat) in row.iter_mut().zip(hat) {
                *v = scale * (*v - beta - hat * gamma);
            }
        }
        self.gamma.take(first, &d_gamma[..genes]);
        self.beta.take(first, &d_beta[..genes]);
    }
}

impl<F: Real> Split for NormSinks<'_, F> {
    fn split(self, mid: usize) -> (Self, Self) {
        let part = self.part;
        let stride = self.normalised.len() / self.inv_std.len().max(1);
        let genes = (mid * part).min(self.inv_std.len());
        let (inv_std, inv_std2) = self.inv_std.split_at(genes);
        let (normalised, normalised2) = self.normalised.split_at(genes * stride);
        let (gamma, gamma2) = self.gamma.split(mid);
        let (beta, beta2) = self.beta.split(mid);
        (
            Self { normalised, inv_std, gamma, beta, part },
            Self { normalised: normalised2, inv_std: inv_std2, gamma: gamma2, beta: beta2, part },
        )
    }
}
