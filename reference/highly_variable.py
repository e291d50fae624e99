"""Writes the genes that scanpy chooses from some counts.

    python3 reference/highly_variable.py            write fixtures_genes/
    python3 reference/highly_variable.py --check    compare with what is there

Besides scvi-tools it needs scanpy 1.11 and scikit-misc 0.5. The file holds counts `x`, the `batch` of
each cell, and under `<flavor>/one/` and `<flavor>/batches/` the columns of `highly_variable_genes` with
60 genes, without and with batches, for each flavor of ours. What flavor cell_ranger is given is
normalised to 10,000 counts and logarithmised.
"""

import functools
import sys
from pathlib import Path

import environment

FILE = Path(__file__).resolve().parent / "fixtures_genes" / "highly_variable.safetensors"
N_TOP_GENES = 60
SHARED = ["means", "highly_variable"]
COLUMNS = {
    "seurat_v3": ["variances", "variances_norm", "highly_variable_rank"],
    "pearson_residuals": ["variances", "residual_variances", "highly_variable_rank"],
    "cell_ranger": ["dispersions", "dispersions_norm"],
}


def counts(rng, n_cells, n_genes):
    """Counts of genes of many levels, some of which vary more than others; some never seen."""
    level = np.exp(rng.normal(-1.0, 1.5, n_genes))
    groups = rng.integers(3, size=n_cells)
    change = np.where(rng.random((3, n_genes)) < 0.15, rng.gamma(2.0, 2.0, (3, n_genes)), 1.0)
    x = rng.poisson(level * change[groups] * rng.gamma(2.0, 0.5, (n_cells, n_genes)))
    x[:, ::37] = 0
    return x.astype(np.float32)


def chosen(x, batch, batch_key, flavor):
    """scanpy's columns."""
    data = anndata.AnnData(scipy.sparse.csr_matrix(x))
    data.obs["batch"] = pd.Categorical(batch)
    find = scanpy.pp.highly_variable_genes
    if flavor == "pearson_residuals":
        find = scanpy.experimental.pp.highly_variable_genes
    if flavor == "cell_ranger":
        scanpy.pp.normalize_total(data, target_sum=1e4)
        scanpy.pp.log1p(data)
    table = find(
        data, n_top_genes=N_TOP_GENES, flavor=flavor, batch_key=batch_key, inplace=False
    )
    names = SHARED + COLUMNS[flavor]
    names += [name for name in table.columns if name.endswith(("_nbatches", "_intersection"))]
    return {name: table[name].to_numpy().astype(np.float64) for name in names}


def main():
    """Write the file, or compare it."""
    rng = np.random.default_rng(3)
    x = counts(rng, 150, 400)
    batch = rng.integers(3, size=150)
    tensors = {"x": x, "batch": batch.astype(np.int64)}
    for flavor in COLUMNS:
        for name, key in [("one", None), ("batches", "batch")]:
            found = chosen(x, batch, key, flavor)
            tensors |= {f"{flavor}/{name}/{column}": v for column, v in found.items()}
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

    # Genes that vary alike stay as they stand in the data: which of them numpy sorts first depends on
    # the processor.
    np.argsort = functools.partial(np.argsort, kind="stable")
    main()
