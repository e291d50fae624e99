"""Small helpers."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from scvi_rs.data._constants import ADATA_MINIFY_TYPE
from scvi_rs.data._view import table
from scvi_rs.utils import (
    attrdict,
    dependencies,
    is_package_installed,
    unsupported_if_adata_minified,
)


def test_attrdict_is_read_by_attribute_and_by_key():
    nested = attrdict({"a": {"b": 1}}, c=[2])
    assert nested.a.b == nested["a"]["b"] == 1
    assert dict(nested) == {"a": {"b": 1}, "c": [2]}
    assert nested == attrdict(a=attrdict(b=1), c=[2])
    assert nested.to_dict() == {"a": {"b": 1}, "c": [2]}
    assert "a" in nested and "b" not in nested
    assert {"a", "c", "keys"} <= set(dir(nested))
    with pytest.raises(AttributeError, match="'b'; there are: a, c"):
        _ = nested.b


def test_attrdict_is_read_only():
    stats = attrdict(n=1)
    with pytest.raises(AttributeError, match="read-only"):
        stats.n = 2
    with pytest.raises(AttributeError, match="read-only"):
        del stats.n
    with pytest.raises(TypeError):
        stats["n"] = 2


def test_attrdict_survives_copy_and_pickle():
    stats = attrdict(a={"b": np.arange(3)})
    for other in (copy.copy(stats), copy.deepcopy(stats), pickle.loads(pickle.dumps(stats))):
        assert isinstance(other.a, attrdict)
        np.testing.assert_array_equal(other.a.b, np.arange(3))


def test_methods_that_need_counts():
    class Model:
        minified_data_type = None

        @unsupported_if_adata_minified
        def get_elbo(self, value):
            """Doc."""
            return value

    model = Model()
    assert model.get_elbo(3) == 3
    assert model.get_elbo.__doc__ == "Doc."
    model.minified_data_type = ADATA_MINIFY_TYPE.LATENT_POSTERIOR_WITH_COUNTS
    assert model.get_elbo(value=3) == 3
    model.minified_data_type = ADATA_MINIFY_TYPE.LATENT_POSTERIOR
    with pytest.raises(ValueError, match="Model.get_elbo function currently does not support"):
        model.get_elbo(3)


def test_dependencies():
    assert is_package_installed("numpy.linalg")
    assert not is_package_installed("no_such_package.part")

    @dependencies("numpy", "no_such_package")
    def needs():
        return 1

    with pytest.raises(ModuleNotFoundError, match=r"\['no_such_package'\]"):
        needs()
    assert dependencies("numpy")(lambda: 1)() == 1


def test_tables_are_aligned():
    assert table("T", ["name", "n"], [["a", 1000], ["longer", ""]]).splitlines() == [
        "T",
        "name    n",
        "------  ----",
        "a       1000",
        "longer",
    ]
    assert table("T", ["name"], []).splitlines() == ["T", "name", "----"]
