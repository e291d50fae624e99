"""Training, validation and test cells."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from math import ceil, floor
from typing import Any

import numpy as np

from scvi_rs._settings import settings
from scvi_rs.data import AnnDataManager

Permutation = Callable[[int, int], np.ndarray]

_SETS = ("train", "valid", "test")


def validate_data_split(
    n_samples: int, train_size: float, validation_size: float | None = None
) -> tuple[int, int]:
    """Numbers of cells to train and to validate on.

    With ``n`` cells those are ``ceil(train_size n)`` and ``floor(validation_size n)``, or all
    others.

    Parameters
    ----------
    n_samples
        Number of cells.
    train_size
        Share to train on, above 0 and at most 1.
    validation_size
        Share to validate on, from 0 and below 1; ``None`` for all others.

    Raises
    ------
    ValueError
        If a share is out of its range, they sum to more than 1, or fewer than 2 cells are left to
        train on.

    Notes
    -----
    scvi-tools moves a last minibatch of 1 or 2 cells to the validation set, as its batch
    normalisation fails on it. Here it joins the minibatch before it, and no cell moves.
    """
    if not 0.0 < train_size <= 1.0:
        raise ValueError("Invalid train_size. Must be: 0 < train_size <= 1")
    n_train = ceil(train_size * n_samples)
    if validation_size is None:
        n_validation = n_samples - n_train
    elif not 0.0 <= validation_size < 1.0:
        raise ValueError("Invalid validation_size. Must be 0 <= validation_size < 1")
    elif train_size + validation_size > 1:
        raise ValueError("train_size + validation_size must be between 0 and 1")
    else:
        n_validation = min(floor(n_samples * validation_size), n_samples - n_train)
    _check_enough(n_train, n_samples)
    return n_train, n_validation


def _check_enough(n_train: int, n_samples: int) -> None:
    if n_train < 2:
        raise ValueError(
            f"{n_train} of {n_samples} cells to train on; at least 2 are needed. Increase "
            "train_size, or give more cells."
        )


def validate_external_indexing(
    n_samples: int, external_indexing: list[np.ndarray | None]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Checks that sets of cells given by the user are a split.

    Parameters
    ----------
    n_samples
        Number of cells.
    external_indexing
        Cells to train on, to validate on and to test on; sets at the end may be left out.

    Returns
    -------
    The three sets.

    Raises
    ------
    ValueError
        If this is no list of arrays of cell numbers, or two sets share a cell.
    Warning
        If a set repeats a cell, or a cell is in no set. (As in scvi-tools it is raised.)
    """
    if not isinstance(external_indexing, list):
        # A ValueError, as in scvi-tools.
        raise ValueError("External indexing is not of list type")  # noqa: TRY004
    if len(external_indexing) > len(_SETS):
        raise ValueError(f"External indexing has {len(external_indexing)} sets; at most 3 are used")
    given = external_indexing + [None] * (len(_SETS) - len(external_indexing))
    sets = [np.zeros(0, np.int64) if cells is None else cells for cells in given]
    if not all(isinstance(cells, np.ndarray) for cells in sets):
        raise ValueError("One of the given external indexing arrays is not a np.array")
    unique = [np.unique(cells) for cells in sets]
    for name, cells, once in zip(_SETS, sets, unique, strict=True):
        if len(once) < len(cells):
            raise Warning(f"There are duplicate indexing in {name} set")
    if sum(map(len, unique)) < n_samples:
        raise Warning("There are missing indices please fix or remove those lines")
    overlaps = [("train", "valid"), ("train", "test"), ("test", "valid")]
    for (i, j), (one, other) in zip(combinations(range(3), 2), overlaps, strict=True):
        if len(np.intersect1d(unique[i], unique[j])) > 0:
            raise ValueError(f"There are overlapping indexing between {one} and {other} sets")
    for name, cells in zip(_SETS, sets, strict=True):
        _check_cells(name, cells, n_samples)
    _check_enough(len(sets[0]), n_samples)
    train, validation, test = (cells.astype(np.int64) for cells in sets)
    return train, validation, test


