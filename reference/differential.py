"""Writes what scvi-tools makes of given posterior samples, for the same samples to be given to us.

    python3 reference/differential.py            write fixtures_differential/
    python3 reference/differential.py --check    compare with what is there

`DifferentialComputation` gets its samples from a function; here they come from a fixed generator,
exact in single precision, and everything that follows is computed in double precision.
"""

import sys
from pathlib import Path

import environment

FILE = Path(__file__).resolve().parent / "fixtures_differential" / "differential.safetensors"
CELLS, GENES, SAMPLES = 60, 48, 151

CASES = {
    "vanilla": {"mode": "vanilla"},
    "change": {"mode": "change", "delta": 0.25},
    "two": {
        "mode": "change",
        "delta": 0.5,
        "test_mode": "two",
        "pseudocounts": 1e-3,
        "cred_interval_lvls": [0.5, 0.95],
    },
    "estimated": {"mode": "change", "delta": None},
}


def samples(rng):
    """px_scale of two groups: some genes differ, a few are hardly expressed."""
    base = rng.normal(-4, 2, GENES)
    shift = np.where(np.arange(GENES) % 3 == 0, rng.normal(0, 2, GENES), 0)
    spread = rng.uniform(0.1, 0.8, GENES)
    logits = [base + side * shift + spread * rng.normal(size=(SAMPLES, GENES)) for side in (0, 1)]
    shares = [np.exp(x) / np.exp(x).sum(1, keepdims=True) for x in logits]
    return [share.astype(np.float32) for share in shares]


def cells(rng, shares):
    """Counts, and the group of each cell: 1, 2 or none."""
    group = np.arange(CELLS) % 3
    mean = 60 * np.stack([shares[g % 2].mean(0) for g in group])
    return rng.poisson(mean).astype(np.float32), group


def points(rng):
    """Latent means, as it were: outliers far away, none, and a group of several clusters."""
    separated = rng.normal(size=(400, 5))
    separated[:40] = 25 + 2 * rng.normal(size=(40, 5))
    normal = rng.normal(size=(700, 4)) @ rng.normal(size=(4, 4))
    centres = rng.normal(0, 2, size=(3, 3))
    clusters = centres[rng.integers(0, 3, 1600)] + rng.normal(size=(1600, 3))
    cases = {"separated": separated, "normal": normal, "clusters": clusters}
    return {name: x.astype(np.float32) for name, x in cases.items()}


def outliers():
    """Points, and which of them scikit-learn's `EllipticEnvelope` keeps."""
    found = {}
    for name, x in points(np.random.default_rng(1)).items():
        found[f"outliers/{name}"] = x
        kept = EllipticEnvelope(random_state=0).fit_predict(x.astype(np.float64)) == 1
        found[f"outliers/{name}/is_inlier"] = kept.astype(np.float64)
    return found


def tensors():
    """Inputs and every column."""
    rng = np.random.default_rng(0)
    shares = samples(rng)
    counts, group = cells(rng, shares)
    data = anndata.AnnData(scipy.sparse.csr_matrix(counts))
    scvi.model.SCVI.setup_anndata(data)
    manager = scvi.model.SCVI(data).adata_manager
    sides = [np.flatnonzero(group == side) for side in (1, 2)]

    def sample(_, indices, **__):
        side = next(k for k, cells in enumerate(sides) if np.array_equal(cells, indices))
        return shares[side].astype(np.float64)

    found = {"samples1": shares[0], "samples2": shares[1], "counts": counts}
    found["group"] = group.astype(np.int64)
    computation = DifferentialComputation(sample, None, manager)
    for name, options in CASES.items():
        np.random.seed(0)
        columns = computation.get_bayes_factors(*sides, use_observed_batches=True, **options)
        if options["mode"] == "change":
            called = _fdr_de_prediction(pd.Series(columns["proba_de"]), fdr=0.05)
            columns["is_de_fdr_0.05"] = called.to_numpy().astype(float)
        for column, values in columns.items():
            values = np.broadcast_to(np.asarray(values, dtype=np.float64), GENES)
            found[f"{name}/{column}"] = values.copy()
    for column, values in scrna_raw_counts_properties(manager, *sides).items():
        found[f"raw/{column}"] = np.asarray(values, dtype=np.float64)
    return found | outliers()


def main():
    """Write the file, or compare it."""
    content = tensor_file.to_bytes(tensors())
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
    import scipy.sparse
    import scvi
    import tensor_file
    from scvi.model._utils import scrna_raw_counts_properties
    from scvi.model.base._de_core import _fdr_de_prediction
    from scvi.model.base._differential import DifferentialComputation
    from sklearn.covariance import EllipticEnvelope

    main()
