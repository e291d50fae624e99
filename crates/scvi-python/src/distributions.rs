//! The engine's distributions over arrays: each number is one distribution's.

use numpy::{Element, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use rayon::prelude::*;
use scvi::Real;
use scvi::distributions::{
    Distribution, DistributionError, NegativeBinomial, NoiseRng, Normal, Poisson,
    ZeroInflatedNegativeBinomial,
};

use crate::error::value_error;
use crate::threads::pool;

/// Numbers that a thread works on at a time.
const CHUNK: usize = 2048;

/// Which distribution, by its parameters.
#[derive(Clone, Copy)]
enum Family {
    /// mu, theta
    NegativeBinomial,
    /// total_count, logits
    FromLogits,
    /// total_count, probs
    FromProbs,
    /// mu, theta, zi_logits
    ZeroInflated,
    /// rate
    Poisson,
    /// loc, scale
    Normal,
}

/// What is asked of it.
#[derive(Clone, Copy)]
enum Question {
    /// ln p of the numbers in the array behind the parameters.
    LogProb,
    Mean,
    Variance,
    /// The probability of a zero beside the counts' own.
    ZiProbs,
    /// The scale in the array behind the parameters, which is thereby checked.
    Scale,
    Sample {
        seed: u64,
    },
}

/// A distribution that was made.
enum Made<F> {
    NegativeBinomial(NegativeBinomial<F>),
    ZeroInflated(ZeroInflatedNegativeBinomial<F>),
    Poisson(Poisson<F>),
    Normal(Normal<F>),
}

/// Arrays of one number type.
#[derive(FromPyObject)]
pub enum Arrays<'py> {
    F32(Vec<PyReadonlyArray1<'py, f32>>),
    F64(Vec<PyReadonlyArray1<'py, f64>>),
}

impl Family {
    fn from_name(name: &str) -> PyResult<Self> {
        Ok(match name {
            "nb" => Self::NegativeBinomial,
            "nb_logits" => Self::FromLogits,
            "nb_probs" => Self::FromProbs,
            "zinb" => Self::ZeroInflated,
            "poisson" => Self::Poisson,
            "normal" => Self::Normal,
            _ => return Err(value_error(format!("no distribution is called {name:?}"))),
        })
    }

    fn n_parameters(self) -> usize {
        match self {
            Self::Poisson => 1,
            Self::NegativeBinomial | Self::FromLogits | Self::FromProbs | Self::Normal => 2,
            Self::ZeroInflated => 3,
        }
    }

    fn make<F: Real>(self, p: impl Fn(usize) -> F) -> Result<Made<F>, DistributionError> {
        Ok(match self {
            Self::NegativeBinomial => Made::NegativeBinomial(NegativeBinomial::new(p(0), p(1))?),
            Self::FromLogits => Made::NegativeBinomial(NegativeBinomial::from_logits(p(0), p(1))?),
            Self::FromProbs => Made::NegativeBinomial(NegativeBinomial::from_probs(p(0), p(1))?),
            Self::ZeroInflated => {
                Made::ZeroInflated(ZeroInflatedNegativeBinomial::new(p(0), p(1), p(2))?)
            }
            Self::Poisson => Made::Poisson(Poisson::new(p(0))?),
            Self::Normal => Made::Normal(Normal::new(p(0), p(1))?),
        })
    }
}

impl Question {
    fn from_name(name: &str, seed: u64) -> PyResult<Self> {
        Ok(match name {
            "log_prob" => Self::LogProb,
            "mean" => Self::Mean,
            "variance" => Self::Variance,
            "zi_probs" => Self::ZiProbs,
            "scale" => Self::Scale,
            "sample" => Self::Sample { seed },
            _ => return Err(value_error(format!("no distribution is asked for {name:?}"))),
        })
    }

    fn takes_a_value(self) -> bool {
        matches!(self, Self::LogProb | Self::Scale)
    }

    /// The answer of the distribution at a place among all.
    fn ask<F: Real>(
        self,
        made: Made<F>,
        value: impl FnOnce() -> F,
        place: usize,
    ) -> Result<F, DistributionError> {
        if let Self::Scale = self {
            let scale = value();
            match made {
                Made::NegativeBinomial(d) => drop(d.with_scale(scale)?),
                Made::ZeroInflated(d) => drop(d.with_scale(scale)?),
                Made::Poisson(d) => drop(d.with_scale(scale)?),
                Made::Normal(d) => drop(d.with_normal_mu(scale)?),
            }
            return Ok(scale);
        }
        Ok(match made {
            Made::NegativeBinomial(d) => self.ask_any(&d, value, place),
            Made::ZeroInflated(d) if matches!(self, Self::ZiProbs) => d.zi_probs(),
            Made::ZeroInflated(d) => self.ask_any(&d, value, place),
            Made::Poisson(d) => self.ask_any(&d, value, place),
            Made::Normal(d) => self.ask_any(&d, value, place),
        })
    }

    fn ask_any<F: Real>(
        self,
        made: &impl Distribution<F>,
        value: impl FnOnce() -> F,
        place: usize,
    ) -> F {
        match self {
            Self::LogProb => made.log_prob(value()),
            Self::Mean => made.mean(),
            Self::Variance => made.variance(),
            // Of what is not inflated.
            Self::ZiProbs => F::ZERO,
            Self::Scale => value(),
            Self::Sample { seed } => {
                // Genes of noise have 31 bits.
                let (draw, rest) = ((place >> 31) as u32, (place & 0x7FFF_FFFF) as u32);
                made.sample(&mut NoiseRng::new(seed, 0, draw, rest))
            }
        }
    }
}

/// Answers to a question by `n` distributions. Every array of `arrays`, a parameter each and the
/// value where there is one, is begun again at its end; numbers of a draw belong to their place.
#[pyfunction]
#[pyo3(signature = (question, family, arrays, n, *, seed=0))]
pub fn distribution<'py>(
    py: Python<'py>,
    question: &str,
    family: &str,
    arrays: Arrays<'py>,
    n: usize,
    seed: u64,
) -> PyResult<Bound<'py, PyAny>> {
    let (question, family) = (Question::from_name(question, seed)?, Family::from_name(family)?);
    match arrays {
        Arrays::F32(arrays) => answers(py, question, family, &arrays, n),
        Arrays::F64(arrays) => answers(py, question, family, &arrays, n),
    }
}

