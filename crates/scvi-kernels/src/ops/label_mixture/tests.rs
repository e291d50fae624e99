use super::{LabelMixture, LabelMixtureGrad};
use crate::testing::{Draw, assert_near, buf, check_gradient, full};
use crate::{Aligned, Cpu, LabelOps};

const SHAPES: [[usize; 2]; 5] = [[1, 1], [3, 2], [15, 10], [17, 3], [6, 33]];
const KL_WEIGHT: f64 = 0.3;
const WEIGHT: f64 = 0.25;

/// Inputs of one case.
#[derive(Clone)]
struct Case {
    dims: [usize; 2],
    logits: Vec<f64>,
    log_prob: Vec<f64>,
    kl: Vec<f64>,
    log_q: Vec<f64>,
    prior: Vec<f64>,
}

/// What [`LabelMixture`] gives.
struct Mixed {
    probabilities: Aligned<f64>,
    reconstruction_loss: Aligned<f64>,
    kl_local: Aligned<f64>,
    d_logits: Aligned<f64>,
}

impl Case {
    fn new(dims @ [cells, labels]: [usize; 2]) -> Self {
        let (mut draw, n) = (Draw::new(labels as u64), cells * labels);
        let scaled = |values: Vec<f64>, by: f64| values.into_iter().map(|v| by * v).collect();
        Self {
            dims,
            logits: scaled(draw.normal(n), 2.0),
            log_prob: scaled(draw.normal(n), 3.0),
            kl: draw.normal(n).into_iter().map(f64::abs).collect(),
            log_q: draw.normal(cells),
            prior: (0..labels).map(|_| draw.within(0.1, 2.0)).collect(),
        }
    }

    fn run(&self, grad: bool) -> Mixed {
        let [cells, labels] = self.dims;
        let nan = |len| full(len, f64::NAN);
        let mut mixed = Mixed {
            probabilities: nan(cells * labels),
            reconstruction_loss: full(cells, 0.5),
            kl_local: nan(cells),
            d_logits: nan(cells * labels),
        };
        let d_logits = &mut mixed.d_logits;
        let io = LabelMixture {
            logits: &buf(&self.logits),
            log_prob: &buf(&self.log_prob),
            kl: &buf(&self.kl),
            log_q: &buf(&self.log_q),
            prior: &buf(&self.prior),
            probabilities: &mut mixed.probabilities,
            reconstruction_loss: &mut mixed.reconstruction_loss,
            kl_local: &mut mixed.kl_local,
            grad: grad.then_some(LabelMixtureGrad {
                weight: WEIGHT,
                kl_weight: KL_WEIGHT,
                d_logits,
            }),
        };
        Cpu::new().label_mixture(io, self.dims);
        mixed
    }

    fn loss(&self) -> f64 {
        let mixed = self.run(false);
        let sum = |values: &[f64]| values.iter().sum::<f64>();
        WEIGHT * (sum(&mixed.reconstruction_loss) + KL_WEIGHT * sum(&mixed.kl_local))
    }
}

#[test]
fn terms_follow_the_formulas() {
    for dims @ [cells, labels] in SHAPES {
        let case = Case::new(dims);
        let mixed = case.run(false);
        let prior: f64 = case.prior.iter().sum();
        let (mut w, mut loss, mut kl_local) = (Vec::new(), Vec::new(), Vec::new());
        for cell in 0..cells {
            let at = |y: usize| cell * labels + y;
            let sum: f64 = (0..labels).map(|y| case.logits[at(y)].exp()).sum();
            let of = |y: usize| case.logits[at(y)].exp() / sum;
            let density: f64 = (0..labels).map(|y| of(y) * case.log_prob[at(y)]).sum();
            let divergence =
                |y: usize| of(y) * (case.kl[at(y)] + (of(y) * prior / case.prior[y]).ln());
            w.extend((0..labels).map(of));
            loss.push(0.5 + case.log_q[cell] - density);
            kl_local.push((0..labels).map(divergence).sum());
        }
        assert_near("w", &mixed.probabilities, &w, 1e-14);
        assert_near("reconstruction_loss", &mixed.reconstruction_loss, &loss, 1e-13);
        assert_near("kl_local", &mixed.kl_local, &kl_local, 1e-13);
    }
}

#[test]
fn gradients_agree_with_differences() {
    for dims in SHAPES {
        let case = Case::new(dims);
        let Mixed { probabilities: w, d_logits, .. } = case.run(true);
        let with = |change: &dyn Fn(&mut Case)| {
            let mut changed = case.clone();
            change(&mut changed);
            changed.loss()
        };
        let name = format!("{dims:?}");
        check_gradient(&name, &case.logits, &d_logits, |u| with(&|c| c.logits = u.to_vec()));
        let scaled = |by: f64| w.iter().map(|w| by * w).collect::<Vec<f64>>();
        let (d_log_prob, d_kl) = (scaled(-WEIGHT), scaled(WEIGHT * KL_WEIGHT));
        check_gradient(&name, &case.log_prob, &d_log_prob, |v| with(&|c| c.log_prob = v.to_vec()));
        check_gradient(&name, &case.kl, &d_kl, |v| with(&|c| c.kl = v.to_vec()));
    }
}

#[test]
fn a_label_without_any_probability_costs_nothing() {
    let mut case = Case::new([1, 3]);
    case.logits = vec![0.0, -2000.0, 2000.0];
    let mixed = case.run(true);
    assert_eq!(mixed.probabilities[..], [0.0, 0.0, 1.0]);
    assert_eq!(mixed.d_logits[..], [0.0; 3]);
    let total: f64 = case.prior.iter().sum();
    assert_near("kl_local", &mixed.kl_local, &[case.kl[2] - (case.prior[2] / total).ln()], 1e-14);
}
