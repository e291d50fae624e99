"""The module over arrays, held to the fixtures that scvi-tools computed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from scvi_rs import REGISTRY_KEYS
from scvi_rs.distributions import NegativeBinomial, Normal, Poisson, ZeroInflatedNegativeBinomial
from scvi_rs.exceptions import ConfigError, CountsError, MisfitError, StateError
from scvi_rs.module import LDVAE, VAE, LossOutput
from scvi_rs.module._options import module_config, var_activation

FIXTURES = Path(__file__).parents[3] / "reference" / "fixtures"
ENTRIES = {
    entry["name"]: entry
    for entry in json.loads((FIXTURES / "manifest.json").read_text())["fixtures"]
    # What ln decodes is not the posterior's mean, but its softmax.
    if entry["config"].get("latent_distribution", "normal") == "normal"
}


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    types = {"F64": "<f8", "F32": "<f4", "I64": "<i8", "U8": "u1"}
    tensors = {}
    for name, info in json.loads(data[8 : 8 + size]).items():
        if name != "__metadata__":
            start, end = (8 + size + at for at in info["data_offsets"])
            tensors[name] = np.frombuffer(data[start:end], types[info["dtype"]]).reshape(
                info["shape"]
            )
    return tensors


def linear_arguments(config: dict) -> dict:
    """LDVAE's arguments: what a fixture leaves out has the defaults of VAE there."""
    defaults = {"gene_likelihood": "zinb", "use_observed_lib_size": True, "bias": True}
    arguments = defaults | config
    arguments |= arguments.pop("extra_decoder_kwargs", {})
    arguments["n_layers_encoder"] = arguments.pop("n_layers", 1)
    return arguments


