"""Distributions of counts and of latent variables, over numpy's arrays."""

from ._aggregated_posterior import AggregatedPosterior
from ._negative_binomial import NegativeBinomial, ZeroInflatedNegativeBinomial
from ._normal import Normal, kl_divergence
from ._poisson import Poisson

__all__ = [
    "AggregatedPosterior",
    "NegativeBinomial",
    "Normal",
    "Poisson",
    "ZeroInflatedNegativeBinomial",
    "kl_divergence",
]
