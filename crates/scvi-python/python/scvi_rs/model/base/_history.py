"""What training recorded, as scvi-tools shows it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


def history_frames(columns: dict[str, np.ndarray]) -> dict[str, pd.DataFrame]:
    """A data frame of one column for each figure, by epoch; epochs without a value are left out.

    Parameters
    ----------
    columns
        The engine's columns, ``epoch`` among them; NaN where there is no value.
    """
    epochs = np.asarray(columns.get("epoch", []))
    frames = {}
    for name, values in columns.items():
        there = ~np.isnan(values)
        if name == "epoch" or not there.any():
            continue
        index = pd.Index(epochs[there].astype(int), name="epoch")
        frames[name] = pd.DataFrame({name: values[there]}, index=index)
    return frames


def with_steps(
    epochs: dict[str, pd.DataFrame], steps: list[dict[str, Any]]
) -> dict[str, pd.DataFrame]:
    """Losses of single steps beside those of epochs, whose names then end in ``_epoch``.

    Parameters
    ----------
    epochs
        The history by epoch.
    steps
        The engine's records of minibatches.
    """
    frames = {}
    for name, frame in epochs.items():
        key = name if name.startswith(("kl_weight", "lr-")) else f"{name}_epoch"
        frames[key] = frame.set_axis([key], axis=1)
    trained = [step for step in steps if not step["is_validation"]]
    # Of a validation the last minibatch.
    validated = {step["epoch"]: step for step in steps if step["is_validation"]}
    for name, kept in {
        "train_loss_step": trained,
        "validation_loss_step": validated.values(),
    }.items():
        if kept:
            index = pd.Index([step["step"] for step in kept], name="step")
            frames[name] = pd.DataFrame({name: [step["loss"] for step in kept]}, index=index)
    return frames
