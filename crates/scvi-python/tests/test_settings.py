"""Settings."""

from __future__ import annotations

import logging
import random

import numpy as np
import pytest

from scvi_rs._settings import ScviConfig


def test_seeds_start_with_the_seed_and_differ():
    settings = ScviConfig()
    assert settings.seed == 0
    settings.seed = 7
    first = [settings.next_seed() for _ in range(1000)]
    settings.seed = 7
    assert first == [settings.next_seed() for _ in range(1000)]
    assert first[0] == 7
    assert len(set(first)) == 1000
    assert all(0 <= seed < 2**53 for seed in first[1:])
    settings.seed = 8
    assert not set(first) & {settings.next_seed() for _ in range(1000)}


def test_derived_seeds_never_change():
    settings = ScviConfig(seed=0)
    # The first numbers of SplitMix64 from 0, in 53 bits.
    expected = [0, 0xE220A8397B1DCDAF >> 11, 0x6E789E6AA1B965F4 >> 11]
    assert [settings.next_seed() for _ in range(3)] == expected


def test_setting_a_seed_seeds_numpy_and_random():
    settings = ScviConfig()
    drawn = []
    for _ in range(2):
        settings.seed = 3
        drawn.append((np.random.rand(), random.random()))
    assert drawn[0] == drawn[1]


def test_making_settings_leaves_random_generators_alone():
    np.random.seed(5)
    expected = np.random.rand()
    np.random.seed(5)
    ScviConfig()
    assert np.random.rand() == expected


def test_no_seed_differs_from_process_to_process():
    one, other = ScviConfig(seed=None), ScviConfig(seed=None)
    assert one.seed is None
    assert one.next_seed() != other.next_seed()
    with pytest.raises(ValueError, match="seed must be"):
        one.seed = -1
    with pytest.raises(TypeError):
        one.seed = 1.5
    one.seed = np.int64(4)
    assert one.next_seed() == 4


def test_unknown_settings_name_the_known_ones():
    settings = ScviConfig()
    with pytest.raises(AttributeError, match="no setting 'batchsize'; known settings: batch_size"):
        settings.batchsize = 3
    with pytest.raises(AttributeError, match="no setting 'sede'.* seed,"):
        _ = settings.sede
    assert "batch_size" in dir(settings)


def test_settings_of_scvi_tools_are_accepted():
    settings = ScviConfig()
    settings.dl_num_workers = 3
    settings.dl_persistent_workers = True
    settings.logging_dir = "logs"
    settings.progress_bar_style = "rich"
    settings.warnings_stacklevel = 3
    assert settings.dl_num_workers == 3
    assert settings.logging_dir.is_absolute()


def test_values_out_of_range():
    settings = ScviConfig()
    for name, value in {"batch_size": 0, "num_threads": 0, "progress_bar_style": "dots"}.items():
        with pytest.raises(ValueError, match=name):
            setattr(settings, name, value)


def test_verbosity_is_the_level_of_the_log():
    settings = ScviConfig()
    settings.verbosity = logging.ERROR
    settings.reset_logging_handler()
    log = logging.getLogger("scvi_rs")
    assert (log.level, len(log.handlers)) == (logging.ERROR, 1)
    settings.verbosity = "INFO"
    assert log.level == logging.INFO
