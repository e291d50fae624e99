"""Runs scvi.module.VAE and its kin in double precision on given weights, inputs and noise."""

import copy
from contextlib import contextmanager
from functools import partial
from unittest.mock import patch

import draws
import numpy as np
import torch
from scvi.module import LDVAE, SCANVAE, VAE
from scvi.train import TrainingPlan
from torch import nn

KL_WEIGHT = 0.375
"""Weight of the latent divergence in every pass; exact in single precision."""

CLASSIFICATION_RATIO = 50
"""Weight of the classification loss of SCANVAE."""


class Noise:
    """Stands in for torch's random numbers: normal draws for encoders, masks for dropout."""

    NORMALS = ("z", "library", "z2", "labelled/z")
    """In the order in which a pass asks for them."""

    def __init__(self, drawn):
        self.normals = [drawn[name] for name in self.NORMALS if name in drawn]
        self.masks = {k: v for k, v in drawn.items() if "dropout/" in k}
        self.row, self.pending, self.called = None, [], set()

    def start(self, row):
        """Make the draws of one pass ready; `None` draws zeros, the mean of the posterior."""
        self.row, self.called = row, set()
        self.pending = [np.zeros_like(n[0]) if row is None else n[row] for n in self.normals]

    def normal(self, shape, dtype, device):
        draw = torch.from_numpy(self.pending.pop(0)).to(device=device, dtype=dtype)
        assert draw.shape == shape, f"asked for {shape}, have {draw.shape}"
        return draw

    def dropout(self, name, layer, x):
        if not layer.training:
            return x
        # The second call within a pass is for the labelled minibatch of SCANVAE.
        mask = f"labelled/dropout/{name}" if name in self.called else f"dropout/{name}"
        self.called.add(name)
        return x * (torch.from_numpy(self.masks[mask][self.row]).to(x.dtype) / (1 - layer.p))


@contextmanager
def double_one_hot():
    """Let one-hot products be double precision: scvi-tools casts the codes to single."""
    linear = nn.functional.linear

    def same_type_linear(x, weight, bias=None):
        return linear(x.to(weight.dtype), weight, bias)

    with patch("torch.nn.functional.linear", same_type_linear):
        yield


@contextmanager
def injected(module, noise):
    """Replace the random numbers of `module`, in double precision throughout."""
    for name, layer in module.named_modules():
        if isinstance(layer, nn.Dropout):
            layer.forward = partial(noise.dropout, name, layer)
    with patch("torch.distributions.normal._standard_normal", noise.normal), double_one_hot():
        yield


def forward(module, inputs, noise, row, **loss_kwargs):
    """One pass: module outputs and what the decoder returned."""
    decoded = []
    hook = module.decoder.register_forward_hook(lambda *call: decoded.append(call[-1]))
    noise.start(row)
    loss_kwargs |= {"kl_weight": KL_WEIGHT}
    inference, generative, loss = module(inputs, loss_kwargs=loss_kwargs)
    hook.remove()
    assert not noise.pending, "an encoder drew no noise"
    return inference, generative["px"], loss, decoded[0]


def build(row, rng, inputs, **loss_kwargs):
    """The module of a fixture with its starting weights, and its noise."""
    torch.manual_seed(row["seed"])
    module = module_of(row["config"])
    draws.weights(module, row, rng)
    module.double()
    drawn = draws.noise(module, row["n_cells"], rng)
    if isinstance(module, SCANVAE):
        drawn |= draws.second_level_noise(module, row, rng)

    def first_pass():
        noise = Noise(drawn)
        with injected(module, noise):
            forward(module, inputs, noise, 0, **loss_kwargs)

    draws.running_statistics(module, rng, first_pass)
    draws.single_precision(module)
    for layer in module.modules():
        layer.__dict__.pop("forward", None)
    return module, drawn


ACTIVATIONS = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "softplus": nn.Softplus,
    "identity": nn.Identity,
}
"""The functions that extra_encoder_kwargs and extra_decoder_kwargs name."""


def module_of(config):
    """The module whose arguments a configuration holds in JSON's form."""
    arguments = dict(config)
    if "var_activation" in arguments:
        functions = {"exp": torch.exp, "softplus": nn.functional.softplus}
        arguments["var_activation"] = functions[arguments["var_activation"]]
    for name in ("library_log_means", "library_log_vars"):
        if name in arguments:
            arguments[name] = np.asarray([arguments[name]])
    for name in ("extra_encoder_kwargs", "extra_decoder_kwargs"):
        extra = dict(arguments.get(name, {}))
        if "activation_fn" in extra:
            extra["activation_fn"] = ACTIVATIONS[extra["activation_fn"]]
        arguments[name] = extra
    if "linear_classifier" in arguments:
        return scanvae_of(arguments)
    if not arguments.pop("linear_decoder", False):
        return VAE(**arguments)
    arguments["n_layers_encoder"] = arguments.pop("n_layers", 1)
    arguments["use_batch_norm"] = arguments.get("use_batch_norm", "both") in ("both", "decoder")
    arguments["bias"] = arguments.pop("extra_decoder_kwargs").get("bias", True)
    arguments.setdefault("gene_likelihood", "zinb")
    arguments.setdefault("use_observed_lib_size", True)
    return LDVAE(**arguments)


def scanvae_of(arguments):
    """The SCANVAE whose arguments a configuration holds in JSON's form."""
    if "y_prior" in arguments:
        arguments["y_prior"] = torch.tensor([arguments["y_prior"]])
    classifier = arguments.pop("classifier_parameters", {})
    if "activation_fn" in classifier:
        classifier = classifier | {"activation_fn": ACTIVATIONS[classifier["activation_fn"]]}
    return SCANVAE(classifier_parameters=classifier, **arguments)


