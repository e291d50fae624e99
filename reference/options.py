"""One configuration or more for each value of each option; configurations.py says what a row is."""

ROWS = [
    # Dispersions and likelihoods beyond the default.
    dict(
        name="gene_label",
        seed=28,
        n_cells=13,
        config=dict(
            n_input=24, n_batch=2, n_labels=4, n_hidden=9, n_latent=5, dispersion="gene-label"
        ),
    ),
    dict(
        name="gene_cell",
        seed=29,
        n_cells=12,
        config=dict(n_input=27, n_batch=2, n_hidden=8, n_latent=4, dispersion="gene-cell"),
    ),
    dict(
        name="gene_cell_genes_311",
        seed=30,
        n_cells=18,
        losses_only=True,
        config=dict(
            n_input=311,
            n_batch=2,
            n_hidden=4,
            n_latent=3,
            dispersion="gene-cell",
            gene_likelihood="nb",
        ),
    ),
    dict(
        name="normal",
        seed=31,
        n_cells=13,
        largest_count=30,
        config=dict(n_input=25, n_batch=2, n_hidden=9, n_latent=4, gene_likelihood="normal"),
    ),
    dict(
        name="normal_gene_cell",
        seed=32,
        n_cells=11,
        largest_count=30,
        config=dict(
            n_input=23,
            n_batch=2,
            n_hidden=7,
            n_latent=4,
            gene_likelihood="normal",
            dispersion="gene-cell",
        ),
    ),
    # The latent space.
    dict(
        name="ln",
        seed=33,
        n_cells=12,
        config=dict(n_input=26, n_batch=2, n_hidden=10, n_latent=5, latent_distribution="ln"),
    ),
    dict(
        name="var_activation_softplus",
        seed=34,
        n_cells=12,
        config=dict(n_input=23, n_batch=2, n_hidden=9, n_latent=4, var_activation="softplus"),
    ),
    dict(
        name="var_eps",
        seed=35,
        n_cells=11,
        config=dict(
            n_input=22, n_batch=1, n_hidden=8, n_latent=4, extra_encoder_kwargs=dict(var_eps=0.25)
        ),
    ),
    # The library.
    dict(
        name="size_factor",
        seed=36,
        n_cells=14,
        config=dict(n_input=25, n_batch=2, n_hidden=9, n_latent=4, use_size_factor_key=True),
    ),
    dict(
        name="size_factor_genes_311",
        seed=37,
        n_cells=19,
        losses_only=True,
        config=dict(n_input=311, n_batch=2, n_hidden=4, n_latent=3, use_size_factor_key=True),
    ),
    dict(
        name="latent_library",
        seed=38,
        n_cells=13,
        transform_batch=1,
        config=dict(
            n_input=24,
            n_batch=3,
            n_hidden=9,
            n_latent=4,
            use_observed_lib_size=False,
            library_log_means=[3.5, 4.0, 3.75],
            library_log_vars=[0.5, 0.25, 1.5],
        ),
    ),
    dict(
        name="latent_library_layers2_encode_covariates",
        seed=39,
        n_cells=12,
        config=dict(
            n_input=22,
            n_batch=2,
            n_hidden=7,
            n_latent=3,
            n_layers=2,
            encode_covariates=True,
            use_observed_lib_size=False,
            library_log_means=[3.5, 4.25],
            library_log_vars=[0.75, 0.25],
        ),
    ),
    # Covariates.
    dict(
        name="continuous_covariates",
        seed=40,
        n_cells=12,
        config=dict(n_input=24, n_batch=2, n_hidden=9, n_latent=4, n_continuous_cov=3),
    ),
    dict(
        name="continuous_covariates_encoded",
        seed=41,
        n_cells=13,
        config=dict(
            n_input=23,
            n_batch=2,
            n_hidden=8,
            n_latent=4,
            n_layers=2,
            n_continuous_cov=2,
            encode_covariates=True,
        ),
    ),
    dict(
        name="categorical_covariates",
        seed=42,
        n_cells=14,
        config=dict(n_input=22, n_batch=2, n_hidden=8, n_latent=4, n_cats_per_cov=[3, 1, 4]),
    ),
    dict(
        name="categorical_covariates_encoded_no_batch",
        seed=43,
        n_cells=13,
        config=dict(
            n_input=21,
            n_batch=0,
            n_hidden=7,
            n_latent=3,
            n_layers=2,
            n_cats_per_cov=[2, 3],
            encode_covariates=True,
        ),
    ),
    # Batches as an embedding.
    dict(
        name="embedding",
        seed=44,
        n_cells=13,
        transform_batch=1,
        config=dict(
            n_input=24, n_batch=4, n_hidden=9, n_latent=4, batch_representation="embedding"
        ),
    ),
    dict(
        name="embedding_encoded_covariates",
        seed=45,
        n_cells=14,
        config=dict(
            n_input=22,
            n_batch=3,
            n_hidden=8,
            n_latent=4,
            n_layers=2,
            n_continuous_cov=2,
            n_cats_per_cov=[3, 2],
            encode_covariates=True,
            batch_representation="embedding",
            batch_embedding_kwargs=dict(embedding_dim=3),
        ),
    ),
    dict(
        name="embedding_padding_idx",
        seed=46,
        n_cells=13,
        config=dict(
            n_input=21,
            n_batch=3,
            n_hidden=8,
            n_latent=3,
            batch_representation="embedding",
            batch_embedding_kwargs=dict(embedding_dim=4, padding_idx=1),
        ),
    ),
    dict(
        name="embedding_max_norm",
        seed=47,
        n_cells=13,
        config=dict(
            n_input=22,
            n_batch=4,
            n_hidden=7,
            n_latent=3,
            batch_representation="embedding",
            batch_embedding_kwargs=dict(embedding_dim=3, max_norm=1.0, norm_type=1.0),
        ),
    ),
    dict(
        name="embedding_scale_grad_by_freq",
        seed=48,
        n_cells=15,
        config=dict(
            n_input=23,
            n_batch=3,
            n_hidden=7,
            n_latent=4,
            batch_representation="embedding",
            batch_embedding_kwargs=dict(embedding_dim=2, scale_grad_by_freq=True),
        ),
    ),
    # Normalisation over features.
    dict(
        name="layer_norm_both",
        seed=49,
        n_cells=12,
        config=dict(n_input=23, n_batch=2, n_hidden=9, n_latent=4, use_layer_norm="both"),
    ),
    dict(
        name="layer_norm_encoder_alone",
        seed=50,
        n_cells=11,
        config=dict(
            n_input=24,
            n_batch=2,
            n_hidden=8,
            n_latent=4,
            use_layer_norm="encoder",
            use_batch_norm="none",
        ),
    ),
    dict(
        name="layer_norm_decoder",
        seed=51,
        n_cells=12,
        config=dict(
            n_input=22,
            n_batch=3,
            n_hidden=7,
            n_latent=4,
            n_layers=2,
            use_layer_norm="decoder",
            use_batch_norm="encoder",
        ),
    ),
    # Layers' own options.
    *(
        dict(
            name=f"activation_{name}",
            seed=52 + i,
            n_cells=12,
            config=dict(
                n_input=21 + i,
                n_batch=2,
                n_hidden=8,
                n_latent=4,
                extra_encoder_kwargs=dict(activation_fn=name),
                extra_decoder_kwargs=dict(activation_fn=name),
            ),
        )
        for i, name in enumerate(
            ["leaky_relu", "elu", "gelu", "silu", "tanh", "softplus", "identity"]
        )
    ),
    dict(
        name="no_activation",
        seed=60,
        n_cells=11,
        config=dict(
            n_input=22,
            n_batch=2,
            n_hidden=7,
            n_latent=4,
            extra_encoder_kwargs=dict(use_activation=False),
            extra_decoder_kwargs=dict(use_activation=False),
        ),
    ),
    dict(
        name="no_bias",
        seed=61,
        n_cells=12,
        config=dict(
            n_input=23,
            n_batch=2,
            n_hidden=8,
            n_latent=4,
            n_layers=2,
            use_batch_norm="none",
            extra_encoder_kwargs=dict(bias=False),
            extra_decoder_kwargs=dict(bias=False),
        ),
    ),
    # The linear decoder.
    dict(
        name="linear_decoder",
        seed=62,
        n_cells=13,
        transform_batch=1,
        config=dict(
            n_input=24,
            n_batch=3,
            n_hidden=9,
            n_latent=4,
            linear_decoder=True,
            gene_likelihood="nb",
            extra_decoder_kwargs=dict(bias=False),
            use_observed_lib_size=False,
            library_log_means=[3.5, 4.0, 3.75],
            library_log_vars=[0.5, 0.25, 1.5],
        ),
    ),
    dict(
        name="linear_decoder_zinb",
        seed=63,
        n_cells=14,
        config=dict(n_input=23, n_batch=1, n_hidden=8, n_latent=5, linear_decoder=True),
    ),
    dict(
        name="linear_decoder_no_batch_norm",
        seed=64,
        n_cells=12,
        config=dict(
            n_input=22,
            n_batch=2,
            n_hidden=7,
            n_latent=4,
            n_layers=2,
            linear_decoder=True,
            use_batch_norm="encoder",
        ),
    ),
    dict(
        name="linear_decoder_genes_311",
        seed=65,
        n_cells=19,
        losses_only=True,
        config=dict(
            n_input=311,
            n_batch=2,
            n_hidden=5,
            n_latent=3,
            linear_decoder=True,
            dispersion="gene-batch",
        ),
    ),
]
