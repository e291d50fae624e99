"""Names in registries and in AnnData objects; all are scvi-tools' own."""

from __future__ import annotations

from typing import NamedTuple

# Entries of adata.uns.
_SCVI_UUID_KEY = "_scvi_uuid"
_MANAGER_UUID_KEY = "_scvi_manager_uuid"
_ADATA_MINIFY_TYPE_UNS_KEY = "_scvi_adata_minify_type"

# A registry.
_SCVI_VERSION_KEY = "scvi_version"
_MODEL_NAME_KEY = "model_name"
_SETUP_METHOD_NAME = "setup_method_name"
_SETUP_ARGS_KEY = "setup_args"
_FIELD_REGISTRIES_KEY = "field_registries"

# The registry of a field.
_DATA_REGISTRY_KEY = "data_registry"
_STATE_REGISTRY_KEY = "state_registry"
_SUMMARY_STATS_KEY = "summary_stats"

# A field's place.
_DR_MOD_KEY = "mod_key"
_DR_ATTR_NAME = "attr_name"
_DR_ATTR_KEY = "attr_key"

# Where the parts of minified data lie.
_LATENT_QZM_OBSM_KEY = "scvi_latent_qzm"
_LATENT_QZV_OBSM_KEY = "scvi_latent_qzv"
_OBSERVED_LIB_SIZE_OBS_KEY = "observed_lib_size"


class _AdataMinifyType(NamedTuple):
    LATENT_POSTERIOR: str = "latent_posterior_parameters"
    LATENT_POSTERIOR_WITH_COUNTS: str = "latent_posterior_parameters_with_counts"


ADATA_MINIFY_TYPE = _AdataMinifyType()
"""What minified data keep beside each cell's posterior."""


class _AdataAttrs(NamedTuple):
    X: str = "X"
    LAYERS: str = "layers"
    OBS: str = "obs"
    OBSM: str = "obsm"
    VAR: str = "var"
    VARM: str = "varm"
    UNS: str = "uns"


_ADATA_ATTRS = _AdataAttrs()
