"""Writes what scvi.distributions computes on a grid of parameters, for our tests to compare with.

    python3 reference/distributions.py            write fixtures_distributions/grid.safetensors
    python3 reference/distributions.py --check    compare with what is there, write nothing

Every quantity comes twice: under `scvi/` as scvi-tools computes it in double precision, and under
`exact/` as the same equation gives it in 100 digits. At the grid's ends the first loses digits to
the cancellation of large terms, which the second tells from a difference in the equation. The
derivatives of log-probabilities come under `exact/` only.

Axes are exact in single precision, so that engines of either precision start from the same numbers.
"""

import sys
from pathlib import Path

import environment

FILE = Path(__file__).resolve().parent / "fixtures_distributions" / "grid.safetensors"

AXES = {
    "mu": [1e-8, 1e-4, 0.1, 1, 7.5, 300, 1e5, 1e8],
    "theta": [1e-8, 1e-4, 1e-2, 0.3, 1, 10, 1e3, 1e6, 1e10],
    "logits": [-40, -3, 0, 2, 40],
    "zi_logits": [-100, -3, 0, 2, 100],
    "x": [0, 1e-6, 0.3, 1, 2, 5, 40, 1e3, 1e5, 1e7, 3e9, 1e12, 1e30],
}
"""The grid. `mu` and `theta` are rate, loc and scale too; `logits` are those of moments."""


class Exact:
    """The equations of scvi-tools in 100 digits, at one point of the grid."""

    def __init__(self, mp):
        self.mp, self.eps = mp, mp.mpf(1e-8)

    def softplus(self, x):
        return self.mp.log(1 + self.mp.exp(x))

    def nb(self, mu, theta, x):
        log, gamma, eps = self.mp.log, self.mp.loggamma, self.eps
        log_sum = log(theta + mu + eps)
        failures = theta * (log(theta + eps) - log_sum)
        successes = x * (log(mu + eps) - log_sum)
        return failures + successes + gamma(x + theta) - gamma(theta) - gamma(x + 1)

    def zinb(self, mu, theta, zi_logits, x):
        own = self.nb(mu, theta, x) - zi_logits
        return (own if x else self.softplus(own)) - self.softplus(-zi_logits)

    def nb_by_ln_mu(self, mu, theta, x):
        return mu * (x / (mu + self.eps) - (theta + x) / (theta + mu + self.eps))

    def nb_by_ln_theta(self, mu, theta, x):
        sums = theta + self.eps, theta + mu + self.eps
        digammas = self.mp.digamma(x + theta) - self.mp.digamma(theta)
        fractions = theta / sums[0] - (theta + x) / sums[1]
        return theta * (self.mp.log(sums[0] / sums[1]) + fractions + digammas)

    def sigmoid(self, x):
        return 1 / (1 + self.mp.exp(-x))

    def own(self, mu, theta, zi_logits, x):
        """How much of a count is the negative binomial's own."""
        return self.mp.mpf(1) if x else self.sigmoid(self.nb(mu, theta, x) - zi_logits)

    def zinb_by_ln_mu(self, mu, theta, zi_logits, x):
        return self.own(mu, theta, zi_logits, x) * self.nb_by_ln_mu(mu, theta, x)

    def zinb_by_ln_theta(self, mu, theta, zi_logits, x):
        return self.own(mu, theta, zi_logits, x) * self.nb_by_ln_theta(mu, theta, x)

    def zinb_by_zi_logits(self, mu, theta, zi_logits, x):
        return self.sigmoid(-zi_logits) - self.own(mu, theta, zi_logits, x)

    def zinb_mean(self, mu, theta, zi_logits):
        return mu / (1 + self.mp.exp(zi_logits))

    def zinb_variance(self, mu, theta, zi_logits):
        pi = 1 / (1 + self.mp.exp(-zi_logits))
        return (1 - pi) * mu * (mu + theta + pi * mu * theta) / theta

    def poisson(self, mu, x):
        return x * self.mp.log(mu) - mu - self.mp.loggamma(x + 1)

    def normal(self, mu, theta, x):
        log = self.mp.log
        return -(((x - mu) / theta) ** 2) / 2 - log(theta) - log(2 * self.mp.pi) / 2

    def quantities(self):
        """Name, axes and equation of each quantity."""
        return {
            "nb/log_prob": ("mu theta x", self.nb),
            "nb/by_ln_mu": ("mu theta x", self.nb_by_ln_mu),
            "nb/by_ln_theta": ("mu theta x", self.nb_by_ln_theta),
            "nb/variance": ("mu theta", lambda mu, theta: mu + mu**2 / theta),
            "nb_logits/mu": ("theta logits", lambda n, logits: n * self.mp.exp(logits)),
            "zinb/log_prob": ("mu theta zi_logits x", self.zinb),
            "zinb/by_ln_mu": ("mu theta zi_logits x", self.zinb_by_ln_mu),
            "zinb/by_ln_theta": ("mu theta zi_logits x", self.zinb_by_ln_theta),
            "zinb/by_zi_logits": ("mu theta zi_logits x", self.zinb_by_zi_logits),
            "zinb/mean": ("mu theta logits", self.zinb_mean),
            "zinb/variance": ("mu theta logits", self.zinb_variance),
            "poisson/log_prob": ("mu x", self.poisson),
            "normal/log_prob": ("mu theta x", self.normal),
        }


