"""The tiny models of reference/saves: their data, their training, and what they compute."""

import copy

import anndata
import draws
import numpy as np
import oracle
import pandas as pd
import scvi
import torch

N_CELLS, N_GENES = 60, 20
SHOWN = 5
"""Cells whose values per gene are written, to keep the files small."""

CATEGORIES = {"batch": 3, "label": 2, "donor": 3, "plate": 2}

BATCH = dict(batch_key="batch")
SIZES = dict(n_hidden=8, n_latent=3)

SAVES = [
    dict(name="default", train=dict(check_val_every_n_epoch=1)),
    dict(
        name="covariates",
        setup=BATCH
        | dict(
            categorical_covariate_keys=["donor", "plate"],
            continuous_covariate_keys=["age", "score"],
        ),
        model=dict(encode_covariates=True),
    ),
    dict(name="layer", setup=BATCH | dict(layer="counts"), prefix="early_"),
    dict(
        name="size_factor",
        setup=BATCH | dict(size_factor_key="size"),
        model=dict(gene_likelihood="nb"),
    ),
    dict(name="latent_library", setup=BATCH, model=dict(use_observed_lib_size=False)),
    dict(name="embedding", setup=BATCH, model=dict(batch_representation="embedding")),
    dict(name="poisson", setup=BATCH, model=dict(gene_likelihood="poisson")),
    dict(name="gene_batch", setup=BATCH, model=dict(dispersion="gene-batch")),
    dict(
        name="gene_label",
        setup=BATCH | dict(labels_key="label"),
        model=dict(dispersion="gene-label"),
    ),
    dict(name="gene_cell", setup=BATCH, model=dict(dispersion="gene-cell")),
    dict(name="logistic_normal", setup=BATCH, model=dict(latent_distribution="ln")),
    dict(name="layers2", setup=BATCH, model=dict(n_layers=2)),
    dict(
        name="layer_norm",
        setup=BATCH,
        model=dict(use_batch_norm="none", use_layer_norm="both", var_activation="softplus"),
    ),
    dict(name="linear", setup=BATCH, linear=True),
    dict(name="nb", model=dict(gene_likelihood="nb", dropout_rate=0.0, log_variational=False)),
    dict(name="normal", setup=BATCH, model=dict(gene_likelihood="normal")),
    dict(name="labels", setup=dict(labels_key="label"), model=dict(use_batch_norm="encoder")),
    dict(
        name="encode_shallow",
        setup=BATCH | dict(categorical_covariate_keys=["plate"]),
        model=dict(encode_covariates=True, deeply_inject_covariates=False, n_layers=2),
    ),
    dict(
        name="embedding_covariates",
        setup=BATCH | dict(continuous_covariate_keys=["age"], size_factor_key="size"),
        model=dict(
            batch_representation="embedding",
            batch_embedding_kwargs=dict(embedding_dim=2, max_norm=1.5),
            encode_covariates=True,
        ),
    ),
    dict(
        name="layer_kwargs",
        setup=BATCH,
        model=dict(
            extra_encoder_kwargs=dict(activation_fn=torch.nn.ELU, var_eps=1e-3),
            extra_decoder_kwargs=dict(use_activation=False),
        ),
    ),
    dict(
        name="latent_library_labels",
        setup=BATCH | dict(labels_key="label", categorical_covariate_keys=["donor"]),
        model=dict(use_observed_lib_size=False, dispersion="gene-label", gene_likelihood="nb"),
    ),
    dict(name="untrained", setup=BATCH, train=None),
    dict(
        name="category_types",
        setup=BATCH | dict(labels_key="label", categorical_covariate_keys=["donor", "plate"]),
        model=dict(encode_covariates=True),
        categories=dict(
            batch=np.array(["1969-12-31T23:59:59.5", "2024-01-31", "2024-06-01"], "datetime64[ns]"),
            label=np.array([False, True]),
            donor=np.array([1, 2**63, 2**64 - 1], np.uint64),
            plate=np.array([-36, 90000], "timedelta64[s]"),
        ),
    ),
]
"""One row a save: its name, the arguments of setup_anndata, of the model and of train (None: it
stays untrained), its prefix, whether it is a LinearSCVI, and categories of other types."""