def _check_cells(name: str, cells: np.ndarray, n_samples: int) -> None:
    if len(cells) == 0:
        return
    if not np.issubdtype(cells.dtype, np.integer):
        raise ValueError(f"indices of the {name} set must be whole numbers, not {cells.dtype}")
    if cells.min() < 0 or cells.max() >= n_samples:
        raise ValueError(
            f"indices of the {name} set must be from 0 to {n_samples - 1}; "
            f"there are some from {cells.min()} to {cells.max()}"
        )


class DataSplitter:
    """Splits cells into a training, a validation and a test set.

    Parameters
    ----------
    adata_manager
        Manager of the data.
    train_size
        Share to train on; ``None`` is 0.9.
    validation_size
        Share to validate on; ``None`` for all others. What is left is for tests.
    shuffle_set_split
        Whether cells are shuffled before; otherwise the first are validated on, the next trained
        on, and the rest is for tests.
    load_sparse_tensor, pin_memory
        Accepted and unused.
    external_indexing
        The sets themselves, as arrays of cell numbers: to train, to validate and to test on. Sets
        at the end may be left out.
    drop_last
        Whether the last minibatch of an epoch is left out if it is not full.
    seed
        Seed of the shuffling; ``settings.seed`` by default.
    permutation
        ``permutation(n, seed)`` gives the order of ``n`` cells; the engine's own by default, so
        that the split is that of the command ``scvi`` for the same seed.
    **kwargs
        Further arguments of a data loader: ``batch_size``; others are accepted and unused.

    Attributes
    ----------
    n_train, n_val
        Sizes of the sets.
    train_idx, val_idx, test_idx
        Their cells, int64, once :meth:`setup` was called.

    Raises
    ------
    ValueError, Warning
        As :func:`validate_data_split` and :func:`validate_external_indexing` do.
    """

    train_idx: np.ndarray
    val_idx: np.ndarray
    test_idx: np.ndarray

    def __init__(
        self,
        adata_manager: AnnDataManager,
        train_size: float | None = None,
        validation_size: float | None = None,
        shuffle_set_split: bool = True,
        load_sparse_tensor: bool = False,
        pin_memory: bool = False,
        external_indexing: list[np.ndarray | None] | None = None,
        drop_last: bool = False,
        seed: int | None = None,
        permutation: Permutation | None = None,
        **kwargs: Any,
    ) -> None:
        self.adata_manager = adata_manager
        self.train_size = 0.9 if train_size is None else float(train_size)
        self.validation_size = validation_size
        self.shuffle_set_split = shuffle_set_split
        self.load_sparse_tensor = load_sparse_tensor
        self.pin_memory = pin_memory
        self.drop_last = drop_last
        self.seed = seed
        self.data_loader_kwargs = kwargs
        self._permutation = permutation
        n = adata_manager.adata.n_obs
        self.external_indexing = None
        if external_indexing is None:
            self.n_train, self.n_val = validate_data_split(n, self.train_size, validation_size)
        else:
            self.external_indexing = validate_external_indexing(n, external_indexing)
            self.n_train, self.n_val = (len(cells) for cells in self.external_indexing[:2])

    def __repr__(self) -> str:
        n = self.adata_manager.adata.n_obs
        n_test = n - self.n_train - self.n_val
        return (
            f"DataSplitter({n} cells: {self.n_train} to train on, {self.n_val} to validate on, "
            f"{n_test} to test on)"
        )

    @property
    def batch_size(self) -> int:
        """Cells in a minibatch: as given, or ``settings.batch_size``."""
        return self.data_loader_kwargs.get("batch_size") or settings.batch_size

    def setup(self, stage: str | None = None) -> None:
        """Makes the sets.

        Parameters
        ----------
        stage
            Accepted and unused.
        """
        if self.external_indexing is not None:
            self.train_idx, self.val_idx, self.test_idx = self.external_indexing
            return
        order = self._order(self.adata_manager.adata.n_obs)
        parts = np.split(order, [self.n_val, self.n_val + self.n_train])
        self.val_idx, self.train_idx, self.test_idx = parts

    def _order(self, n: int) -> np.ndarray:
        if not self.shuffle_set_split:
            return np.arange(n, dtype=np.int64)
        permutation = self._permutation
        if permutation is None:
            from scvi_rs._core import split_permutation as permutation
        seed = settings.seed if self.seed is None else self.seed
        if seed is None:
            seed = settings.next_seed()
        return np.asarray(permutation(n, seed)).astype(np.int64)
