"""Whether a training is kept in a file, and goes on from one."""

from __future__ import annotations

import logging
import os
from typing import Any

from ._arguments import plain_number, whole_number

logger = logging.getLogger(__name__)

_EVERY_MINUTES = 5.0
"""As of the command ``scvi train``."""


def checkpoint_options(
    path: str | os.PathLike[str] | None,
    every_minutes: float | None,
    every_n_epoch: int | None,
    resume: bool,
) -> dict[str, Any] | None:
    """Options of the engine's checkpoints; ``None`` for none.

    Parameters
    ----------
    path
        The file.
    every_minutes, every_n_epoch
        How often it is written.
    resume
        Whether to go on from it.

    Raises
    ------
    ValueError
        If there are other options and no file.
    """
    if path is None:
        given = {
            "resume": resume or None,
            "checkpoint_every_minutes": every_minutes,
            "checkpoint_every_n_epoch": every_n_epoch,
        }
        named = [name for name, value in given.items() if value is not None]
        if named:
            raise ValueError(
                f"{', '.join(named)} needs checkpoint_path, the file of the checkpoint"
            )
        return None
    if resume and not os.path.exists(path):
        logger.info("%s is not there: training from the beginning.", os.fspath(path))
    minutes = _EVERY_MINUTES if every_minutes is None else every_minutes
    epochs = (
        None if every_n_epoch is None else whole_number("checkpoint_every_n_epoch", every_n_epoch)
    )
    if epochs is not None and epochs < 1:
        raise ValueError(f"checkpoint_every_n_epoch is {epochs}; it must be 1 or more")
    return {
        "path": os.fspath(path),
        "every_minutes": float(plain_number("checkpoint_every_minutes", minutes)),
        "every_n_epoch": epochs,
        "resume": bool(resume),
        "takes_seed": False,
    }