UNKNOWN = "donor b"
"""The category of the saves of SCANVI that stands for no label; sorted, it is not the last."""

LABELS = dict(labels_key="donor", unlabeled_category=UNKNOWN)

SCANVI_SAVES = [
    dict(name="scanvi_default", setup=LABELS),
    dict(name="scanvi_batch", setup=LABELS | BATCH, model=dict(n_layers=2)),
    dict(name="scanvi_linear", setup=LABELS | BATCH, model=dict(linear_classifier=True)),
    dict(
        name="scanvi_softmax",
        setup=LABELS | BATCH,
        model=dict(classifier_parameters=dict(logits=False)),
    ),
    dict(
        name="scanvi_no_unlabelled_cell",
        setup=LABELS | BATCH | dict(unlabeled_category="Unknown"),
        model=dict(gene_likelihood="nb"),
    ),
    dict(
        name="scanvi_covariates",
        setup=LABELS
        | BATCH
        | dict(categorical_covariate_keys=["plate"], continuous_covariate_keys=["age"]),
        model=dict(encode_covariates=True, use_layer_norm="both", y_prior=[0.25, 0.75]),
    ),
    dict(
        name="scanvi_latent_library",
        setup=LABELS | BATCH,
        model=dict(use_observed_lib_size=False, dispersion="gene-batch"),
    ),
    dict(name="scanvi_from_scvi", setup=LABELS | BATCH, from_scvi=True),
    dict(
        name="scanvi_classifier_parameters",
        setup=LABELS | BATCH,
        model=dict(classifier_parameters=dict(n_layers=2, n_hidden=5, dropout_rate=0.0)),
    ),
    dict(name="scanvi_untrained", setup=LABELS | BATCH, train=None),
]
"""The same of SCANVI, which may start from an SCVI."""


def draw():
    """The data of all saves, as arrays by name."""
    rng = np.random.default_rng(0)
    level = np.exp(rng.normal(0.3, 1.0, N_GENES))
    counts = rng.poisson(level * rng.gamma(1.0, 1.0, (N_CELLS, N_GENES)))
    counts[counts.sum(axis=1) == 0, 0] = 1
    codes = {name: draws.codes(rng, N_CELLS, n) for name, n in CATEGORIES.items()}
    return codes | {
        "x": counts.astype(np.float32),
        "age": rng.standard_normal(N_CELLS, dtype=np.float32),
        "score": rng.random(N_CELLS, dtype=np.float32),
        "size": np.exp(rng.standard_normal(N_CELLS, dtype=np.float32) / 4) * 20,
    }


def names(column):
    """The categories of a column: plates are numbers, all others have names."""
    letters = [f"{column} {chr(ord('a') + k)}" for k in range(CATEGORIES[column])]
    return np.array([11, 12]) if column == "plate" else np.array(letters, dtype=object)


def make_adata(data, row):
    """The data of a row as AnnData; with a layer, that holds the counts and X something else."""
    categories = row.get("categories", {})
    adata = anndata.AnnData(data["x"].copy())
    adata.var_names = [f"gene {k}" for k in range(N_GENES)]
    for column in CATEGORIES:
        adata.obs[column] = pd.Categorical(categories.get(column, names(column))[data[column]])
    for column in ("age", "score", "size"):
        adata.obs[column] = data[column]
    if "layer" in row.get("setup", {}):
        adata.layers["counts"] = data["x"].copy()
        adata.X = np.log1p(data["x"])
    return adata


def fit(model, **options):
    """Train the model for two epochs."""
    plan = dict(max_epochs=2, accelerator="cpu", enable_progress_bar=False)
    model.train(**plan, logger=scvi.train._logger.SimpleLogger(), **options)


def make_scanvi(adata, row, setup, arguments):
    """A SCANVI, new or from an SCVI that was trained with the same labels."""
    if "y_prior" in arguments:
        arguments["y_prior"] = torch.tensor([arguments["y_prior"]])
    if row.get("from_scvi"):
        known = {k: v for k, v in setup.items() if k != "unlabeled_category"}
        scvi.model.SCVI.setup_anndata(adata, **known)
        start = scvi.model.SCVI(adata, **SIZES, **arguments)
        fit(start)
        return scvi.model.SCANVI.from_scvi_model(start, setup["unlabeled_category"])
    scvi.model.SCANVI.setup_anndata(adata, **setup)
    return scvi.model.SCANVI(adata, **SIZES, **arguments)


