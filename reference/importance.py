"""Writes the importance weights that scvi-tools gives to posterior samples.

    python3 reference/importance.py            write fixtures_importance/
    python3 reference/importance.py --check    compare with what is there

Models and cells are those of the fixtures of the same names (generate.py). For each model, in
double precision and under `NAME/`:

- `cells`, `z`: samples of the cells' posteriors, exact in single precision;
- `anchors`, `log_px`: the cells that weights go by, and ln p(x) of each as scvi-tools estimates it;
- `log_weights`: their normalised logarithms.
"""

import sys
from pathlib import Path

import environment

FILE = Path(__file__).resolve().parent / "fixtures_importance" / "importance.safetensors"
NAMES = [
    "zinb", "nb", "zinb_gene_batch", "gene_label", "gene_cell", "latent_library", "size_factor",
]
SAMPLES, ANCHORS = 3, 7


class Model:
    """As much of scvi.model.SCVI as importance weights need."""

    device = "cpu"

    def __init__(self, module, inputs):
        self.module, self.inputs, self.found = module, inputs, {}

    def _make_data_loader(self, adata, indices, batch_size):
        assert batch_size == 1
        return [{key: value[[i]] for key, value in self.inputs.items()} for i in indices]

    def get_marginal_ll(self, adata, indices, return_mean, n_mc_samples, n_mc_samples_per_pass):
        inputs = {key: value[indices] for key, value in self.inputs.items()}
        log_px = self.module.marginal_ll(
            inputs, n_mc_samples, return_mean=return_mean, n_mc_samples_per_pass=n_mc_samples_per_pass
        )
        self.found = {"anchors": indices, "log_px": log_px.numpy()}
        return log_px

    def log_weights(self, samples):
        cells = np.arange(len(self.inputs["X"]))
        np.random.seed(0)
        torch.manual_seed(0)
        qz, px, z = samples
        weights = RNASeqMixin.get_importance_weights(
            self, None, cells, qz, px, z, max_cells=ANCHORS
        )
        return np.log(weights)


def run(row):
    """The tensors of one model."""
    rng = np.random.default_rng(row["seed"])
    inputs = draws.module_inputs(draws.minibatch(row, rng))
    module, _ = oracle.build(row, rng, inputs)
    module.eval()
    model = Model(module, inputs)
    with oracle.double_one_hot(), torch.inference_mode():
        qz = module.inference(**module._get_inference_input(inputs))["qz"]
        noise = torch.from_numpy(rng.standard_normal((SAMPLES, *qz.loc.shape)))
        inference = module.inference(**module._get_inference_input(inputs), n_samples=SAMPLES)
        inference["z"] = (qz.loc + noise * qz.scale).float().double()
        px = module.generative(**module._get_generative_input(inputs, inference))["px"]
        found = {"log_weights": model.log_weights((qz, px, inference["z"]))}
    z = inference["z"].numpy()  # (samples, cells, latent)
    cells = np.broadcast_to(np.arange(z.shape[1]), z.shape[:2])
    found |= model.found | {"cells": cells.ravel().copy()}
    return found | {"z": z.reshape(-1, z.shape[-1]).astype("f4")}


def main():
    """Write the file, or compare it."""
    rows = {row["name"]: row for row in FIXTURES}
    tensors = {f"{name}/{k}": v for name in NAMES for k, v in run(rows[name]).items()}
    content = tensor_file.to_bytes(tensors)
    if "--check" in sys.argv[1:]:
        sys.exit(0 if FILE.read_bytes() == content else f"{FILE} differs")
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_bytes(content)
    print(f"{FILE}: {len(content)} bytes", file=sys.stderr)


if __name__ == "__main__":
    environment.enter()
    import draws
    import numpy as np
    import oracle
    import tensor_file
    import torch
    from configurations import FIXTURES
    from scvi.model.base import RNASeqMixin

    torch.set_num_threads(1)
    main()
