"""Embeddings of a module by key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from scvi_rs import _core
from scvi_rs._constants import REGISTRY_KEYS
from scvi_rs._settings import settings
from scvi_rs.exceptions import EmbeddingError


@dataclass(frozen=True)
class Embedding:
    """A vector for each category.

    Parameters
    ----------
    weight
        The vectors, a copy of shape (num_embeddings, embedding_dim), shortened to ``max_norm``
        where that is set.
    """

    weight: np.ndarray

    @property
    def num_embeddings(self) -> int:
        """Categories."""
        return self.weight.shape[0]

    @property
    def embedding_dim(self) -> int:
        """Length of a vector."""
        return self.weight.shape[1]


class EmbeddingModuleMixin:
    """Embeddings of a module; that under ``"batch"`` is read by the module itself.

    Every method raises :class:`~scvi_rs.exceptions.EmbeddingError`, a :class:`KeyError`, where a key
    is unknown, or taken, or the module needs what is under it.
    """

    _core: _core.Model
    # Taken out, though the module reads it: nothing works until another is there.
    _removed: frozenset[str] = frozenset()

    def _check_embeddings(self, *keys: str) -> None:
        for key in keys or self._removed:
            if key in self._removed:
                raise EmbeddingError(f"embedding {key!r} was removed; add one by init_embedding()")

    def init_embedding(
        self,
        key: str,
        num_embeddings: int,
        embedding_dim: int = 5,
        overwrite: bool = False,
        **kwargs: Any,
    ) -> None:
        """Adds an embedding with vectors from N(0, 1).

        Parameters
        ----------
        key
            Its key.
        num_embeddings, embedding_dim
            Categories, and length of a vector.
        overwrite
            Whether to replace the one there.
        **kwargs
            Options of ``batch_embedding_kwargs``.
        """
        options = {"embedding_dim": embedding_dim, **kwargs}
        overwrite = overwrite or key in self._removed
        self._core.init_embedding(key, num_embeddings, options, settings.next_seed(), overwrite)
        self._removed -= {key}

    def remove_embedding(self, key: str) -> None:
        """Takes an embedding out.

        Without that under ``"batch"`` a module that reads it can do nothing until another is added.
        """
        self._check_embeddings(key)
        self._core.embedding_shape(key)  # there is one
        if key == REGISTRY_KEYS.BATCH_KEY:
            self._removed |= {key}
        else:
            self._core.remove_embedding(key)

    def get_embedding(self, key: str) -> Embedding:
        """The embedding under a key."""
        self._check_embeddings(key)
        rows, _ = self._core.embedding_shape(key)
        return Embedding(self.compute_embedding(key, np.arange(rows)))

    def compute_embedding(self, key: str, indices: ArrayLike) -> np.ndarray:
        """Vectors of categories.

        Parameters
        ----------
        key
            Key of the embedding.
        indices
            Categories, of any shape.

        Returns
        -------
        An array of shape (number of indices, embedding_dim).
        """
        self._check_embeddings(key)
        indices = np.ascontiguousarray(indices).reshape(-1)
        if indices.size and indices.min() < 0:
            raise ValueError(f"category {indices.min()} of embedding {key!r}; they count from 0")
        return self._core.compute_embedding(key, indices.astype(np.uint32))

    def extend_embedding(self, key: str, init: int | list[int], freeze_prev: bool = True) -> None:
        """Adds categories to an embedding.

        Parameters
        ----------
        key
            Key of the embedding.
        init
            How many to add with vectors from N(0, 1), or whose vectors to copy.
        freeze_prev
            Whether training leaves the earlier vectors as they are.
        """
        self._core.extend_embedding(key, init, freeze_prev, settings.next_seed())
