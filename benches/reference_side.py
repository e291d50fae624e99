"""What the benchmarks do where scvi-tools is: `reference_side.py TASK JSON`, answer on stdout.

Started by measure.reference; each task is a function below, its arguments the JSON object's.
"""

import json
import sys
import time

import anndata
import numpy as np


def versions(threads):
    """Of the packages that do the work."""
    import scvi
    import torch

    return f"{scvi.__version__}, torch {torch.__version__}, python {sys.version.split()[0]}"


def split(data, train, test, threads):
    """Set a fixed tenth of the cells aside; both parts keep all categories."""
    cells = anndata.read_h5ad(data)
    assert (cells.X.sum(axis=1) > 0).all(), "a cell has no counts"
    anndata.settings.remove_unused_categories = False
    order = np.random.RandomState(0).permutation(cells.n_obs)
    n_test = cells.n_obs // 10
    for path, rows in ((test, order[:n_test]), (train, order[n_test:])):
        cells[rows].copy().write_h5ad(path, compression="gzip")
    return {"train": cells.n_obs - n_test, "test": n_test}


def quality(data, train, test, batch_key, epochs, seed, latent, threads):
    """Train; held-out ELBO (ten posterior draws) and the latent means of all cells.

    Without `test`, training is on `train` with every default, and there is no held-out ELBO.
    """
    import scvi

    model = prepare(anndata.read_h5ad(train), batch_key, seed, threads)
    start = time.perf_counter()
    limits = {"max_epochs": epochs, "train_size": 1.0} if test else {}
    model.train(enable_progress_bar=False, **limits)
    answer = {"version": scvi.__version__, "seconds": time.perf_counter() - start}
    answer["epochs"] = len(model.history["elbo_train"])
    if test:
        held_out = anndata.read_h5ad(test)
        answer["elbo_draws"] = [float(model.get_elbo(held_out)) for _ in range(10)]
    np.save(latent, model.get_latent_representation(anndata.read_h5ad(data)))
    return answer


def accuracy(data, latent, label_key, threads):
    """Cross-validated accuracy of 15 nearest neighbours; cells labelled Unknown are left out."""
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.neighbors import KNeighborsClassifier

    labels = anndata.read_h5ad(data, backed="r").obs[label_key].astype(str).to_numpy()
    known = labels != "Unknown"
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    features = np.load(latent)[known]
    scores = cross_val_score(KNeighborsClassifier(15), features, labels[known], cv=folds)
    return float(scores.mean())


def values(data, key, threads):
    """The values of a column of obs."""
    return sorted(anndata.read_h5ad(data, backed="r").obs[key].astype(str).unique())


def leave_out(data, key, value, reference, query, threads):
    """Cells of one batch apart from those of the others, each with its own categories."""
    cells = anndata.read_h5ad(data)
    is_query = cells.obs[key].astype(str) == value
    for path, rows in ((query, is_query), (reference, ~is_query)):
        part = cells[rows.to_numpy()].copy()
        part.obs[key] = part.obs[key].astype(str)
        part.write_h5ad(path, compression="gzip")
    return {"query": int(is_query.sum())}


def mapping(reference, query, batch_key, label_key, epochs, seed, threads):
    """Train a reference with scvi-tools and map a query onto it."""
    import scvi

    known, new = anndata.read_h5ad(reference), anndata.read_h5ad(query)
    model = prepare(known, batch_key, seed, threads, encode_covariates=True)
    plan = {"max_epochs": epochs, "enable_progress_bar": False}
    start = time.perf_counter()
    model.train(**plan)
    seconds = time.perf_counter() - start
    before = model.get_latent_representation()
    mapped = scvi.model.SCVI.load_query_data(new, model)
    start = time.perf_counter()
    mapped.train(**plan, plan_kwargs={"weight_decay": 0.0})
    answer = {"reference_seconds": seconds, "mapped_seconds": time.perf_counter() - start}
    after = mapped.get_latent_representation(known)
    return answer | judge_mapping(
        known, new, label_key, before, after, mapped.get_latent_representation()
    )


def compare_mapping(reference, query, label_key, before, after, mapped, threads):
    """The same judgement of latent means in files."""
    known, new = anndata.read_h5ad(reference), anndata.read_h5ad(query)
    return judge_mapping(known, new, label_key, np.load(before), np.load(after), np.load(mapped))


