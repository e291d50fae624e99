"""The history of a training in a file, where scvi-tools' ``log_save_dir`` has it."""

from __future__ import annotations

import os
import pickle
import re
from typing import Any


def write_history(folder: str | os.PathLike[str], history: dict[str, Any]) -> str:
    """Writes ``lightning_logs/version_N/history.pkl`` with the next ``N``; returns its path.

    Parameters
    ----------
    folder
        The folder.
    history
        Data frames by their names.
    """
    logs = os.path.join(os.fspath(folder), "lightning_logs")
    os.makedirs(logs, exist_ok=True)
    found = (re.fullmatch(r"version_(\d+)", name) for name in os.listdir(logs))
    version = max((int(match[1]) for match in found if match), default=-1) + 1
    run = os.path.join(logs, f"version_{version}")
    os.makedirs(run, exist_ok=True)
    path = os.path.join(run, "history.pkl")
    with open(f"{path}.tmp", "wb") as file:
        pickle.dump(history, file)
    os.replace(f"{path}.tmp", path)
    return path
