"""A set of configurations in which every two values of any two options meet at least once."""

import itertools
import random

ACTIVATIONS = ["relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "softplus", "identity"]
PLACEMENTS = ["both", "encoder", "decoder", "none"]

AXES = {
    "n_batch": [0, 1, 3],
    "n_layers": [1, 2, 3],
    "n_continuous_cov": [0, 2],
    "n_cats_per_cov": [(), (3,), (2, 1, 4)],
    "dropout_rate": [0.0, 0.25],
    "dispersion": ["gene", "gene-batch", "gene-label", "gene-cell"],
    "log_variational": [True, False],
    "gene_likelihood": ["zinb", "nb", "poisson", "normal"],
    "latent_distribution": ["normal", "ln"],
    "encode_covariates": [False, True],
    "deeply_inject_covariates": [True, False],
    "batch_representation": ["one-hot", "embedding"],
    "use_batch_norm": PLACEMENTS,
    "use_layer_norm": PLACEMENTS,
    "library": ["observed", "size_factor", "latent"],
    "var_activation": ["exp", "softplus"],
    "activation_fn": ACTIVATIONS,
    "bias": [True, False],
    "use_activation": [True, False],
}
"""Options and their values. `library`, `activation_fn`, `bias` and `use_activation` stand for
several arguments of VAE each; see `config`."""

NEEDS_BATCHES = [
    ("dispersion", "gene-batch"),
    ("batch_representation", "embedding"),
    ("library", "latent"),
]


def rows():
    """The fixtures of the set."""
    for i, chosen in enumerate(cover(random.Random(20))):
        yield dict(
            name=f"pairwise_{i:02}",
            seed=100 + i,
            n_cells=9 + i % 5,
            largest_count=12,
            config=config(chosen, i),
        )


def pairs(chosen):
    """Every two options with their values, as keys of a set."""
    return itertools.combinations(chosen.items(), 2)


def legal(chosen):
    """Some options need batches."""
    return chosen["n_batch"] > 0 or not any(chosen[k] == value for k, value in NEEDS_BATCHES)


def cover(rng, tries=60):
    """Choices until no pair is left: each is the best of `tries` drawn around a missing pair."""
    missing = {
        pair
        for a, b in itertools.combinations(AXES, 2)
        for pair in itertools.product([(a, v) for v in AXES[a]], [(b, v) for v in AXES[b]])
    }
    for option, value in NEEDS_BATCHES:
        missing.discard((("n_batch", 0), (option, value)))
    while missing:
        wanted = min(missing, key=repr)
        drawn = [draw(rng, dict(wanted)) for _ in range(tries)]
        best = max(filter(legal, drawn), key=lambda chosen: len(missing.intersection(pairs(chosen))))
        missing.difference_update(pairs(best))
        yield best


def draw(rng, fixed):
    """Values at random, but for some that are fixed."""
    return {option: fixed.get(option, rng.choice(values)) for option, values in AXES.items()}


def config(chosen, i):
    """The arguments of VAE for one choice; sizes differ from row to row."""
    found = {k: v for k, v in chosen.items() if k not in ("library", *LAYER_OPTIONS)}
    found |= dict(n_input=17 + i % 7, n_hidden=5 + i % 4, n_latent=3 + i % 3)
    found["n_cats_per_cov"] = list(chosen["n_cats_per_cov"])
    if chosen["dispersion"] == "gene-label":
        found["n_labels"] = 2 + i % 3
    if chosen["library"] == "size_factor":
        found["use_size_factor_key"] = True
    if chosen["library"] == "latent":
        n = chosen["n_batch"]
        found["use_observed_lib_size"] = False
        found["library_log_means"] = [2.5 + 0.25 * batch for batch in range(n)]
        found["library_log_vars"] = [0.25 + 0.5 * batch for batch in range(n)]
    if chosen["batch_representation"] == "embedding":
        found["batch_embedding_kwargs"] = dict(embedding_dim=2 + i % 3)
    layers = {option: chosen[option] for option in LAYER_OPTIONS}
    # The decoder takes the next function of the list, so that the two differ.
    following = ACTIVATIONS[(ACTIVATIONS.index(layers["activation_fn"]) + 1) % len(ACTIVATIONS)]
    found["extra_encoder_kwargs"] = layers
    found["extra_decoder_kwargs"] = layers | dict(activation_fn=following)
    return found


LAYER_OPTIONS = ("activation_fn", "bias", "use_activation")
