//! What is held to finite differences.

use scvi::nn::StateDict;

use crate::draw::Draw;

/// A model with everything its training loss depends on.
pub trait Differentiable {
    /// Where differences are taken.
    fn state(&self) -> &StateDict<f64>;

    /// The loss of the minibatch at a state; its gradients are kept.
    fn loss(&mut self, state: StateDict<f64>) -> f64;

    /// The gradients of the last loss.
    fn gradients(&self) -> StateDict<f64>;
}

/// A state away from where training starts: γ = 1 and β = 0 hide mistakes.
pub fn away_from_the_start(mut state: StateDict<f64>, draw: &mut Draw) -> StateDict<f64> {
    for tensor in state.values_mut() {
        let shifts = draw.normal(tensor.data.len());
        tensor.data.iter_mut().zip(shifts).for_each(|(v, d)| *v += 0.1 * d);
    }
    state
}

/// The derivative along `d`, a direction of one tensor, by the five-point stencil.
fn difference(case: &mut impl Differentiable, name: &str, d: &[f64], step: f64) -> f64 {
    let mut at = |k: f64| {
        let mut state = case.state().clone();
        let tensor = state.get_mut(name).unwrap();
        tensor.data.iter_mut().zip(d).for_each(|(v, d)| *v += k * step * d);
        case.loss(state)
    };
    (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / (12.0 * step)
}

/// Holds two entries of each tensor, and a direction in which all of them take part.
pub fn check(case: &mut impl Differentiable, label: &str, draw: &mut Draw) {
    let loss = case.loss(case.state().clone());
    assert!(loss.is_finite(), "{label}");
    for (name, gradient) in case.gradients() {
        let n = gradient.data.len();
        let norm = gradient.data.iter().map(|g| g * g).sum::<f64>().sqrt();
        let entries = [draw.below(n), draw.below(n)];
        let unit = |i: usize| (0..n).map(|j| if i == j { 1.0 } else { 0.0 }).collect();
        let mut directions: Vec<Vec<f64>> = entries.map(unit).into();
        let length = (n as f64).sqrt();
        directions.push(draw.normal(n).into_iter().map(|v| v / length).collect());
        for d in directions {
            let got: f64 = gradient.data.iter().zip(&d).map(|(g, d)| g * d).sum();
            // A rectifier's kink within reach spoils a step, and only a shorter one is free of it.
            // A wrong gradient is wrong at every length.
            let agrees = [1e-4, 1e-5, 1e-6].into_iter().any(|step| {
                let rounding = 1e-14 * (1.0 + loss.abs()) / step;
                let want = difference(case, &name, &d, step);
                (got - want).abs() <= 1e-6 * norm + rounding
            });
            if agrees {
                continue;
            }
            let want = [1e-4, 1e-5, 1e-6].map(|step| difference(case, &name, &d, step));
            panic!("{label}: {name}: {got:e} for {want:?}, norm {norm:e}, loss {loss:e}");
        }
    }
}
