//! The heads as a whole: forward, likelihood and gradient of random cases.

mod case;
mod gradients;
mod likelihoods;
mod named;
mod precision;
mod properties;
mod samples;

use case::{Case, Kind, LIKELIHOODS, Outcome, library, mean, read};
