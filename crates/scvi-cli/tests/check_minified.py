"""What the Rust tests cannot ask themselves: what scvi-tools says of minified data.

    python check_minified.py make FOLDER     write FOLDER/data.h5ad
    python check_minified.py read FOLDER     open FOLDER/save with FOLDER/{posterior,counts}.h5ad
    python check_minified.py write FOLDER    minify FOLDER/data.h5ad with FOLDER/save

After `read`, FOLDER/*.npy hold latent means; `write` makes theirs.h5ad, and the model saved
thereafter, FOLDER/theirs.
"""

import logging
import sys
import warnings
from pathlib import Path

sys.dont_write_bytecode = True

import anndata
import numpy as np
import scvi
import torch
from scipy import sparse

warnings.simplefilter("ignore")
logging.disable(logging.WARNING)
torch.set_num_threads(1)
task, folder = sys.argv[1], Path(sys.argv[2])
SCVI = scvi.model.SCVI


def make():
    rng = np.random.default_rng(0)
    x = sparse.csr_matrix(rng.poisson(0.7, (50, 25)).astype(np.float32) + np.eye(50, 25)[::-1])
    x = sparse.csr_matrix(x + sparse.csr_matrix(([1] * 50, (range(50), [3] * 50)), (50, 25)))
    cells = anndata.AnnData(sparse.csr_matrix(np.log1p(x.toarray())), layers={"raw": x})
    cells.obs["batch"] = ["a", "b"] * 25
    cells.obsm["X_pca"] = rng.normal(size=(50, 2))
    cells.uns["note"] = ["kept"]
    cells.raw = cells.copy()
    cells.write_h5ad(folder / "data.h5ad", compression="gzip")


def read():
    full = SCVI.load(folder / "save", anndata.read_h5ad(folder / "data.h5ad"))
    latent, variance = full.get_latent_representation(return_dist=True)
    np.testing.assert_allclose(latent, np.load(folder / "latent.npy"), atol=1e-5)
    for name in ("posterior", "counts"):
        cells = anndata.read_h5ad(folder / f"{name}.h5ad")
        kept = name == "counts"
        for x in (cells.X, cells.layers["raw"]):
            assert sparse.issparse(x) and x.shape == full.adata.shape and (x.nnz > 0) == kept
        assert (cells.raw is None) != kept
        assert list(cells.uns["note"]) == ["kept"] and "batch" in cells.obs
        model = SCVI.load(folder / "save", cells)
        assert model.minified_data_type == cells.uns["_scvi_adata_minify_type"]
        means, variances = model.get_latent_representation(return_dist=True)
        np.testing.assert_allclose(means, latent, atol=1e-5)
        np.testing.assert_allclose(variances, variance, rtol=1e-4)
        sizes = np.asarray(full.adata.layers["raw"].sum(1)).ravel()
        np.testing.assert_allclose(cells.obs["observed_lib_size"], sizes)
        assert np.isfinite(model.get_normalized_expression(return_numpy=True)).all()
        try:
            elbo = model.get_elbo().item()
            assert kept and np.isfinite(elbo)
        except ValueError:
            assert not kept


def write():
    cells = anndata.read_h5ad(folder / "data.h5ad")
    model = SCVI.load(folder / "save", cells)
    mean, variance = model.get_latent_representation(return_dist=True)
    # Shifted, so that it shows where they are read from.
    model.adata.obsm["X_latent_qzm"], model.adata.obsm["X_latent_qzv"] = mean + 0.5, variance
    model.minify_adata()
    model.save(folder / "theirs")
    model.adata.write_h5ad(folder / "theirs.h5ad")
    np.save(folder / "theirs.npy", model.get_latent_representation())


{"make": make, "read": read, "write": write}[task]()
