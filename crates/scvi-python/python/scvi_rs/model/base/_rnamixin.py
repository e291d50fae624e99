"""Expression: normalised, its parameters, draws, correlations, differences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from scvi_rs._constants import REGISTRY_KEYS
from scvi_rs._listed import listed
from scvi_rs._settings import settings

from ._arguments import ignore_loaders, importance_options
from ._differential_expression import DifferentialExpression
from ._genes import gene_numbers


class RNASeqMixin(DifferentialExpression):
    """What a trained model of RNA counts says of genes."""

    def get_normalized_expression(
        self,
        adata: AnnData | None = None,
        indices: Sequence[int] | None = None,
        transform_batch: Sequence[int | str] | int | str | None = None,
        gene_list: Sequence[str] | None = None,
        library_size: float | Literal["latent"] = 1,
        n_samples: int = 1,
        n_samples_overall: int | None = None,
        weights: Literal["uniform", "importance"] | None = None,
        batch_size: int | None = None,
        return_mean: bool = True,
        return_numpy: bool | None = None,
        silent: bool = True,
        dataloader: Any = None,
        data_loader_kwargs: dict[str, Any] | None = None,
        **importance_weighting_kwargs: Any,
    ) -> np.ndarray | pd.DataFrame:
        """Expression as decoded, free of noise and of library size.

        Parameters
        ----------
        adata
            Data with the columns that the model was set up with; the model's own if ``None``.
        indices
            Cells, by number or as a mask; all if ``None``.
        transform_batch
            Decode every cell as if it came from this batch, or the mean over several; ``None`` for
            each cell's own.
        gene_list
            Names of genes; all if ``None``. Results have them in the order of the data, as in
            scvi-tools.
        library_size
            What each cell is scaled to; 1 gives shares of the whole, ``"latent"`` the expected
            counts.
        n_samples
            Draws z ~ q(z|x) of each cell.
        n_samples_overall
            Draws over all cells together, cells drawn first, with replacement.
        weights
            With ``n_samples_overall``: ``"uniform"``, or ``"importance"`` for draws that explain
            many cells. ``None`` is uniform.
        batch_size
            Cells evaluated at a time.
        return_mean
            Whether the mean over draws is given, or each draw.
        return_numpy
            Whether an array is given instead of a data frame. The default is a data frame where
            there is one value a cell and gene.
        silent
            Whether no progress is shown.
        **importance_weighting_kwargs
            ``max_cells``, ``truncation``, ``n_mc_samples``.

        Returns
        -------
        A data frame of cells by genes, or an array: (cells, genes), with several draws that are
        not averaged (n_samples, cells, genes), with ``n_samples_overall`` (draws, genes).

        Raises
        ------
        GenesError
            If ``gene_list`` is empty, or names a gene that is not the model's.
        """
        ignore_loaders(dataloader, data_loader_kwargs)
        importance = importance_options(weights, importance_weighting_kwargs)
        adata = self._validate_anndata(adata)
        is_overall = n_samples_overall is not None
        cells = self._cells(adata, indices, batch_size, at_least_one=is_overall)
        genes = self._gene_numbers(gene_list)
        options = {
            "library_size": _check_size(library_size),
            "transform_batch": self._batch_codes(transform_batch),
            "genes": genes,
        }
        engine = self._engine()
        with self._bar("normalising", silent) as cells.progress:
            if is_overall:
                values, drawn = engine.normalized_expression_overall(
                    cells,
                    **options,
                    n_samples_overall=n_samples_overall,
                    importance=importance,
                    seed=settings.next_seed(),
                )
                if return_numpy is not False:
                    return values
                return self._frame(values, adata.obs_names[drawn], genes)
            if importance is not None:
                raise ValueError(
                    "weights='importance' needs n_samples_overall: draws are weighed over all cells"
                )
            values = engine.normalized_expression(
                cells,
                **options,
                n_samples=n_samples,
                seed=settings.next_seed(),
                return_mean=return_mean or n_samples == 1,
            )
        if return_numpy or values.ndim == 3:
            return values
        names = adata.obs_names if cells.indices is None else adata.obs_names[cells.indices]
        return self._frame(values, names, genes)

    def _frame(self, values: np.ndarray, cells: pd.Index, genes: list[int] | None) -> pd.DataFrame:
        names = pd.Index(self._engine().var_names)
        columns = names if genes is None else names[genes]
        return pd.DataFrame(values, index=cells, columns=columns)

    def posterior_predictive_sample(
        self,
        adata: AnnData | None = None,
        indices: Sequence[int] | None = None,
        transform_batch: Sequence[int | str] | int | str | None = None,
        n_samples: int = 1,
        gene_list: Sequence[str] | None = None,
        batch_size: int | None = None,
        dataloader: Any = None,
        silent: bool = True,
        **data_loader_kwargs: Any,
    ) -> sparse.csr_matrix | sparse.coo_array:
        """Counts drawn from the posterior predictive distribution p(x̂|x).

        Parameters
        ----------
        adata
            Data with the columns that the model was set up with; the model's own if ``None``.
        indices
            Cells, by number or as a mask; all if ``None``.
        transform_batch
            Draw every cell as if it came from this batch; of several, the mean of a draw from
            each. ``None`` for each cell's own.
        n_samples
            Draws of each cell.
        gene_list
            Names of genes; all if ``None``. Results have them in the order of the data, as in
            scvi-tools.
        batch_size
            Cells evaluated at a time.
        silent
            Whether no progress is shown.

        Returns
        -------
        A sparse matrix of shape (cells, genes); with several draws a sparse array of shape (cells,
        genes, n_samples).
        """
        ignore_loaders(dataloader, data_loader_kwargs)
        cells = self._cells(adata, indices, batch_size)
        genes = self._gene_numbers(gene_list)
        with self._bar("sampling", silent) as cells.progress:
            draws = self._engine().posterior_predictive_sample(
                cells,
                n_samples=n_samples,
                transform_batch=self._batch_codes(transform_batch),
                genes=genes,
                seed=settings.next_seed(),
            )
        n_genes = len(self._engine().var_names) if genes is None else len(genes)
        matrices = [
            sparse.csr_matrix((data, genes_of, starts), shape=(len(starts) - 1, n_genes))
            for starts, genes_of, data in draws
        ]
        if n_samples == 1:
            return matrices[0]
        parts = [matrix.tocoo() for matrix in matrices]
        number = np.repeat(np.arange(n_samples), [part.nnz for part in parts])
        coords = (
            np.concatenate([part.row for part in parts]),
            np.concatenate([part.col for part in parts]),
            number,
        )
        values = np.concatenate([part.data for part in parts])
        return sparse.coo_array((values, coords), shape=(*matrices[0].shape, n_samples))

    def get_likelihood_parameters(
        self,
        adata: AnnData | None = None,
        indices: Sequence[int] | None = None,
        n_samples: int | None = 1,
        give_mean: bool | None = False,
        batch_size: int | None = None,
        dataloader: Any = None,
        **data_loader_kwargs: Any,
    ) -> dict[str, np.ndarray]:
        """Parameters of the likelihood p(x|z).

        Parameters
        ----------
        adata
            Data with the columns that the model was set up with; the model's own if ``None``.
        indices
            Cells, by number or as a mask; all if ``None``.
        n_samples
            Draws z ~ q(z|x) of each cell.
        give_mean
            Whether the mean over draws is given.
        batch_size
            Cells evaluated at a time.

        Returns
        -------
        ``mean``, ``dispersions`` (not of Poisson counts) and ``dropout``, the probability of an
        excess zero (zero-inflated counts alone): arrays of shape (cells, genes), with several draws
        that are not averaged (n_samples, cells, genes).
        """
        ignore_loaders(dataloader, data_loader_kwargs)
        cells = self._cells(adata, indices, batch_size, allow_untrained=True)
        return self._engine().likelihood_parameters(
            cells, n_samples=n_samples, seed=settings.next_seed(), give_mean=bool(give_mean)
        )

    def get_latent_library_size(
        self,
        adata: AnnData | None = None,
        indices: Sequence[int] | None = None,
        give_mean: bool = True,
        batch_size: int | None = None,
        dataloader: Any = None,
        **data_loader_kwargs: Any,
    ) -> np.ndarray:
        """Library size of each cell as the model sees it, in counts.

        Parameters
        ----------
        adata
            Data with the columns that the model was set up with; the model's own if ``None``.
        indices
            Cells, by number or as a mask; all if ``None``.
        give_mean
            Whether the mean of the posterior is given, or one draw. A model that takes the
            observed total has no posterior.
        batch_size
            Cells evaluated at a time.

        Returns
        -------
        An array of shape (cells, 1).

        Raises
        ------
        RuntimeError
            If the mean is asked of a model that takes the observed total.
        """
        self._refuse_minified(adata, "RNASeqMixin.get_latent_library_size")
        ignore_loaders(dataloader, data_loader_kwargs)
        config = self._engine().config
        inferred = not (config["use_observed_lib_size"] or config["use_size_factor_key"])
        if give_mean and not inferred:
            raise RuntimeError(
                "the model takes each cell's total for its library size and infers no posterior of "
                "it; pass give_mean=False for that total"
            )
        cells = self._cells(adata, indices, batch_size)
        seed = None if give_mean else settings.next_seed()
        return self._engine().latent_library_size(cells, seed)[:, np.newaxis]

    def get_feature_correlation_matrix(
        self,
        adata: AnnData | None = None,
        indices: Sequence[int] | None = None,
        n_samples: int = 10,
        batch_size: int = 64,
        rna_size_factor: float = 1000,
        transform_batch: Sequence[int | str] | int | str | None = None,
        correlation_type: Literal["spearman", "pearson"] = "spearman",
        silent: bool = True,
    ) -> pd.DataFrame:
        """Correlation of every two genes over denoised draws.

        Parameters
        ----------
        adata
            Data with the columns that the model was set up with; the model's own if ``None``.
        indices
            Cells, by number or as a mask; all if ``None``.
        n_samples
            Draws of each cell.
        batch_size
            Cells evaluated at a time.
        rna_size_factor
            Size that every cell is brought to, in counts.
        transform_batch
            Decode every cell as if it came from this batch, or the mean correlation over several;
            ``None`` for each cell's own.
        correlation_type
            Of ranks or of values.
        silent
            Whether no progress is shown.

        Returns
        -------
        A data frame of genes by genes.
        """
        cells = self._cells(adata, indices, batch_size, at_least_one=True)
        with self._bar("correlating", silent) as cells.progress:
            matrix = self._engine().feature_correlation_matrix(
                cells,
                n_samples=n_samples,
                rna_size_factor=rna_size_factor,
                transform_batch=self._batch_codes(transform_batch),
                correlation_type=correlation_type,
                seed=settings.next_seed(),
            )
        names = self._engine().var_names
        return pd.DataFrame(matrix, index=names, columns=names)

    def _batch_codes(self, batches: Any) -> list[int]:
        """Codes of batches by their names; none for each cell's own.

        A number is looked for among the categories first, then taken for a code.
        """
        if batches is None:
            return []
        if isinstance(batches, str) or not isinstance(batches, Iterable):
            batches = [batches]
        known = list(self.get_state_registry(REGISTRY_KEYS.BATCH_KEY)["categorical_mapping"])
        codes = []
        for batch in batches:
            if batch is None:
                return []
            if batch in known:
                codes.append(known.index(batch))
            else:
                raise ValueError(
                    f'"{batch}" not a valid batch category; there are: {listed(known)}'
                )
        return codes

    def _gene_numbers(self, gene_list: Sequence[str] | None) -> list[int] | None:
        """Numbers of genes by their names, rising; ``None`` for all."""
        return None if gene_list is None else gene_numbers(gene_list, self._engine().var_names)


def _check_size(library_size: float | str) -> float | str:
    if library_size == "latent":
        return library_size
    if isinstance(library_size, str) or not 0 < float(library_size) < np.inf:
        raise ValueError(
            f"library_size is {library_size!r}; expected a number above 0, or 'latent'"
        )
    return float(library_size)
