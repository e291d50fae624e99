"""Writes the weights after ten optimizer steps whose gradients were clipped.

    python3 reference/clipping.py            write fixtures_clipping/
    python3 reference/clipping.py --check    compare with what is there

Models, cells and noise are those of the fixtures of the same names (generate.py). Gradients are
clipped as Lightning does for `gradient_clip_val` and `gradient_clip_algorithm`. For each model, in
double precision and under `NAME/`:

- `max_norm`, `limit`: half of the first gradient's norm, and a tenth of its largest number;
- `norm/PARAMETER`, `value/PARAMETER`: parameters and buffers after ten steps with each.
"""

import copy
import sys
from pathlib import Path

import environment

FILE = Path(__file__).resolve().parent / "fixtures_clipping" / "clipping.safetensors"
NAMES = ["zinb", "nb_gene_batch", "latent_library"]


def run(row):
    """The tensors of one model."""
    rng = np.random.default_rng(row["seed"])
    inputs = draws.module_inputs(draws.minibatch(row, rng))
    pristine, drawn = oracle.build(row, rng, inputs)
    clip_nothing = lambda parameters: None
    first = steps(copy.deepcopy(pristine), inputs, oracle.Noise(drawn), 1, clip_nothing)
    gradients = [p.grad for p in first.parameters() if p.grad is not None]
    max_norm = 0.5 * float(torch.nn.utils.get_total_norm(gradients))
    limit = 0.1 * max(float(g.abs().max()) for g in gradients)
    bounds = {"max_norm": np.array([max_norm]), "limit": np.array([limit])}
    clips = {
        "norm": lambda parameters: torch.nn.utils.clip_grad_norm_(parameters, max_norm),
        "value": lambda parameters: torch.nn.utils.clip_grad_value_(parameters, limit),
    }
    for name, clip in clips.items():
        noise = oracle.Noise(drawn)
        module = steps(copy.deepcopy(pristine), inputs, noise, draws.STEPS, clip)
        bounds |= {f"{name}/{k}": oracle.double(v) for k, v in oracle.state(module).items()}
    return bounds


def steps(module, inputs, noise, n, clip):
    """The module after some steps of the optimizer that TrainingPlan sets up."""
    module.train()
    optimizer = TrainingPlan(module).configure_optimizers()["optimizer"]
    with oracle.injected(module, noise):
        for step in range(1, n + 1):
            optimizer.zero_grad()
            oracle.forward(module, inputs, noise, step)[2].loss.backward()
            clip(module.parameters())
            optimizer.step()
    return module


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
    from scvi.train import TrainingPlan

    torch.set_num_threads(1)
    main()
