"""Distributions over arrays, held to scipy's and to closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from scvi_rs.distributions import (
    NegativeBinomial,
    Normal,
    Poisson,
    ZeroInflatedNegativeBinomial,
    kl_divergence,
)

RNG = np.random.default_rng(0)
MU, THETA = RNG.gamma(2.0, 3.0, (5, 3)), RNG.gamma(2.0, 1.0, 3)
X = RNG.poisson(4.0, (4, 5, 3))


def scipy_nb():
    return stats.nbinom(THETA, THETA / (THETA + MU))


def test_negative_binomial_is_scipys():
    nb = NegativeBinomial(mu=MU, theta=THETA)
    np.testing.assert_allclose(nb.log_prob(X), scipy_nb().logpmf(X), rtol=1e-6)
    np.testing.assert_allclose(nb.mean, scipy_nb().mean())
    np.testing.assert_allclose(nb.variance, scipy_nb().var())
    assert nb.batch_shape == (5, 3)


def test_zero_inflation_mixes_zeros_and_counts():
    logits = RNG.normal(size=(5, 3))
    zinb = ZeroInflatedNegativeBinomial(mu=MU, theta=THETA, zi_logits=logits)
    pi = 1 / (1 + np.exp(-logits))
    want = np.log(pi * (X == 0) + (1 - pi) * scipy_nb().pmf(X))
    np.testing.assert_allclose(zinb.log_prob(X), want, rtol=1e-6)
    np.testing.assert_allclose(zinb.zi_probs, pi)
    np.testing.assert_allclose(zinb.mean, (1 - pi) * MU)
    second = (1 - pi) * (scipy_nb().var() + MU**2)
    np.testing.assert_allclose(zinb.variance, second - zinb.mean**2)


def test_poisson_and_normal_are_scipys():
    poisson = Poisson(MU, scale=MU / MU.sum())
    np.testing.assert_allclose(poisson.log_prob(X), stats.poisson(MU).logpmf(X), rtol=1e-9)
    assert poisson.get_normalized("mu") is poisson.rate
    np.testing.assert_array_equal(poisson.mode, np.floor(MU))
    normal = Normal(MU, THETA, normal_mu=2.0)
    np.testing.assert_allclose(normal.log_prob(X), stats.norm(MU, THETA).logpdf(X))
    np.testing.assert_allclose(normal.stddev, np.broadcast_to(THETA, (5, 3)))
    assert (normal.get_normalized("scale") == 2.0).all()


def test_parameterisations_describe_one_distribution():
    probs = np.array([0.2, 0.5, 0.9])
    logits = np.log(probs / (1 - probs))
    by_probs = NegativeBinomial(total_count=THETA, probs=probs)
    by_logits = NegativeBinomial(total_count=THETA, logits=logits)
    for nb in (by_probs, by_logits):
        np.testing.assert_allclose(nb.mu, THETA * probs / (1 - probs))
        np.testing.assert_allclose(nb.get_normalized("scale"), nb.mu / nb.mu.sum())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_results_have_the_type_of_the_parameters(dtype):
    nb = NegativeBinomial(mu=MU.astype(dtype), theta=2.0)
    for array in (nb.mean, nb.variance, nb.log_prob(X), nb.sample(seed=0), nb.theta):
        assert array.dtype == dtype


def test_values_may_stretch_parameters():
    value = np.arange(4.0)[:, None]
    got = Normal(np.zeros(1), 1.0).log_prob(value)
    np.testing.assert_allclose(got, stats.norm.logpdf(value))
    got = NegativeBinomial(mu=2.0, theta=1.0).log_prob(value)
    np.testing.assert_allclose(got, stats.nbinom(1, 1 / 3).logpmf(value), rtol=1e-7)


def test_samples_have_the_moments():
    zinb = ZeroInflatedNegativeBinomial(mu=MU, theta=THETA, zi_logits=-0.5)
    draws = zinb.sample((20_000,), seed=3)
    assert draws.shape == (20_000, 5, 3)
    error = np.sqrt(zinb.variance / len(draws))
    assert (np.abs(draws.mean(0) - zinb.mean) < 5 * error).all()
    assert zinb.sample((4, 3), seed=0).shape == (4, 3, 5, 3)
    np.testing.assert_array_equal(draws, zinb.sample(20_000, seed=3))
    assert (zinb.sample(seed=1) != zinb.sample(seed=2)).any()
    assert (zinb.sample() != zinb.sample()).any()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NegativeBinomial(mu=[1.0, -2.0], theta=1.0), "mu is -2.*number 1 of 2"),
        (lambda: NegativeBinomial(mu=1.0, theta=np.nan), "theta is NaN"),
        (lambda: NegativeBinomial(mu=1.0, theta=1.0, scale=-1.0), "scale is -1"),
        (lambda: NegativeBinomial(total_count=1.0, probs=1.0), "probs is 1"),
        (lambda: ZeroInflatedNegativeBinomial(mu=1.0, theta=1.0, zi_logits=np.inf), "zi_logits"),
        (lambda: Poisson(-1.0), "rate is -1"),
        (lambda: Normal(0.0, 0.0), "scale is 0"),
        (lambda: Normal(0.0, 1.0, normal_mu=np.inf), "normal_mu is inf"),
        (lambda: NegativeBinomial(mu=1.0), "parameterizations"),
        (lambda: NegativeBinomial(mu=1.0, theta=1.0, total_count=1.0), "parameterizations"),
        (lambda: Poisson(1.0).get_normalized("nu"), "nu"),
        (lambda: Poisson(1.0).log_prob(0.5), "whole"),
    ],
)
def test_errors_name_what_is_wrong(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_what_is_no_count_is_warned_of():
    nb = NegativeBinomial(mu=MU, theta=THETA, validate_args=True)
    zinb = ZeroInflatedNegativeBinomial(mu=MU, theta=THETA, zi_logits=0.0)
    for distribution in (nb, zinb):
        with pytest.warns(UserWarning, match="must be within the support"):
            distribution.log_prob(X[0] + 0.5)
        with pytest.warns(UserWarning, match="must be within the support"):
            assert (distribution.log_prob(-1.0) == -np.inf).all()


def test_repr_shows_shapes_and_single_numbers():
    assert repr(Normal(np.zeros(3), 1.0)) == "Normal(loc: (3,), scale: (3,))"
    assert repr(Poisson(2.0)) == "Poisson(rate: 2.0)"


def test_divergence_of_normals():
    p, q = Normal(0.3, 0.7), Normal(-1.0, 2.0)
    x = np.linspace(-12, 12, 200_001)
    density = np.exp(p.log_prob(x))
    want = np.trapezoid(density * (p.log_prob(x) - q.log_prob(x)), x)
    np.testing.assert_allclose(kl_divergence(p, q), want, rtol=1e-9)
