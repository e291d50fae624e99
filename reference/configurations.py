"""The configurations the fixtures cover, one row each.

`config` is passed to scvi.module.VAE. Sizes are odd and differ, so that a swapped axis or a
missed remainder shows. Optional keys: `largest_count` (400); `theta`, smallest and largest
dispersion (else drawn); `head_scale`, a factor on the weights of the decoder's outputs, to reach
extreme rates and logits; `losses_only`, to leave out the cells x genes outputs of a wide row;
`transform_batch`, to decode once more as if every cell came from that batch.
`linear_decoder` stands for scvi.module.LDVAE, whose decoder takes its batch norm and bias from
the options of the other decoder.
"""

import options
import pairwise

FIXTURES = [
    # Likelihoods and dispersions.
    dict(
        name="zinb",
        seed=1,
        n_cells=13,
        config=dict(n_input=37, n_batch=1, n_hidden=17, n_latent=5),
    ),
    dict(
        name="nb",
        seed=2,
        n_cells=11,
        config=dict(n_input=31, n_batch=2, n_hidden=13, n_latent=4, gene_likelihood="nb"),
    ),
    dict(
        name="poisson",
        seed=3,
        n_cells=12,
        config=dict(n_input=29, n_batch=2, n_hidden=11, n_latent=3, gene_likelihood="poisson"),
    ),
    dict(
        name="zinb_gene_batch",
        seed=4,
        n_cells=14,
        transform_batch=1,
        config=dict(n_input=33, n_batch=3, n_hidden=9, n_latent=6, dispersion="gene-batch"),
    ),
    dict(
        name="nb_gene_batch",
        seed=5,
        n_cells=17,
        config=dict(
            n_input=27,
            n_batch=3,
            n_hidden=10,
            n_latent=7,
            dispersion="gene-batch",
            gene_likelihood="nb",
        ),
    ),
    # Batches and layers.
    dict(
        name="no_batch",
        seed=6,
        n_cells=10,
        config=dict(n_input=23, n_batch=0, n_hidden=12, n_latent=5),
    ),
    dict(
        name="layers2_deep",
        seed=7,
        n_cells=15,
        transform_batch=1,
        config=dict(n_input=26, n_batch=4, n_hidden=11, n_latent=5, n_layers=2),
    ),
    dict(
        name="layers2_shallow",
        seed=8,
        n_cells=13,
        config=dict(
            n_input=25,
            n_batch=3,
            n_hidden=9,
            n_latent=4,
            n_layers=2,
            deeply_inject_covariates=False,
        ),
    ),
    dict(
        name="layers3",
        seed=9,
        n_cells=19,
        config=dict(n_input=21, n_batch=2, n_hidden=8, n_latent=3, n_layers=3),
    ),
    dict(
        name="encode_covariates",
        seed=10,
        n_cells=12,
        config=dict(n_input=28, n_batch=3, n_hidden=10, n_latent=5, encode_covariates=True),
    ),
    dict(
        name="encode_covariates_layers2_deep",
        seed=11,
        n_cells=14,
        transform_batch=1,
        config=dict(
            n_input=22, n_batch=3, n_hidden=7, n_latent=4, n_layers=2, encode_covariates=True
        ),
    ),
    dict(
        name="encode_covariates_layers2_shallow",
        seed=12,
        n_cells=11,
        config=dict(
            n_input=24,
            n_batch=4,
            n_hidden=6,
            n_latent=5,
            n_layers=2,
            encode_covariates=True,
            deeply_inject_covariates=False,
        ),
    ),
    # Single options.
    dict(
        name="dropout_0",
        seed=13,
        n_cells=12,
        config=dict(n_input=26, n_batch=1, n_hidden=13, n_latent=5, dropout_rate=0.0),
    ),
    dict(
        name="dropout_30",
        seed=14,
        n_cells=13,
        config=dict(n_input=24, n_batch=2, n_hidden=14, n_latent=4, n_layers=2, dropout_rate=0.3),
    ),
    dict(
        name="raw_counts_encoded",
        seed=15,
        n_cells=12,
        config=dict(n_input=25, n_batch=2, n_hidden=10, n_latent=5, log_variational=False),
    ),
    dict(
        name="no_batch_norm",
        seed=16,
        n_cells=13,
        config=dict(n_input=27, n_batch=2, n_hidden=12, n_latent=5, use_batch_norm="none"),
    ),
    dict(
        name="encoder_batch_norm",
        seed=17,
        n_cells=11,
        config=dict(n_input=23, n_batch=2, n_hidden=9, n_latent=4, use_batch_norm="encoder"),
    ),
    dict(
        name="decoder_batch_norm",
        seed=18,
        n_cells=12,
        config=dict(n_input=22, n_batch=3, n_hidden=11, n_latent=3, use_batch_norm="decoder"),
    ),
    # Sizes at their limits.
    dict(
        name="one_latent",
        seed=19,
        n_cells=11,
        config=dict(n_input=23, n_batch=2, n_hidden=9, n_latent=1),
    ),
    dict(
        name="one_hidden",
        seed=20,
        n_cells=10,
        config=dict(n_input=21, n_batch=2, n_hidden=1, n_latent=4),
    ),
    dict(
        name="two_cells",
        seed=21,
        n_cells=2,
        config=dict(n_input=29, n_batch=1, n_hidden=8, n_latent=3),
    ),
    dict(
        name="genes_311",
        seed=22,
        n_cells=21,
        losses_only=True,
        config=dict(n_input=311, n_batch=3, n_hidden=5, n_latent=4),
    ),
    dict(
        name="genes_600",
        seed=23,
        n_cells=21,
        losses_only=True,
        config=dict(n_input=600, n_batch=2, n_hidden=3, n_latent=2, gene_likelihood="nb"),
    ),
    # Wide enough for products that skip the zeros of the hidden layer.
    dict(
        name="zinb_wide_hidden",
        seed=901,
        n_cells=39,
        losses_only=True,
        config=dict(n_input=50, n_batch=2, n_hidden=41, n_latent=4),
    ),
    dict(
        name="nb_gene_cell_wide_hidden",
        seed=902,
        n_cells=34,
        losses_only=True,
        config=dict(
            n_input=45,
            n_batch=2,
            n_hidden=36,
            n_latent=3,
            gene_likelihood="nb",
            dispersion="gene-cell",
        ),
    ),
    # Values at their limits.
    dict(
        name="zinb_extreme_theta",
        seed=24,
        n_cells=12,
        largest_count=20_000,
        theta=(1e-3, 1e5),
        config=dict(n_input=33, n_batch=2, n_hidden=9, n_latent=4),
    ),
    dict(
        name="nb_extreme_theta",
        seed=25,
        n_cells=13,
        largest_count=20_000,
        theta=(1e-3, 1e5),
        config=dict(n_input=31, n_batch=2, n_hidden=8, n_latent=5, gene_likelihood="nb"),
    ),
    dict(
        name="zinb_extreme_heads",
        seed=26,
        n_cells=12,
        head_scale=5.0,
        config=dict(n_input=29, n_batch=2, n_hidden=10, n_latent=4),
    ),
    dict(
        name="poisson_extreme_heads",
        seed=27,
        n_cells=11,
        head_scale=5.0,
        config=dict(n_input=26, n_batch=2, n_hidden=9, n_latent=5, gene_likelihood="poisson"),
    ),
    *options.ROWS,
    # Every pair of option values.
    *pairwise.rows(),
]
