"""Splits."""

from __future__ import annotations

import numpy as np
import pytest
from test_data_manager import make_adata, register

from scvi_rs._settings import settings
from scvi_rs.dataloaders import DataSplitter


@pytest.fixture
def manager():
    return register(make_adata(n=101))


def reverse(n: int, seed: int) -> np.ndarray:
    return np.arange(n, dtype=np.uint32)[::-1]


@pytest.mark.parametrize(
    ("train_size", "validation_size", "sizes"),
    [(None, None, (91, 10, 0)), (0.5, 0.25, (51, 25, 25)), (1.0, None, (101, 0, 0))],
)
def test_sizes_are_those_of_scvi_tools(manager, train_size, validation_size, sizes):
    splitter = DataSplitter(manager, train_size, validation_size, permutation=reverse)
    splitter.setup()
    parts = (splitter.train_idx, splitter.val_idx, splitter.test_idx)
    assert tuple(map(len, parts)) == sizes
    assert (splitter.n_train, splitter.n_val) == sizes[:2]
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(101))
    # Validation cells come first, then training cells.
    order = np.concatenate([splitter.val_idx, splitter.train_idx, splitter.test_idx])
    np.testing.assert_array_equal(order, reverse(101, 0))
    assert all(part.dtype == np.int64 for part in parts)


def test_without_shuffling_cells_keep_their_order(manager):
    splitter = DataSplitter(manager, 0.5, 0.3, shuffle_set_split=False)
    splitter.setup()
    np.testing.assert_array_equal(splitter.val_idx, np.arange(30))
    np.testing.assert_array_equal(splitter.train_idx, np.arange(30, 81))
    np.testing.assert_array_equal(splitter.test_idx, np.arange(81, 101))


def test_the_seed_is_the_settings_unless_given(manager):
    seeds = []

    def permutation(n, seed):
        seeds.append(seed)
        return np.arange(n)

    settings.seed = 5
    for seed in (None, None, 9):
        DataSplitter(manager, seed=seed, permutation=permutation).setup()
    settings.seed = None
    DataSplitter(manager, permutation=permutation).setup()
    settings.seed = 0
    assert seeds[:3] == [5, 5, 9]
    assert isinstance(seeds[3], int)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((1.5, 0.3), "Invalid train_size. Must be: 0 < train_size <= 1"),
        ((0.0, None), "Invalid train_size. Must be: 0 < train_size <= 1"),
        ((0.5, 1.3), "Invalid validation_size. Must be 0 <= validation_size < 1"),
        ((0.5, 0.8), "train_size + validation_size must be between 0 and 1"),
        ((0.001, None), "1 of 101 cells to train on; at least 2 are needed."),
    ],
)
def test_impossible_sizes(manager, sizes, message):
    with pytest.raises(ValueError) as error:
        DataSplitter(manager, *sizes)
    assert str(error.value).startswith(message)


def test_no_cell_moves_for_the_last_minibatch(manager):
    assert DataSplitter(manager, batch_size=90).n_train == 91  # 91 = 90 + 1
    assert DataSplitter(manager, batch_size=90).batch_size == 90
    assert DataSplitter(manager).batch_size == settings.batch_size


def parts_of(n: int = 101) -> list[np.ndarray]:
    return np.split(np.arange(n), [60, 80])


def test_given_sets(manager):
    given = parts_of()
    splitter = DataSplitter(manager, external_indexing=given)
    splitter.setup()
    for cells, part in zip((splitter.train_idx, splitter.val_idx, splitter.test_idx), given):
        np.testing.assert_array_equal(cells, part)
    assert (splitter.n_train, splitter.n_val) == (60, 20)
    two = [np.arange(80), np.arange(80, 101)]
    splitter = DataSplitter(manager, external_indexing=two)
    splitter.setup()
    assert len(two) == 2, "the caller's list is left alone"
    assert splitter.test_idx.shape == (0,)
    DataSplitter(manager, external_indexing=[np.arange(101), None, None])


def replaced(index: int, *more: int) -> list[np.ndarray]:
    parts = parts_of()
    parts[index] = np.append(parts[index], more)
    return parts


@pytest.mark.parametrize(
    ("sets", "kind", "message"),
    [
        (np.arange(101), ValueError, "External indexing is not of list type"),
        ([[1]], ValueError, "One of the given external indexing arrays is not a np.array"),
        ([], Warning, "There are missing indices please fix or remove those lines"),
        ([np.arange(50)], Warning, "There are missing indices please fix or remove those lines"),
        (replaced(0, 3), Warning, "There are duplicate indexing in train set"),
        (replaced(1, 70), Warning, "There are duplicate indexing in valid set"),
        (replaced(2, 90), Warning, "There are duplicate indexing in test set"),
        (
            replaced(0, 70),
            ValueError,
            "There are overlapping indexing between train and valid sets",
        ),
        (replaced(0, 90), ValueError, "There are overlapping indexing between train and test sets"),
        (replaced(1, 90), ValueError, "There are overlapping indexing between test and valid sets"),
        (replaced(0, 101), ValueError, "indices of the train set must be from 0 to 100"),
        ([np.arange(-1, 100)], ValueError, "indices of the train set must be from 0 to 100"),
        ([np.arange(101.0)], ValueError, "indices of the train set must be whole numbers"),
        ([np.arange(1), np.arange(1, 101)], ValueError, "1 of 101 cells to train on"),
        ([*parts_of(), None], ValueError, "External indexing has 4 sets"),
    ],
)
def test_impossible_sets(manager, sets, kind, message):
    with pytest.raises(kind) as error:
        DataSplitter(manager, external_indexing=sets)
    assert str(error.value).startswith(message)