def run(row):
    """All tensors of a fixture, and the names of the parameters that got no gradient."""
    rng = np.random.default_rng(row["seed"])
    batch = draws.minibatch(row, rng)
    tensors = {f"input/{name}": array for name, array in batch.items()}
    inputs, loss_kwargs = draws.module_inputs(batch), {}
    if row.get("n_labelled"):
        labelled = draws.labelled_minibatch(row, rng)
        tensors |= {f"labelled/{name}": array for name, array in labelled.items()}
        labelled = draws.module_inputs(labelled)
        loss_kwargs = dict(labelled_tensors=labelled, classification_ratio=CLASSIFICATION_RATIO)
    pristine, drawn = build(row, rng, inputs, **loss_kwargs)
    # What SCANVAE draws of a labelled cell's posterior, it drops.
    tensors |= {f"noise/{name}": array for name, array in drawn.items() if name != "labelled/z"}
    tensors |= {f"param/{k}": single(v) for k, v in state(pristine).items()}
    passes = (single_pass, ten_steps, evaluation)
    for one_pass in [partial(p, row, inputs, Noise(drawn), **loss_kwargs) for p in passes]:
        tensors |= one_pass(copy.deepcopy(pristine))
    unused = [k for k, _ in pristine.named_parameters() if f"grad/{k}" not in tensors]
    if isinstance(pristine, SCANVAE):  # leaves them out, but for its prior, to keep files small
        idle = {k for k in unused if k != "y_prior"}
        tensors = {k: v for k, v in tensors.items() if k.partition("/")[2] not in idle}
    return tensors, unused


def single_pass(row, inputs, noise, module, **loss_kwargs):
    """Outputs, gradients and batch norm buffers of one pass in training mode."""
    module.train()
    with injected(module, noise):
        outputs = forward(module, inputs, noise, 0, **loss_kwargs)
        outputs[2].loss.backward()
    tensors = describe("train", row, *outputs)
    tensors["train/loss"] = double(outputs[2].loss)
    for name, parameter in module.named_parameters():
        if parameter.grad is not None:
            tensors[f"grad/{name}"] = double(parameter.grad)
    buffers = {k for k, _ in module.named_buffers() if "running" in k}
    tensors |= {f"buffers/{k}": double(v) for k, v in state(module).items() if k in buffers}
    return tensors


def ten_steps(_row, inputs, noise, module, **loss_kwargs):
    """Parameters and buffers after ten steps of the optimiser that TrainingPlan sets up."""
    module.train()
    optimizer = TrainingPlan(module).configure_optimizers()["optimizer"]
    with injected(module, noise):
        for step in range(1, draws.STEPS + 1):
            optimizer.zero_grad()
            forward(module, inputs, noise, step, **loss_kwargs)[2].loss.backward()
            optimizer.step()
    return {f"adam10/{k}": double(v) for k, v in state(module).items()}


@torch.no_grad()
def evaluation(row, inputs, noise, module, **loss_kwargs):
    """Outputs at the mean of the posterior, with running statistics and without dropout."""
    module.eval()
    with injected(module, noise):
        outputs = forward(module, inputs, noise, None, **loss_kwargs)
        tensors = describe("eval", row, *outputs)
        if "transform_batch" in row:
            # Decode the same z once more, as if every cell came from one batch.
            arguments = module._get_generative_input(inputs, outputs[0])
            px = module.generative(**arguments, transform_batch=row["transform_batch"])["px"]
            tensors["transform/px_rate"] = double(px.mu)
            tensors["transform/px_r"] = double(px.theta.expand_as(px.mu))
    return tensors


def describe(prefix, row, inference, px, loss, decoded):
    """The named outputs of one pass."""
    likelihood = row["config"].get("gene_likelihood", "zinb")
    found = {
        "qz_m": inference["qz"].loc,
        "qz_v": inference["qz"].variance,
        "z": inference["z"],
        "library": inference["library"].squeeze(-1),
        "reconstruction": loss.dict_sum(loss.reconstruction_loss),
        "kl_local": loss.dict_sum(loss.kl_local),
    }
    if loss.classification_loss is not None:
        found |= {"classification_loss": loss.classification_loss, "logits": loss.logits}
    ql = inference["ql"]
    if ql is not None:
        if "kl_divergence_l" in loss.kl_local:
            found["kl_l"] = loss.kl_local["kl_divergence_l"]
        found |= {f"ql_{k}": v.squeeze(-1) for k, v in [("m", ql.loc), ("v", ql.variance)]}
    if not row.get("losses_only"):
        found["px_scale"], _, found["px_rate"], dropout = decoded
        if likelihood == "zinb":
            found["px_dropout"] = dropout
        if likelihood != "poisson":
            found["px_r"] = px.scale if likelihood == "normal" else px.theta
            if row["config"].get("dispersion", "gene") == "gene":
                found["px_r"] = found["px_r"].expand_as(dropout)[0]
    return {f"{prefix}/{name}": double(tensor) for name, tensor in found.items()}


def state(module):
    """Parameters and buffers by name, without batch norm's counters."""
    return {k: v for k, v in module.state_dict().items() if "num_batches_tracked" not in k}


def single(tensor):
    """The tensor in single precision, which must lose nothing."""
    narrow = tensor.detach().float()
    assert torch.equal(narrow.double(), tensor), "not exact in single precision"
    return narrow.numpy().copy()


def double(tensor):
    """The tensor in double precision, finite throughout."""
    assert tensor.dtype == torch.float64 and torch.isfinite(tensor).all()
    return tensor.detach().numpy().copy()
