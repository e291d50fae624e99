"""From raw counts to a UMAP and marker genes, with scanpy.

    pip install . scanpy igraph
    python examples/tutorial.py counts.h5ad --batch-key batch --groupby cell_type --output out

reads raw counts from X, trains scVI, and leaves in the folder ``out``: the model, ``latent.h5ad``
with ``obsm["X_scVI"]``, neighbours and UMAP, ``umap.png``, and ``markers.csv`` with each group's
genes against all other cells. Without ``--groupby`` the groups are Leiden clusters, which need
igraph. Without a file it does so with simulated counts: five cell types in two batches.
"""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import scanpy as sc
from anndata import AnnData
from scipy import sparse

import scvi_rs

EXPRESSED = 0.1
"""Share of a group's cells in which a marker has to be found."""


def simulated_counts(n_cells: int = 1000, n_genes: int = 300, n_types: int = 5) -> AnnData:
    """Cells of several types, each with twenty genes of its own, in two batches."""
    rng = np.random.default_rng(0)
    cell_type, batch = rng.integers(n_types, size=n_cells), rng.integers(2, size=n_cells)
    names = [f"gene{i}" for i in range(n_genes)]
    log_rates = np.tile(rng.normal(-0.5, 1.0, n_genes), (n_types, 1))
    for k in range(n_types):
        own = slice(20 * k, 20 * (k + 1))
        log_rates[k, own] += 2.0
        names[own] = [f"type{k}_gene{i}" for i in range(20)]
    batch_effect = rng.normal(0, 0.4, (2, n_genes))
    depth = rng.lognormal(0, 0.3, (n_cells, 1))
    means = depth * np.exp(log_rates[cell_type] + batch_effect[batch])
    counts = rng.poisson(rng.gamma(2.0, means / 2.0)).astype(np.float32)
    obs = pd.DataFrame(
        {"batch": [f"batch{k}" for k in batch], "cell_type": [f"type{k}" for k in cell_type]},
        index=[f"cell{i}" for i in range(n_cells)],
    )
    return AnnData(sparse.csr_matrix(counts), obs=obs, var=pd.DataFrame(index=names))


def check(adata: AnnData, args: argparse.Namespace) -> None:
    """Stops before the work where its end would fail."""
    for option, column in (("--batch-key", args.batch_key), ("--groupby", args.groupby)):
        if column is not None and column not in adata.obs:
            known = ", ".join(map(str, adata.obs.columns)) or "none"
            raise SystemExit(f"{option} {column}: no such column in obs; there are: {known}")
    if args.groupby is None and find_spec("igraph") is None:
        raise SystemExit(
            "without --groupby the groups are Leiden clusters, which need igraph\n"
            "hint: pip install igraph"
        )
    args.output.mkdir(parents=True, exist_ok=True)


def top_markers(markers: pd.DataFrame, n: int = 3) -> pd.DataFrame:
    """The genes of each group that are raised most, among those that it expresses.

    A group may have none that is called at the target rate of false discoveries; its first genes
    are shown all the same, and the last column says which were called.
    """
    expressed = markers[markers["non_zeros_proportion1"] >= EXPRESSED]
    raised = expressed[expressed["lfc_mean"] > 0].sort_values("lfc_mean", ascending=False)
    shown = ["group1", "lfc_mean", "non_zeros_proportion1", "proba_de", "is_de_fdr_0.05"]
    top = raised.groupby("group1", observed=True).head(n)[shown]
    place = {group: i for i, group in enumerate(markers["group1"].unique())}
    return top.sort_values("group1", kind="stable", key=lambda groups: groups.map(place))


def draw(adata: AnnData, columns: list[str], path: Path) -> None:
    """The UMAP, coloured by each column: groups are named beside it."""
    size = 120_000 / adata.n_obs if adata.n_obs > 5000 else 24
    figure = sc.pl.umap(
        adata,
        color=columns,
        ncols=2,
        size=size,
        wspace=0.3,
        frameon=False,
        return_fig=True,
        show=False,
    )
    figure.savefig(path, bbox_inches="tight", dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", help="an .h5ad of raw counts")
    parser.add_argument("--batch-key", help="column of obs with the batches")
    parser.add_argument(
        "--groupby", help="column of obs with the groups [default: Leiden clusters]"
    )
    parser.add_argument("--max-epochs", type=int, help="400 for up to 20,000 cells, fewer for more")
    parser.add_argument("--output", type=Path, default=Path("scvi_tutorial"))
    args = parser.parse_args()

    # 1. Raw counts. scVI models counts: no normalisation, no logarithm.
    if args.data is None:
        adata = simulated_counts()
        args.batch_key = args.batch_key or "batch"
        args.groupby = args.groupby or "cell_type"
    else:
        adata = sc.read_h5ad(args.data)
        adata.var_names_make_unique()
    check(adata, args)
    sc.pp.filter_cells(adata, min_counts=1)
    sc.pp.filter_genes(adata, min_cells=3)

    # 2. Train, and keep the model at once. The same seed gives the same model, for any number of
    # threads; nothing in the model's folder can run code.
    scvi_rs.settings.seed = 0
    scvi_rs.model.SCVI.setup_anndata(adata, batch_key=args.batch_key)
    model = scvi_rs.model.SCVI(adata)
    model.train(max_epochs=args.max_epochs)
    model.save(args.output / "model", overwrite=True)
    print(model)

    # 3. The latent space, for neighbours, clusters and a picture.
    adata.obsm["X_scVI"] = model.get_latent_representation()
    sc.pp.neighbors(adata, use_rep="X_scVI")
    sc.tl.umap(adata)
    if args.groupby is None:
        args.groupby = "leiden"
        sc.tl.leiden(adata, flavor="igraph", n_iterations=2)
    adata.write_h5ad(args.output / "latent.h5ad")
    columns = [args.groupby] + ([args.batch_key] if args.batch_key else [])
    draw(adata, columns, args.output / "umap.png")

    # 4. Which genes differ: each group against all other cells.
    markers = model.differential_expression(groupby=args.groupby, mode="change")
    markers.to_csv(args.output / "markers.csv")
    print(top_markers(markers).to_string(float_format="{:.3g}".format))
    print("written:", *sorted(map(str, args.output.iterdir())), sep="\n  ")


if __name__ == "__main__":
    main()
