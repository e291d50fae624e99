"""From raw counts to a UMAP and marker genes, with scanpy.

    pip install . scanpy matplotlib
    python examples/tutorial.py counts.h5ad --batch-key batch --groupby cell_type --output out

reads raw counts from X, trains scVI, and leaves in the folder ``out``: the model, ``latent.h5ad``
with ``obsm["X_scVI"]``, neighbours and UMAP, ``umap.png``, and ``markers.csv`` with each group's
genes against all other cells. Without a file it does so with simulated counts.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import scanpy as sc

import scvi_rs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", help="an .h5ad of raw counts")
    parser.add_argument("--batch-key", help="column of obs with the batches")
    parser.add_argument("--groupby", help="column of obs with the groups; Leiden's where left out")
    parser.add_argument("--max-epochs", type=int, help="400 for up to 20,000 cells, fewer for more")
    parser.add_argument("--output", type=Path, default=Path("scvi_tutorial"))
    args = parser.parse_args()

    # 1. Raw counts. scVI models counts: no normalisation, no logarithm.
    if args.data is None:
        adata = scvi_rs.data.synthetic_iid(batch_size=500, sparse_format="csr_matrix")
        args.batch_key, args.groupby = "batch", "labels"
    else:
        adata = sc.read_h5ad(args.data)
    sc.pp.filter_cells(adata, min_counts=1)
    sc.pp.filter_genes(adata, min_cells=3)

    # 2. Train. The same seed gives the same model, for any number of threads.
    scvi_rs.settings.seed = 0
    scvi_rs.model.SCVI.setup_anndata(adata, batch_key=args.batch_key)
    model = scvi_rs.model.SCVI(adata)
    model.train(max_epochs=args.max_epochs)
    print(model)

    # 3. The latent space, for neighbours, clusters and a picture.
    adata.obsm["X_scVI"] = model.get_latent_representation()
    sc.pp.neighbors(adata, use_rep="X_scVI")
    sc.tl.umap(adata)
    if args.groupby is None:
        args.groupby = "leiden"
        sc.tl.leiden(adata, flavor="igraph", n_iterations=2)

    # 4. Which genes differ: each group against all other cells.
    markers = model.differential_expression(groupby=args.groupby, mode="change", silent=True)
    strong = markers[markers["is_de_fdr_0.05"] & (markers["lfc_mean"] > 0)]
    print(strong.groupby("group1", observed=True).head(3)[["group1", "lfc_mean", "proba_de"]])

    # 5. Keep it. Nothing in the model's folder can run code.
    args.output.mkdir(parents=True, exist_ok=True)
    model.save(args.output / "model", overwrite=True)
    adata.write_h5ad(args.output / "latent.h5ad")
    markers.to_csv(args.output / "markers.csv")
    columns = [args.groupby] + ([args.batch_key] if args.batch_key else [])
    figure = sc.pl.umap(adata, color=columns, return_fig=True, show=False, ncols=1)
    figure.savefig(args.output / "umap.png", bbox_inches="tight", dpi=120)
    print(f"written: {', '.join(str(path) for path in sorted(args.output.iterdir()))}")


if __name__ == "__main__":
    main()
