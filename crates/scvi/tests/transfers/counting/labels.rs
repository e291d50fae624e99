//! Labels are forwarded as they come.

use scvi::Backend;
use scvi_kernels::LabelOps;
use scvi_kernels::ops::cross_entropy::CrossEntropy;
use scvi_kernels::ops::label_mixture::{LabelMixture, LabelMixtureGrad};
use scvi_kernels::ops::normal_log_prob::{NormalLogProb, NormalLogProbGrad};
use scvi_kernels::ops::repeat::RepeatDims;

use super::Counting;

impl<B: Backend> LabelOps for Counting<B> {
    fn repeat_rows(&self, x: &B::Buf, y: &mut B::Buf, dims: RepeatDims) {
        self.inner.repeat_rows(x, y, dims);
    }

    fn repeat_rows_grad(&self, dy: &B::Buf, dx: &mut B::Buf, dims: RepeatDims) {
        self.inner.repeat_rows_grad(dy, dx, dims);
    }

    fn normal_log_prob(&self, io: NormalLogProb<Self>, dims: RepeatDims) {
        let NormalLogProb { x, mean, var, log_prob } = io;
        self.inner.normal_log_prob(NormalLogProb { x, mean, var, log_prob }, dims);
    }

    fn normal_log_prob_grad(&self, io: NormalLogProbGrad<Self>, dims: RepeatDims) {
        let NormalLogProbGrad { x, mean, var, weight, factors, dx, d_mean, d_var } = io;
        self.inner.normal_log_prob_grad(
            NormalLogProbGrad { x, mean, var, weight, factors, dx, d_mean, d_var },
            dims,
        );
    }

    fn label_mixture(&self, io: LabelMixture<Self>, dims: [usize; 2]) {
        let LabelMixture { logits, log_prob, kl, log_q, prior, .. } = io;
        let LabelMixture { probabilities, reconstruction_loss, kl_local, grad, .. } = io;
        let grad = grad.map(|LabelMixtureGrad { weight, kl_weight, d_logits }| LabelMixtureGrad {
            weight,
            kl_weight,
            d_logits,
        });
        self.inner.label_mixture(
            LabelMixture {
                logits,
                log_prob,
                kl,
                log_q,
                prior,
                probabilities,
                reconstruction_loss,
                kl_local,
                grad,
            },
            dims,
        );
    }

    fn cross_entropy(&self, io: CrossEntropy<Self>, dims: [usize; 2]) {
        let CrossEntropy { logits, labels, losses, grad } = io;
        self.inner.cross_entropy(CrossEntropy { logits, labels, losses, grad }, dims);
    }
}