fn answers<'py, F: Real + Element>(
    py: Python<'py>,
    question: Question,
    family: Family,
    arrays: &[PyReadonlyArray1<F>],
    n: usize,
) -> PyResult<Bound<'py, PyAny>> {
    let arrays: Vec<&[F]> = arrays.iter().map(|a| a.as_slice()).collect::<Result<_, _>>()?;
    let n_parameters = family.n_parameters();
    let wanted = n_parameters + usize::from(question.takes_a_value());
    if arrays.len() != wanted {
        return Err(value_error(format!("{} arrays where {wanted} are read", arrays.len())));
    }
    if n > 0 && arrays.iter().any(|array| array.is_empty()) {
        return Err(value_error("an array without numbers"));
    }
    let pool = pool()?;
    let answer = |place: usize| {
        let at = |array: usize| arrays[array][place % arrays[array].len()];
        question.ask(family.make(at)?, || at(n_parameters), place)
    };
    let mut out = vec![F::ZERO; n];
    let failed = py.detach(|| {
        let chunks = || {
            out.par_chunks_mut(CHUNK).enumerate().find_map_first(|(chunk, out)| {
                (chunk * CHUNK..).zip(out).find_map(|(place, out)| match answer(place) {
                    Ok(value) => {
                        *out = value;
                        None
                    }
                    Err(error) => Some((place, error)),
                })
            })
        };
        pool.install(chunks)
    });
    match failed {
        None => Ok(PyArray1::from_vec(py, out).into_any()),
        Some((place, error)) => {
            Err(value_error(format!("{error} (number {place} of {n}, counted from 0)")))
        }
    }
}
