"""Batches as vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from anndata import AnnData


class EmbeddingMixin:
    """What models with ``batch_representation="embedding"`` say of batches."""

    def get_batch_representation(
        self,
        adata: AnnData | None = None,
        indices: Sequence[int] | None = None,
        batch_size: int | None = None,
    ) -> np.ndarray:
        """The learned vector of each cell's batch.

        Parameters
        ----------
        adata
            Data with the columns that the model was set up with; the model's own if ``None``.
        indices
            Cells, by number or as a mask; all if ``None``.
        batch_size
            Cells evaluated at a time.

        Returns
        -------
        An array of shape (cells, embedding_dim).

        Raises
        ------
        EmbeddingError
            If batches are not embedded.
        """
        return self._engine().batch_representation(self._cells(adata, indices, batch_size))
