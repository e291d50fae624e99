//! How gradients are clipped.

use serde::{Deserialize, Serialize};

use crate::module::{Choice, GradientClip};

/// What `gradient_clip_val` bounds; the formulas are in [`scvi_kernels::ops::clip`].
///
/// Source: Lightning 2.6, `Trainer(gradient_clip_val, gradient_clip_algorithm)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GradientClipAlgorithm {
    /// The norm of all gradients together.
    #[default]
    Norm,
    /// Every number of a gradient.
    Value,
}

impl Choice for GradientClipAlgorithm {
    const OPTION: &'static str = "gradient_clip_algorithm";
    const ALL: &'static [(&'static str, Self)] = &[("norm", Self::Norm), ("value", Self::Value)];
}

impl GradientClipAlgorithm {
    /// The clipping at a bound.
    pub(super) fn at(self, bound: f64) -> GradientClip {
        match self {
            Self::Norm => GradientClip::Norm(bound),
            Self::Value => GradientClip::Value(bound),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;
    use crate::data::Dataset;
    use crate::data::simulate::{SimulateConfig, simulate};
    use crate::module::VaeConfig;
    use crate::nn::StateDict;
    use crate::train::{TrainPlan, train};

    fn trained(
        gradient_clip_algorithm: GradientClipAlgorithm,
        bound: Option<f64>,
    ) -> StateDict<f32> {
        let sizes = SimulateConfig { n_cells: 60, n_genes: 30, density: 0.3, ..Default::default() };
        let sim = simulate(&sizes);
        let data = Dataset::new(&sim.counts, sim.batch.clone()).unwrap();
        let config =
            VaeConfig { n_input: 30, n_batch: 2, n_hidden: 8, n_latent: 3, ..Default::default() };
        let plan = TrainPlan {
            max_epochs: Some(2),
            batch_size: 16,
            gradient_clip_val: bound,
            gradient_clip_algorithm,
            ..TrainPlan::default()
        };
        let trained =
            train(config.validate().unwrap(), &data, &plan, &mut |_| ControlFlow::Continue(()))
                .unwrap();
        trained.module.state_dict()
    }

    #[test]
    fn a_bound_that_no_gradient_reaches_changes_no_bit() {
        let free = trained(GradientClipAlgorithm::Norm, None);
        for &(name, algorithm) in GradientClipAlgorithm::ALL {
            assert_eq!(trained(algorithm, Some(1e9)), free, "{name}");
            assert_eq!(trained(algorithm, Some(0.0)), free, "{name}, 0 is no bound");
            assert_ne!(trained(algorithm, Some(1e-3)), free, "{name}");
        }
    }
}
