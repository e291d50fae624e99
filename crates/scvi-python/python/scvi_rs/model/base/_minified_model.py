"""Models that work on cells' stored posteriors."""

from __future__ import annotations

from anndata import AnnData

from scvi_rs._constants import REGISTRY_KEYS
from scvi_rs.data._constants import _ADATA_MINIFY_TYPE_UNS_KEY, ADATA_MINIFY_TYPE
from scvi_rs.data._minify import check_minified_data_type, minified_adata, minified_fields
from scvi_rs.data._utils import _get_adata_minify_type
from scvi_rs.data.fields import BaseAnnDataField

from ._base_model import BaseModelClass


class BaseMinifiedModeModelClass(BaseModelClass):
    """A model that can work on cells' stored posteriors instead of their counts."""

    _LATENT_QZM_KEY = "scvi_latent_qzm"
    _LATENT_QZV_KEY = "scvi_latent_qzv"
    _OBSERVED_LIB_SIZE_KEY = "observed_lib_size"

    @property
    def minified_data_type(self) -> str | None:
        """What the model's minified data keep; ``None`` where they are not minified."""
        manager = self._adata_manager
        if manager is None or REGISTRY_KEYS.MINIFY_TYPE_KEY not in manager.data_registry:
            return None
        return manager.get_from_registry(REGISTRY_KEYS.MINIFY_TYPE_KEY)

    def minify_adata(
        self,
        minified_data_type: str = ADATA_MINIFY_TYPE.LATENT_POSTERIOR,
        use_latent_qzm_key: str = "X_latent_qzm",
        use_latent_qzv_key: str = "X_latent_qzv",
    ) -> None:
        """Gives the model new data that keep each cell's posterior instead of its counts.

        Parameters
        ----------
        minified_data_type
            ``"latent_posterior_parameters"``, or ``"latent_posterior_parameters_with_counts"``,
            which keeps the counts as well.
        use_latent_qzm_key, use_latent_qzv_key
            Where ``adata.obsm`` holds means and variances, from
            ``get_latent_representation(return_dist=True)``.

        Examples
        --------
        >>> qzm, qzv = model.get_latent_representation(return_dist=True)
        >>> model.adata.obsm["X_latent_qzm"], model.adata.obsm["X_latent_qzv"] = qzm, qzv
        >>> model.minify_adata()
        """
        check_minified_data_type(minified_data_type)
        self._check_if_trained(warn=False)
        if not self._engine().config["use_observed_lib_size"]:
            raise ValueError(
                "Minification is not supported for models that do not use observed library size."
            )
        mini = minified_adata(
            self._adata_manager,
            minified_data_type,
            use_latent_qzm_key,
            use_latent_qzv_key,
            self._latent_keys(),
        )
        # Registered as any other object first, then with what is minified of it.
        kind = mini.uns.pop(_ADATA_MINIFY_TYPE_UNS_KEY)
        self._validate_anndata(mini)
        mini.uns[_ADATA_MINIFY_TYPE_UNS_KEY] = kind
        self.get_anndata_manager(mini, required=True).register_new_fields(
            self._minified_fields(minified_data_type)
        )
        self.adata = mini

    @classmethod
    def _latent_keys(cls) -> tuple[str, str]:
        """Where minified data have means and variances in obsm."""
        return cls._LATENT_QZM_KEY, cls._LATENT_QZV_KEY

    @classmethod
    def _minified_fields(cls, minified_data_type: str) -> list[BaseAnnDataField]:
        return minified_fields(minified_data_type, cls._latent_keys())

    def _refuse_minified(self, adata: AnnData | None, function: str) -> None:
        """Refuses a function that needs counts where there are none."""
        adata = self._adata if adata is None else adata
        if adata is None:
            return
        if _get_adata_minify_type(adata) == ADATA_MINIFY_TYPE.LATENT_POSTERIOR:
            raise ValueError(f"The {function} function currently does not support minified data.")

    @property
    def summary_string(self) -> str:
        """A description of the model."""
        is_minified = self.minified_data_type is not None
        return f"{super().summary_string}\nModel's adata is minified?: {is_minified}"
