"""Writes the genes that scanpy chooses from some counts.

    python3 reference/highly_variable.py            write fixtures_genes/
    python3 reference/highly_variable.py --check    compare with what is there

Besides scvi-tools it needs scanpy 1.11 and scikit-misc 0.5. The file holds counts `x`, the `batch` of
each cell, and under `one/` and `batches/` the columns of `scanpy.pp.highly_variable_genes` with flavor
seurat_v3 and 60 genes, without and with batches.
"""

import sys
from pathlib import Path

import environment

FILE = Path(__file__).resolve().parent / "fixtures_genes" / "seurat_v3.safetensors"
N_TOP_GENES = 60
COLUMNS = [
    "means", "variances", "variances_norm", "highly_variable_rank", "highly_variable_nbatches",
    "highly_variable",
]


def counts(rng, n_cells, n_genes):
    """Counts of genes of many levels, some of which vary more than others; some never seen."""
    level = np.exp(rng.normal(-1.0, 1.5, n_genes))
    groups = rng.integers(3, size=n_cells)
    change = np.where(rng.random((3, n_genes)) < 0.15, rng.gamma(2.0, 2.0, (3, n_genes)), 1.0)
    x = rng.poisson(level * change[groups] * rng.gamma(2.0, 0.5, (n_cells, n_genes)))
    x[:, ::37] = 0
    return x.astype(np.float32)


def chosen(x, batch, batch_key):
    """scanpy's columns."""
    data = anndata.AnnData(scipy.sparse.csr_matrix(x))
    data.obs["batch"] = pd.Categorical(batch)
    table = scanpy.pp.highly_variable_genes(
        data, n_top_genes=N_TOP_GENES, flavor="seurat_v3", batch_key=batch_key, inplace=False
    )
    if batch_key is None:
        table["highly_variable_nbatches"] = (~table["highly_variable_rank"].isna()).astype(int)
    return {name: table[name].to_numpy().astype(np.float64) for name in COLUMNS}


def main():
    """Write the file, or compare it."""
    rng = np.random.default_rng(3)
    x = counts(rng, 150, 400)
    batch = rng.integers(3, size=150)
    tensors = {"x": x, "batch": batch.astype(np.int64)}
    for name, key in [("one", None), ("batches", "batch")]:
        tensors |= {f"{name}/{column}": v for column, v in chosen(x, batch, key).items()}
    content = tensor_file.to_bytes(tensors)
    if "--check" in sys.argv[1:]:
        sys.exit(0 if FILE.read_bytes() == content else f"{FILE} differs")
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_bytes(content)
    print(f"{FILE}: {len(content)} bytes", file=sys.stderr)


if __name__ == "__main__":
    environment.enter()
    import anndata
    import numpy as np
    import pandas as pd
    import scanpy
    import scipy.sparse
    import tensor_file

    main()