def load(name: str) -> tuple[VAE, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The module of a fixture with its weights, its tensors, and its minibatch."""
    entry = ENTRIES[name]
    fixture = read_safetensors(FIXTURES / entry["file"])
    config = {k: v for k, v in entry["config"].items() if k != "linear_decoder"}
    if entry["config"].get("linear_decoder", False):
        vae = LDVAE(**linear_arguments(config))
    else:
        vae = VAE(**config)
    vae.load_state_dict({k: fixture[f"param/{k}"] for k in vae.state_dict()})
    keys = {
        REGISTRY_KEYS.X_KEY: "x",
        REGISTRY_KEYS.BATCH_KEY: "batch_index",
        REGISTRY_KEYS.LABELS_KEY: "labels",
        REGISTRY_KEYS.CONT_COVS_KEY: "cont_covs",
        REGISTRY_KEYS.CAT_COVS_KEY: "cat_covs",
        REGISTRY_KEYS.SIZE_FACTOR_KEY: "size_factor",
    }
    found = {key: fixture.get(f"input/{name}") for key, name in keys.items()}
    return vae, fixture, {key: array for key, array in found.items() if array is not None}


def at_the_mean(vae: VAE, tensors: dict, **kwargs) -> tuple[dict, dict]:
    """Outputs with z, and an inferred library, at the posterior's mean."""
    inference = vae.inference(**vae._inference_input(tensors))
    inference["z"] = inference["qz"].loc
    if inference["ql"] is not None:
        inference["library"] = inference["ql"].loc
    size_factor = tensors.get(REGISTRY_KEYS.SIZE_FACTOR_KEY)
    generative = vae.generative(
        inference["z"],
        inference["library"],
        tensors["batch"],
        tensors.get(REGISTRY_KEYS.CONT_COVS_KEY),
        tensors.get(REGISTRY_KEYS.CAT_COVS_KEY),
        None if size_factor is None else np.log(size_factor),
        tensors.get("labels"),
        **kwargs,
    )
    return inference, generative


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_outputs_are_those_of_scvi_tools(name):
    vae, fixture, tensors = load(name)
    inference, generative = at_the_mean(vae, tensors)
    px = generative["px"]
    loss = vae.loss(tensors, inference, generative)
    outputs = {
        "qz_m": inference["qz"].loc,
        "qz_v": inference["qz"].variance,
        "library": inference["library"],
        "px_scale": px.get_normalized("scale"),
        "px_rate": px.get_normalized("mu"),
        "reconstruction": loss.reconstruction_loss["reconstruction_loss"],
        "kl_local": sum(loss.kl_local.values()),
    }
    if isinstance(px, ZeroInflatedNegativeBinomial):
        outputs["px_dropout"] = px.zi_logits
    if inference["ql"] is not None:
        outputs["ql_m"], outputs["ql_v"] = inference["ql"].loc, inference["ql"].variance
    seen = 0
    for output, got in outputs.items():
        want = fixture.get(f"eval/{output}")
        if want is None:
            continue
        assert got.dtype == np.float32
        want = want.reshape(got.shape)
        np.testing.assert_allclose(got, want, rtol=2e-4, atol=2e-5 * np.abs(want).max())
        seen += 1
    assert seen >= 4


def test_decoding_as_another_batch():
    name = next(n for n, e in ENTRIES.items() if e.get("transform_batch") is not None)
    vae, fixture, tensors = load(name)
    batch = ENTRIES[name]["transform_batch"]
    _, generative = at_the_mean(vae, tensors, transform_batch=batch)
    want = fixture["transform/px_rate"]
    np.testing.assert_allclose(generative["px"].mu, want, rtol=2e-4, atol=1e-6)
    with pytest.raises(ValueError, match="transform_batch"):
        at_the_mean(vae, tensors, transform_batch=99)


def minibatch(n: int = 10, genes: int = 30, seed: int = 0) -> dict[str, np.ndarray]:
    x = np.random.default_rng(seed).integers(0, 100, (n, genes)).astype(np.float32)
    return {"X": x, "batch": np.zeros(n, int), "labels": np.zeros(n, int)}


@pytest.mark.parametrize("n_samples", [1, 2, 3])
@pytest.mark.parametrize("gene_likelihood", ["zinb", "nb", "poisson", "normal"])
def test_samples(n_samples, gene_likelihood):
    vae = VAE(n_input=30, gene_likelihood=gene_likelihood)
    counts = vae.sample(minibatch(), n_samples=n_samples)
    assert counts.dtype == np.float32
    assert counts.shape == ((10, 30) if n_samples == 1 else (10, 30, n_samples))
    one, other = (vae.sample(minibatch(), n_samples, seed=seed) for seed in (1, 2))
    assert (one != other).any()
    np.testing.assert_array_equal(one, vae.sample(minibatch(), n_samples, seed=1))


@pytest.mark.parametrize("n_samples", [1, 4])
@pytest.mark.parametrize("inferred", [False, True])
def test_a_pass_with_several_draws(n_samples, inferred):
    prior = {"library_log_means": np.full((1, 2), 7.0), "library_log_vars": np.ones((1, 2))}
    options = {"use_observed_lib_size": False, **prior} if inferred else {}
    vae = VAE(n_input=30, n_batch=2, n_latent=3, gene_likelihood="nb", **options)
    tensors = minibatch()
    inference, generative, loss = vae(tensors, inference_kwargs={"n_samples": n_samples})
    front = (n_samples,) if n_samples > 1 else ()
    assert inference["z"].shape == (*front, 10, 3)
    assert inference["library"].shape == (*front, 10, 1)
    assert generative["px"].mean.shape == (*front, 10, 30)
    assert isinstance(generative["px"], NegativeBinomial)
    assert isinstance(generative["pz"], Normal)
    assert (generative["pl"] is None) == (inference["ql"] is None) == (not inferred)
    if inferred:
        assert vae.library_log_means.shape == (1, 2)
        assert generative["pl"].loc.shape == (10, 1)
    assert loss.n_obs_minibatch == (n_samples if n_samples > 1 else 10)
    # The expected counts add up to the library.
    totals = generative["px"].mean.sum(-1)
    np.testing.assert_allclose(totals, np.exp(inference["library"][..., 0]), rtol=1e-4)


def test_kl_weight_scales_the_divergence_of_z_alone():
    vae = VAE(n_input=30)
    inference, generative = vae(minibatch(), compute_loss=False)
    whole, none = (vae.loss(minibatch(), inference, generative, kl_weight=w) for w in (1.0, 0.0))
    difference = whole.loss - none.loss
    np.testing.assert_allclose(difference, whole.kl_local["kl_divergence_z"].mean(), rtol=1e-4)
    np.testing.assert_allclose(whole.kl_local_sum, 10 * difference, rtol=1e-4)


def test_a_stored_posterior_takes_the_place_of_counts():
    vae = VAE(n_input=30, n_latent=2)
    tensors = minibatch()
    inference = vae.inference(tensors["X"], tensors["batch"], seed=5)
    stored = {
        REGISTRY_KEYS.LATENT_QZM_KEY: inference["qz"].loc,
        REGISTRY_KEYS.LATENT_QZV_KEY: inference["qz"].variance,
        REGISTRY_KEYS.OBSERVED_LIB_SIZE: tensors["X"].sum(1),
        "batch": tensors["batch"],
        "labels": tensors["labels"],
    }
    again, _ = vae(stored, inference_kwargs={"seed": 5}, compute_loss=False)
    np.testing.assert_allclose(again["z"], inference["z"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(again["library"], inference["library"], rtol=1e-6)


def test_marginal_likelihood_is_above_the_bound():
    vae = VAE(n_input=30, n_latent=2, gene_likelihood="poisson")
    bounds = [-vae(minibatch())[2].loss for _ in range(20)]
    values = vae.marginal_ll(minibatch(), 50, seed=0)
    assert values.shape == (10,)
    mean = vae.marginal_ll(minibatch(), 50, return_mean=True, seed=0)
    assert mean == pytest.approx(values.mean())
    assert mean > np.mean(bounds)
    assert isinstance(vae(minibatch())[1]["px"], Poisson)


def test_gradients_are_those_of_the_loss():
    # Without dropout, batch normalisation, and noise that matters, evaluation is training.
    vae = VAE(n_input=12, n_latent=2, n_hidden=5, dropout_rate=0.0, use_batch_norm="none", seed=1)
    tensors = minibatch(genes=12)
    state = vae.state_dict()
    got = vae.gradients(tensors, kl_weight=0.5, seed=3)
    assert set(got) <= set(state)

    def loss(px_r):
        vae.load_state_dict({**state, "px_r": px_r})
        outputs = vae(tensors, inference_kwargs={"seed": 3}, loss_kwargs={"kl_weight": 0.5})
        return outputs[2].loss

    for gene in (0, 7):
        step = np.zeros(12, np.float32)
        step[gene] = 0.05
        want = (loss(state["px_r"] + step) - loss(state["px_r"] - step)) / 0.1
        np.testing.assert_allclose(got["px_r"][gene], want, rtol=2e-2, atol=1e-3)


def test_state_and_attributes():
    vae = VAE(n_input=6, n_batch=2, dispersion="gene-batch", n_latent=4, seed=0)
    assert (vae.n_input, vae.n_batch, vae.n_latent, vae.dispersion) == (6, 2, 4, "gene-batch")
    assert vae.px_r.shape == (6, 2)
    other = VAE(n_input=6, n_batch=2, dispersion="gene-batch", n_latent=4, seed=1)
    assert (other.px_r != vae.px_r).any()
    other.load_state_dict(vae.state_dict())
    np.testing.assert_array_equal(other.px_r, vae.px_r)
    assert VAE._from_core(vae._core).n_latent == 4
    assert not vae.training
    assert vae.train().training
    assert not vae.eval().training
    with pytest.raises(StateError):
        vae.load_state_dict({"px_r": np.zeros(6)})
    with pytest.raises(AttributeError, match="n_latents"):
        vae.n_latents  # noqa: B018
    with pytest.raises(AttributeError, match="it needs none"):
        vae.library_log_vars  # noqa: B018


def test_embeddings():
    vae = VAE(n_input=6, n_batch=3, batch_representation="embedding")
    assert vae.get_embedding("batch").weight.shape == (3, 5)
    vae.remove_embedding("batch")
    for use in (
        lambda: vae(minibatch()),
        lambda: vae.get_embedding("batch"),
        lambda: vae.remove_embedding("batch"),
    ):
        with pytest.raises(KeyError, match="was removed"):
            use()
    with pytest.raises(KeyError, match="needs"):
        vae.init_embedding("batch", 2)
    vae.init_embedding("batch", 3)
    assert vae.get_embedding("batch").weight.shape == (3, 5)
    vae.init_embedding("donor", 4, embedding_dim=2)
    with pytest.raises(KeyError, match="exists"):
        vae.init_embedding("donor", 4)
    vectors = vae.compute_embedding("donor", np.array([[3], [0]]))
    np.testing.assert_array_equal(vectors, vae.get_embedding("donor").weight[[3, 0]])
    vae.extend_embedding("donor", [1])
    vae.extend_embedding("donor", 2)
    donor = vae.get_embedding("donor")
    assert (donor.num_embeddings, donor.embedding_dim) == (7, 2)
    np.testing.assert_array_equal(donor.weight[4], donor.weight[1])
    with pytest.raises(KeyError, match="row 7"):
        vae.compute_embedding("donor", [7])
    vae.remove_embedding("donor")
    with pytest.raises(KeyError, match="not found"):
        vae.get_embedding("donor")


def test_linear_decoder():
    vae = LDVAE(n_input=9, n_batch=2, n_latent=3, use_observed_lib_size=True, use_batch_norm=False)
    assert vae.get_loadings().shape == (9, 3)
    assert isinstance(vae(minibatch(genes=9))[1]["px"], NegativeBinomial)
    with pytest.raises(ConfigError):
        LDVAE(n_input=9)  # infers a library without a prior


class Softplus:
    pass


def exp(x):
    return x


def test_options_by_name_function_and_class():
    assert var_activation(None) == var_activation("exp") == var_activation(exp) == "exp"
    assert var_activation(np.exp) == "exp"
    assert var_activation(Softplus()) == var_activation(Softplus) == "softplus"
    with pytest.raises(ValueError, match="choose one of exp, softplus"):
        var_activation(np.tanh)
    assert VAE(n_input=3, var_activation=Softplus()).var_activation == "softplus"
    config = module_config(extra_encoder_kwargs={"activation_fn": Softplus})
    assert config == {"extra_encoder_kwargs": {"activation_fn": "softplus"}}
    config = module_config(extra_decoder_kwargs={"activation_fn": "LeakyReLU"})
    assert config["extra_decoder_kwargs"] == {"activation_fn": "leaky_relu"}
    with pytest.raises(TypeError, match="'n_latents', 'q'"):
        module_config(n_latents=3, q=1)
    linear = module_config(
        model_class="LinearSCVI", n_layers_encoder=2, bias=True, use_batch_norm=False
    )
    assert linear == {
        "n_layers": 2,
        "extra_decoder_kwargs": {"bias": True},
        "use_batch_norm": "encoder",
    }


def test_bad_input_is_told():
    vae = VAE(n_input=30, n_batch=2)
    tensors = minibatch()
    with pytest.raises(CountsError, match=r"cells \[3\]"):
        vae.inference(np.where(np.arange(10)[:, None] == 3, 0, tensors["X"]), tensors["batch"])
    with pytest.raises(CountsError, match="count of gene 0 in cell 0 is -"):
        vae.inference(-tensors["X"], tensors["batch"])
    with pytest.raises(MisfitError, match="genes"):
        vae.inference(tensors["X"][:, :7], tensors["batch"])
    with pytest.raises(MisfitError, match="batches"):
        vae.inference(tensors["X"], np.full(10, 2))
    with pytest.raises(ValueError, match="whole numbers"):
        vae.inference(tensors["X"], np.full(10, 0.5))
    with pytest.raises(ValueError, match="n_samples"):
        vae.inference(tensors["X"], tensors["batch"], n_samples=0)
    with pytest.raises(ValueError, match="shape"):
        vae.generative(np.zeros((10, 3)), np.zeros(10), tensors["batch"])
    with pytest.raises(TypeError, match="qzv"):
        vae.inference()
    with pytest.raises(ConfigError):
        VAE(n_input=30, dropout_rate=1.5)


def test_loss_output_sums_terms():
    terms = {"a": np.array([1.0, 2.0]), "b": np.array([3.0, 4.0])}
    output = LossOutput(loss={"x": 1.0, "y": 2.0}, reconstruction_loss=terms)
    assert (output.loss, output.reconstruction_loss_sum, output.n_obs_minibatch) == (3.0, 10.0, 2)
    assert output.kl_local == {"kl_local": 0.0}
    with pytest.raises(ValueError, match="n_obs_minibatch"):
        LossOutput(loss=1.0)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("n_layers", 0, "n_layers is 0; it must be 1 or more"),
        ("n_layers", -1, "n_layers is -1; it must not be negative"),
        ("n_hidden", 0, "n_hidden is 0; it must be 1 or more"),
        ("n_latent", 2.5, r"n_latent is 2\.5; it must be a whole number"),
        ("n_latent", True, "n_latent is True; it must be a whole number"),
        ("n_hidden", "128", "n_hidden is '128'; it must be a whole number"),
    ],
)
def test_sizes_that_make_no_module(option, value, message):
    with pytest.raises(ValueError, match=message):
        VAE(n_input=10, **{option: value})


def test_sizes_of_numpy_are_taken():
    assert VAE(n_input=np.int64(10), n_hidden=np.uint8(16)).n_input == 10
