//! From an unbounded number to a variance.

use std::fmt;
use std::sync::Arc;

use crate::real::Real;
use crate::simd::vectorised;

/// A function of one number, of the caller's own.
pub type Pointwise<F> = Arc<dyn Fn(F) -> F + Send + Sync>;

/// f in q_v = f(s) + var_eps, s the variance encoder's output.
#[derive(Clone)]
pub enum VarActivation<F> {
    /// eˢ.
    Exp,
    /// ln(1 + eˢ); s above 20.
    Softplus,
    /// A function that is nowhere negative, and its derivative.
    Custom {
        /// f.
        function: Pointwise<F>,
        /// f'.
        derivative: Pointwise<F>,
    },
}

impl<F> VarActivation<F> {
    /// The caller's own function and its derivative.
    pub fn custom(
        function: impl Fn(F) -> F + Send + Sync + 'static,
        derivative: impl Fn(F) -> F + Send + Sync + 'static,
    ) -> Self {
        Self::Custom { function: Arc::new(function), derivative: Arc::new(derivative) }
    }
}

impl<F: Real> VarActivation<F> {
    /// out = f(s).
    pub(super) fn values(&self, s: &[F], out: &mut [F]) {
        match self {
            Self::Exp => each(s, out, F::exp),
            Self::Softplus => each(
                s,
                out,
                #[inline(always)]
                |s| s.softplus().0,
            ),
            Self::Custom { function, .. } => each(s, out, |s| function(s)),
        }
    }

    /// out = f'(s).
    pub(super) fn slopes(&self, s: &[F], out: &mut [F]) {
        match self {
            Self::Exp => each(s, out, F::exp),
            Self::Softplus => each(
                s,
                out,
                #[inline(always)]
                |s| s.softplus().1,
            ),
            Self::Custom { derivative, .. } => each(s, out, |s| derivative(s)),
        }
    }
}

fn each<F: Real>(s: &[F], out: &mut [F], f: impl Fn(F) -> F) {
    vectorised(
        #[inline(always)]
        || {
            for (out, &s) in out.iter_mut().zip(s) {
                *out = f(s);
            }
        },
    );
}

impl<F> fmt::Debug for VarActivation<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exp => "Exp",
            Self::Softplus => "Softplus",
            Self::Custom { .. } => "Custom",
        })
    }
}
