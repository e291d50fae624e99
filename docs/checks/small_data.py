"""The files that the documentation's commands read, small: see FILES for their names."""

from __future__ import annotations

import gzip
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import io, sparse

TYPES = ["B", "CD4 T", "Monocyte", "NK"]
FILES = [
    "counts.h5ad", "query.h5ad", "sample1", "sample2", "sample3", "samples.csv", "genes.txt", "model",
    "scvi_tools_model",
]  # fmt: skip


def counts(
    n_cells: int, n_genes: int, batches: list[str], seed: int, depth: float = 1.0
) -> AnnData:
    """Four cell types with ten markers each; batches shift all genes."""
    # The genes' rates are those of every data set, so that a query is of the reference's kind.
    genes = np.random.default_rng(1)
    log_rates = np.tile(genes.normal(-1.5, 1.0, n_genes), (len(TYPES), 1))
    for k in range(len(TYPES)):
        log_rates[k, 10 * k : 10 * (k + 1)] += 2.5
    rng = np.random.default_rng(seed)
    cell_type = rng.integers(len(TYPES), size=n_cells)
    batch = np.arange(n_cells) % len(batches)
    shift = rng.normal(0, 0.3, (len(batches), n_genes))
    sizes = depth * rng.lognormal(0, 0.3, n_cells)
    x = rng.poisson(sizes[:, None] * np.exp(log_rates[cell_type] + shift[batch])).astype(np.float32)
    x[:, 0] += 1
    names = [f"Gene{i}" for i in range(n_genes - 3)] + ["MT-CO1", "MT-ND1", "MT-ND4"]
    mito = x[:, -3:].sum(axis=1) / x.sum(axis=1) * 100
    obs = pd.DataFrame(
        {
            "batch": pd.Categorical(np.array(batches)[batch]),
            "cell_type": pd.Categorical(np.array(TYPES)[cell_type]),
            "known_type": pd.Categorical(
                np.where(np.arange(n_cells) % 3 == 0, "Unknown", np.array(TYPES)[cell_type])
            ),
            "donor": pd.Categorical([f"donor{k}" for k in rng.integers(3, size=n_cells)]),
            "chemistry": pd.Categorical([f"v{k}" for k in rng.integers(2, 4, size=n_cells)]),
            "condition": pd.Categorical(
                np.array(["control", "treated"])[rng.integers(2, size=n_cells)]
            ),
            "percent_mito": mito,
            "n_counts": x.sum(axis=1),
            "size_factor": sizes,
        },
        index=[f"cell{i}" for i in range(n_cells)],
    )
    adata = AnnData(sparse.csr_matrix(x), obs=obs, var=pd.DataFrame(index=names))
    adata.layers["counts"] = adata.X.copy()
    return adata


def write_cell_ranger(adata: AnnData, folder: Path) -> None:
    """The matrix folder that Cell Ranger writes, below ``outs``."""
    matrix = folder / "outs" / "filtered_feature_bc_matrix"
    matrix.mkdir(parents=True)
    with gzip.open(matrix / "matrix.mtx.gz", "wb") as file:
        io.mmwrite(file, adata.X.T.astype(int))
    features = [f"ENSG{i:011}\t{name}\tGene Expression\n" for i, name in enumerate(adata.var_names)]
    barcodes = [f"{name}-1\n" for name in adata.obs_names]
    for name, lines in (("features.tsv.gz", features), ("barcodes.tsv.gz", barcodes)):
        with gzip.open(matrix / name, "wt") as file:
            file.writelines(lines)


def write(folder: Path, scvi: str) -> None:
    """All of FILES in ``folder``."""
    counts(240, 200, ["a", "b"], 0).write_h5ad(folder / "counts.h5ad")
    counts(120, 200, ["c"], 1).write_h5ad(folder / "query.h5ad")
    for i in (1, 2, 3):
        write_cell_ranger(counts(80, 2100, ["x"], 10 + i), folder / f"sample{i}")
    (folder / "samples.csv").write_text(
        "path,name,condition\nsample1,s1,control\nsample2,s2,treated\nsample3,s3,treated\n"
    )
    (folder / "genes.txt").write_text("".join(f"Gene{i}\n" for i in range(8)))
    run = {"cwd": folder, "capture_output": True}
    # Its encoder is given the batch, as a reference's should be.
    train = [scvi, "train", "counts.h5ad", "--batch-key", "batch", "--encode-covariates"]
    subprocess.run([*train, "--model", "model", "--max-epochs", "30"], check=True, **run)
    convert = [scvi, "convert", "--model", "model", "--to", "scvi-tools"]
    subprocess.run([*convert, "--output", "scvi_tools_model"], check=True, **run)
