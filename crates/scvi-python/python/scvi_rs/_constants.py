"""Names under which fields are registered, and the scvi-tools release they follow."""

from __future__ import annotations

from typing import NamedTuple

SCVI_TOOLS_VERSION = "1.4.2"
"""Release of scvi-tools whose registries and files are written."""


class _RegistryKeys(NamedTuple):
    X_KEY: str = "X"
    BATCH_KEY: str = "batch"
    LABELS_KEY: str = "labels"
    CAT_COVS_KEY: str = "extra_categorical_covs"
    CONT_COVS_KEY: str = "extra_continuous_covs"
    SIZE_FACTOR_KEY: str = "size_factor"
    INDICES_KEY: str = "ind_x"
    # Minified data.
    MINIFY_TYPE_KEY: str = "minify_type"
    LATENT_QZM_KEY: str = "latent_qzm"
    LATENT_QZV_KEY: str = "latent_qzv"
    OBSERVED_LIB_SIZE: str = "observed_lib_size"
    # Used by models that are not part of this package; kept for code that names them.
    SAMPLE_KEY: str = "sample"
    PROTEIN_EXP_KEY: str = "proteins"
    ATAC_X_KEY: str = "atac"


REGISTRY_KEYS = _RegistryKeys()
"""Registry keys, by scvi-tools' names and with its values."""