def exact(axes):
    """Every quantity in 100 digits, rounded to double precision at the end."""
    import mpmath

    with mpmath.workdps(100):
        for name, (over, equation) in Exact(mpmath.mp).quantities().items():
            grids = [axes[axis] for axis in over.split()]
            points = itertools.product(*[[mpmath.mpf(float(v)) for v in grid] for grid in grids])
            values = [float(equation(*point)) for point in points]
            yield f"exact/{name}", np.array(values).reshape([len(grid) for grid in grids])


def reference(axes):
    """Every quantity as scvi-tools computes it in double precision."""
    from scvi.distributions import (
        NegativeBinomial,
        Normal,
        Poisson,
        ZeroInflatedNegativeBinomial,
    )

    def over(*names):
        return np.meshgrid(*[axes[name] for name in names], indexing="ij")

    def tensors(*names):
        return [torch.from_numpy(grid) for grid in over(*names)]

    mu, theta, x = tensors("mu", "theta", "x")
    found = {"nb/log_prob": NegativeBinomial(mu=mu, theta=theta).log_prob(x)}
    found["normal/log_prob"] = Normal(mu, theta).log_prob(x)
    mu, theta = tensors("mu", "theta")
    found["nb/variance"] = NegativeBinomial(mu=mu, theta=theta).variance
    mu, theta, zi, x = tensors("mu", "theta", "zi_logits", "x")
    zinb = ZeroInflatedNegativeBinomial(mu=mu, theta=theta, zi_logits=zi)
    found["zinb/log_prob"] = zinb.log_prob(x)
    mu, theta, zi = tensors("mu", "theta", "logits")
    moments = ZeroInflatedNegativeBinomial(mu=mu, theta=theta, zi_logits=zi)
    found["zinb/mean"] = moments.mean
    found["zinb/variance"] = moments.variance
    mu, x = tensors("mu", "x")
    found["poisson/log_prob"] = Poisson(mu, validate_args=False).log_prob(x)
    total_count, logits = tensors("theta", "logits")
    found["nb_logits/mu"] = NegativeBinomial(total_count=total_count, logits=logits).mean
    for name, values in found.items():
        assert values.dtype == torch.float64 and torch.isfinite(values).all(), name
        yield f"scvi/{name}", values.contiguous().numpy()


def content():
    """The file."""
    axes = {name: np.float64(np.float32(values)) for name, values in AXES.items()}
    tensors = {f"axis/{name}": values for name, values in axes.items()}
    return tensor_file.to_bytes(tensors | dict(reference(axes)) | dict(exact(axes)))


def main(arguments):
    if arguments not in ([], ["--check"]):
        sys.exit(__doc__)
    if arguments:
        sys.exit(None if FILE.exists() and FILE.read_bytes() == content() else f"differs: {FILE}")
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_bytes(content())


if __name__ == "__main__":
    environment.enter()
    import itertools

    import numpy as np
    import tensor_file
    import torch

    torch.set_num_threads(1)
    main(sys.argv[1:])
