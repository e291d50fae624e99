//! What one does with a trained model: one file a task.

mod aggregated_posterior;
mod cells;
mod correlation;
mod denoised;
mod differential;
mod differential_abundance;
mod draws;
mod error;
mod importance;
mod latent;
mod library;
mod likelihood;
mod log_sum_exp;
mod marginal_ll;
mod mean;
mod minibatches;
mod normalized;
mod overall;
mod parameters;
mod pass;
mod predict;
pub mod query;
mod ranks;
mod sample;
mod sparse_samples;
mod watch;

pub use aggregated_posterior::AggregatedPosterior;
pub use cells::Cells;
pub use correlation::{CorrelationOptions, CorrelationType, feature_correlation_matrix};
pub use differential::{
    Batches, Change, Column, Comparison, Contrast, Delta, DifferentialError, DifferentialOptions,
    Group, Hypotheses, Test, Values, differential_expression,
};
pub use differential_abundance::{AbundanceOptions, differential_abundance};
pub use draws::{PointEstimate, Posterior};
pub use error::TaskError;
pub use importance::{Anchors, ImportanceOptions, LatentSamples, Weights};
pub use latent::{
    Latent, MC_SAMPLES, latent_mean, latent_representation, latent_sample, latent_simplex_mean,
};
pub use library::{batch_representation, latent_library_size};
pub use likelihood::{CellElbo, elbo};
pub use log_sum_exp::LogSumExp;
pub use marginal_ll::marginal_ll;
pub use normalized::{ExpressionOptions, LibrarySize, Rows, normalized_expression};
pub use overall::{DrawnRows, Overall, normalized_expression_overall};
pub use parameters::{ParameterKinds, ParameterRows, Parameters, likelihood_parameters};
pub use predict::{Predictions, predict};
pub use sample::{SampleOptions, SampleSink, SampledRows, posterior_predictive_sample};
pub use sparse_samples::{SparseSample, sparse_samples};
pub use watch::{Progress, Watch, tell, unwatched};