def judge_mapping(known, new, label_key, before, after, mapped):
    """How well the reference labels the query, and how far its own cells moved."""
    from sklearn.neighbors import KNeighborsClassifier

    labels, truth = (cells.obs[label_key].astype(str).to_numpy() for cells in (known, new))
    neighbours = KNeighborsClassifier(15).fit(after[labels != "Unknown"], labels[labels != "Unknown"])
    found = neighbours.predict(mapped[truth != "Unknown"])
    accuracy = np.mean(found == truth[truth != "Unknown"])
    return {"accuracy": float(accuracy), "moved": float(np.abs(after - before).max())}


def speed(data, epochs, batch_size, seed, threads):
    """Seconds of each epoch after a first one that is not counted."""
    import lightning.pytorch as pl

    class Clock(pl.Callback):
        ends = []

        def on_train_epoch_end(self, *_):
            self.ends.append(time.perf_counter())

    cells = anndata.read_h5ad(data)
    model = prepare(cells, None, seed, threads)
    clock = Clock()
    model.train(
        max_epochs=epochs + 1,
        train_size=1.0,
        batch_size=batch_size,
        enable_progress_bar=False,
        callbacks=[clock],
    )
    return {"cells": cells.n_obs, "epoch_seconds": np.diff(clock.ends).tolist()}


def inference(data, model, call, n_mc_samples, seed, threads):
    """Seconds of a method's second call, model and data in memory; its result if one number."""
    import scvi
    import torch

    torch.set_num_threads(threads)
    trained = scvi.model.SCVI.load(model, anndata.read_h5ad(data))
    scvi.settings.seed = seed
    method, first, second = {
        "latent": (trained.get_latent_representation, {}, {}),
        "elbo": (trained.get_elbo, {}, {}),
        "marginal_ll": (
            trained.get_marginal_ll,
            {"n_mc_samples": 1},
            {"n_mc_samples": n_mc_samples},
        ),
        "normalized": (trained.get_normalized_expression, *[{"return_numpy": True}] * 2),
        "sample": (trained.posterior_predictive_sample, {}, {}),
    }[call]
    method(**first)
    start = time.perf_counter()
    result = method(**second)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "value": float(result) if np.ndim(result) == 0 else None}


def rewrite(data, output, compress, sort_by, threads):
    """The same cells as anndata writes them, if wanted sorted by a column of obs."""
    cells = anndata.read_h5ad(data)
    if sort_by:
        cells = cells[cells.obs[sort_by].astype(str).to_numpy().argsort(kind="stable")].copy()
    cells.write_h5ad(output, compression="gzip" if compress else None)


def differential(data, model, groupby, options, output, seed, threads):
    """Seconds that a saved model takes for differential expression, without loading anything."""
    import scvi
    import torch

    torch.set_num_threads(threads)
    loaded = scvi.model.SCVI.load(model, adata=anndata.read_h5ad(data))
    scvi.settings.seed = seed
    start = time.perf_counter()
    table = loaded.differential_expression(groupby=groupby, silent=True, **options)
    seconds = time.perf_counter() - start
    table.to_csv(output)
    return {"seconds": seconds}


def agreement(ours, theirs, threads):
    """Correlations over genes: of proba_de, and of lfc_mean where theirs has proba_de over 0.9."""
    import pandas as pd

    a, b = (pd.read_csv(path, index_col=0) for path in (ours, theirs))
    both = a.join(b, rsuffix="_theirs")
    sure = both[both.proba_de_theirs > 0.9]
    return {
        "genes": len(both),
        "proba_de": both.proba_de.corr(both.proba_de_theirs),
        "sure": len(sure),
        "lfc_mean": sure.lfc_mean.corr(sure.lfc_mean_theirs),
    }


def prepare(cells, batch_key, seed, threads, **options):
    """An untrained model of scvi-tools, with every default but for the options."""
    import scvi
    import torch

    torch.set_num_threads(threads)
    scvi.settings.seed = seed
    scvi.model.SCVI.setup_anndata(cells, batch_key=batch_key)
    return scvi.model.SCVI(cells, **options)


if __name__ == "__main__":
    tasks = (versions, split, quality, accuracy, speed, inference, rewrite)
    tasks += (differential, agreement, values, leave_out, mapping, compare_mapping)
    task = {task.__name__: task for task in tasks}[sys.argv[1]]
    print(json.dumps(task(**json.loads(sys.argv[2]))))