def train(row, data):
    """The trained model of a save, and its data."""
    scvi.settings.seed = 1
    setup, arguments = row.get("setup", {}), dict(row.get("model", {}))
    if "var_activation" in arguments:
        arguments["var_activation"] = getattr(torch.nn.functional, arguments["var_activation"])
    adata = make_adata(data, row)
    if "unlabeled_category" in setup:
        model = make_scanvi(adata, row, setup, arguments)
    else:
        cls = scvi.model.LinearSCVI if row.get("linear") else scvi.model.SCVI
        cls.setup_anndata(adata, **setup)
        model = cls(adata, **SIZES, **arguments)
    if row.get("train", {}) is not None:
        fit(model, **row.get("train", {}))
    # What differs from run to run.
    model.run_name_ = "run"
    model.registry_["_scvi_uuid"] = "00000000-0000-0000-0000-000000000000"
    return model, adata


def expected(model, adata):
    """What the model computes in double precision at the mean of the posterior."""
    module = copy.deepcopy(model.module).double().eval()
    (tensors,) = model._make_data_loader(adata, batch_size=N_CELLS)
    inputs = {k: v.double() if v.is_floating_point() else v for k, v in tensors.items()}
    drawn = {"z": np.zeros((1, N_CELLS, module.n_latent))}
    if not module.use_observed_lib_size:
        drawn["library"] = np.zeros((1, N_CELLS, 1))
    classifies = hasattr(module, "classifier")
    if classifies:
        drawn["z2"] = np.zeros((1, module.n_labels * N_CELLS, module.n_latent))
    noise = oracle.Noise(drawn)
    with torch.no_grad(), oracle.injected(module, noise):
        inference, px, loss, decoded = oracle.forward(module, inputs, noise, None)
    values = {
        "qz_m": inference["qz"].loc,
        "qz_v": inference["qz"].variance,
        "library": inference["library"].squeeze(-1),
        "reconstruction": loss.dict_sum(loss.reconstruction_loss),
        "px_rate": decoded[2][:SHOWN],
    }
    if inference["ql"] is not None:
        values |= {"ql_m": inference["ql"].loc, "ql_v": inference["ql"].variance}
    if classifies:
        values["kl_local"] = loss.dict_sum(loss.kl_local)
        values["probabilities"] = probabilities(module, inference["qz"].loc)
    else:
        values["kl_z"] = loss.kl_local["kl_divergence_z"]
        if inference["ql"] is not None:
            values["kl_l"] = loss.kl_local["kl_divergence_l"]
    if hasattr(px, "theta"):
        values["px_r"] = px.theta.expand_as(decoded[2])[:SHOWN]
    if isinstance(px, torch.distributions.Normal):
        values["px_r"] = px.scale.expand_as(decoded[2])[:SHOWN]
    if hasattr(px, "zi_logits"):
        values["px_dropout"] = px.zi_logits[:SHOWN]
    return {name: oracle.double(tensor) for name, tensor in values.items()}


@torch.no_grad()
def probabilities(module, z):
    """What the classifier says of each cell: cells, labels."""
    scores = module.classifier(z)
    return torch.softmax(scores, dim=-1) if getattr(module.classifier, "logits", False) else scores


def carried(model):
    """Some of what the save itself holds, as torch and pandas see it."""
    state = model.module.state_dict()
    weights = [name for name in state if name.endswith(("mean_encoder.weight", "running_var"))]
    found = {f"state/{name}": state[name].numpy() for name in weights}
    counters = [name for name in state if "num_batches_tracked" in name]
    found |= {f"state/{name}": np.array([state[name].item()]) for name in counters}
    for name, table in (model.history or {}).items():
        found[f"history/{name}"] = table[name].to_numpy(dtype=np.float64)
    for split in ("train", "validation"):
        rows = getattr(model, f"{split}_indices")
        if rows is not None:
            found[f"{split}_indices"] = rows.astype(np.int64)
    return found
