"""Writes what scvi-tools estimates by drawing, for our estimates to be compared with.

    python3 reference/monte_carlo.py    write fixtures_monte_carlo/

Models and cells are those of the fixtures of the same names (generate.py), but for weights that
are small enough for the posterior to be near its encoder's: else a few draws would decide each
estimate. For each model:

- `marginal_ll`, ln p(x) of each cell, and `marginal_ll_error`, its standard error, from BLOCKS
  independent estimates with DRAWS draws each;
- `mean` and `variance` of SAMPLES posterior predictive counts: (cells, genes);
- where the likelihood has a dispersion, `pearson` and `spearman`, correlations of every two genes
  over DRAWS denoised samples of each cell, with px_r larger by 4: means over BLOCKS estimates, and
  `pearson_error` and `spearman_error`, standard errors of these means: (genes, genes).
"""

import json
import sys
from pathlib import Path

import environment

FOLDER = Path(__file__).resolve().parent / "fixtures_monte_carlo"
NAMES = ["zinb", "nb_gene_batch", "poisson", "normal", "latent_library", "size_factor"]
BLOCKS, DRAWS, SAMPLES = 25, 400, 2000


def tame(module):
    """Let z say little, and the encoder say little about it."""
    small = ["z_encoder.mean_encoder", "z_encoder.var_encoder", "l_encoder.mean_encoder"]
    for name in small:
        layer = module.get_submodule(name)
        layer.weight *= 1 / 64
        layer.bias *= 1 / 64
    if not module.use_observed_lib_size:
        # Where the priors are, and wider than any of them.
        module.l_encoder.mean_encoder.bias.fill_(3.75)
        module.l_encoder.var_encoder.bias.fill_(1.0)
    first = module.decoder.px_decoder.fc_layers[0][0]
    first.weight[:, : module.n_latent] *= 1 / 256
    # Wide distributions of counts: ones that say little about the library, too.
    if module.dispersion != "gene-cell":
        module.px_r += 4 if module.gene_likelihood == "normal" else -4
    for parameter in module.parameters():
        parameter.copy_(parameter.float().double())


def run(row):
    """The model, its cells and the estimates, in the names of a fixture."""
    rng = np.random.default_rng(row["seed"])
    batch = draws.minibatch(row, rng)
    inputs = draws.module_inputs(batch)
    module, _ = oracle.build(row, rng, inputs)
    module.eval()
    torch.manual_seed(row["seed"])
    with oracle.double_one_hot(), torch.no_grad():
        tame(module)
        blocks = [
            module.marginal_ll(inputs, DRAWS, n_mc_samples_per_pass=100) for _ in range(BLOCKS)
        ]
        samples = module.sample(inputs, n_samples=SAMPLES)
    # The mean of likelihoods; its relative error is the error of its logarithm.
    blocks = torch.stack(blocks)
    mean = torch.logsumexp(blocks, 0) - np.log(BLOCKS)
    error = torch.exp(blocks - mean).std(0) / np.sqrt(BLOCKS)
    print(f"{row['name']}: errors of marginal likelihoods up to {error.max():.3g}", file=sys.stderr)
    found = {"marginal_ll": mean, "marginal_ll_error": error}
    found |= {"mean": samples.mean(-1), "variance": samples.var(-1)}
    tensors = {name: tensor.double().numpy() for name, tensor in found.items()}
    if row["config"].get("gene_likelihood", "zinb") in ("zinb", "nb"):
        with oracle.double_one_hot(), torch.no_grad():
            # What tame() took: of a shape near 0, single precision has no draws but 0.
            module.px_r += 4
            tensors |= correlations(module, inputs)
            module.px_r -= 4
    tensors |= {f"input/{name}": array for name, array in batch.items()}
    tensors |= {f"param/{k}": oracle.single(v) for k, v in oracle.state(module).items()}
    return tensors


def correlations(module, inputs):
    """Means and standard errors over blocks."""
    # As much of scvi.model.SCVI as denoised samples need.
    model = type("Model", (RNASeqMixin,), {"module": module})()
    blocks = {"pearson": [], "spearman": []}
    for _ in range(BLOCKS):
        samples = model._get_denoised_samples(dataloader=[inputs], n_samples=DRAWS)
        rows = np.moveaxis(samples, 2, 0).reshape(-1, samples.shape[1])  # (draws * cells, genes)
        blocks["pearson"].append(np.corrcoef(rows, rowvar=False))
        blocks["spearman"].append(spearmanr(rows)[0])
    found = {}
    for name, matrices in blocks.items():
        found[name] = np.mean(matrices, 0)
        found[f"{name}_error"] = np.std(matrices, 0, ddof=1) / np.sqrt(BLOCKS)
    return found


def main():
    FOLDER.mkdir(exist_ok=True)
    rows = {row["name"]: row for row in FIXTURES}
    entries = []
    for name in NAMES:
        file = f"{name}.safetensors"
        (FOLDER / file).write_bytes(tensor_file.to_bytes(run(rows[name])))
        config = rows[name]["config"]
        entries.append({"name": name, "file": file, "config": config, "kl_weight": 1.0})
    manifest = {"blocks": BLOCKS, "draws": DRAWS, "samples": SAMPLES, "fixtures": entries}
    (FOLDER / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    environment.enter()
    import draws
    import numpy as np
    import oracle
    import tensor_file
    import torch
    from configurations import FIXTURES
    from scipy.stats import spearmanr
    from scvi.model.base import RNASeqMixin

    torch.set_num_threads(1)
    main()
