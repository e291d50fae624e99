"""Arguments of Lightning's ``Trainer``: those that are honoured, those that change no result here,
and those that are refused."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

HONOURED = (
    "callbacks",
    "check_val_every_n_epoch",
    "checkpointing_monitor",
    "default_root_dir",
    "detect_anomaly",
    "early_stopping",
    "early_stopping_min_delta",
    "early_stopping_mode",
    "early_stopping_monitor",
    "early_stopping_patience",
    "early_stopping_warmup_epochs",
    "enable_autolog_hparams",
    "enable_checkpointing",
    "enable_progress_bar",
    "fast_dev_run",
    "gradient_clip_algorithm",
    "gradient_clip_val",
    "learning_rate_monitor",
    "limit_train_batches",
    "limit_val_batches",
    "log_every_n_steps",
    "log_save_dir",
    "logger",
    "max_epochs",
    "max_steps",
    "min_epochs",
    "progress_bar_refresh_rate",
    "simple_progress_bar",
)
"""Arguments of Lightning's and of scvi-tools' ``Trainer`` that do what they say."""

IDLE = {
    "benchmark": "it chooses among convolutions of a GPU",
    "deterministic": "training is always reproducible",
    "enable_model_summary": "it prints",
    "inference_mode": "there is no autograd",
    "limit_predict_batches": "train does not predict",
    "limit_test_batches": "train does not test",
    "num_sanity_val_steps": "their results are thrown away",
    "reload_dataloaders_every_n_epochs": "the data do not change while a model is trained",
    "sync_batchnorm": "there is one process",
    "use_distributed_sampler": "there is one process",
}
"""Arguments that any value may be given to, and why they change nothing."""

_NONE = (None,)
_REFUSED: dict[str, tuple[tuple[Any, ...], str]] = {
    "accumulate_grad_batches": ((None, 1), "every minibatch is a step; batch_size is its size"),
    "barebones": ((None, False), "enable_progress_bar=False and logger=False leave these out"),
    "ckpt_path": (_NONE, "checkpoints of Lightning are not read; checkpoint_path and resume go on"),
    "max_time": (_NONE, "a run must not depend on the clock; Ctrl-C keeps what was learned"),
    "min_steps": (_NONE, "min_epochs is counted in epochs"),
    "model_registry": (_NONE, "there is none"),
    "num_nodes": ((None, 1), "there is one"),
    "overfit_batches": ((None, 0, 0.0), "limit_train_batches takes other minibatches each epoch"),
    "plugins": ((None, [], ()), "they are Lightning's"),
    "precision": ((None, 32, "32", "32-true"), "training is in 4-byte floats"),
    "profiler": (_NONE, "it measures torch"),
    "strategy": ((None, "auto"), "there is one process on one processor"),
    "val_check_interval": ((None, 1.0), "validation is at the end of an epoch"),
}
"""Arguments that would change a result, the values that do not, and why others are refused."""

REFUSED = frozenset(_REFUSED)


def refuse(name: str, value: Any, why: str) -> ValueError:
    """The error for an argument that is not supported.

    Parameters
    ----------
    name, value
        The argument.
    why
        Why it is not, or what does instead.
    """
    return ValueError(
        f"{name}={value!r} is not supported: {why}. Arguments of Lightning's Trainer that are "
        f"honoured: {', '.join(HONOURED)}"
    )


def take_unused(kwargs: dict[str, Any]) -> None:
    """Takes arguments out of ``kwargs`` that change nothing.

    Raises
    ------
    ValueError
        If one is refused, with the list of those that are honoured.
    """
    for name in IDLE:
        kwargs.pop(name, None)
    for name, (allowed, why) in _REFUSED.items():
        if name in kwargs:
            value = kwargs.pop(name)
            if not any(type(value) is type(other) and value == other for other in allowed):
                raise refuse(name, value, why)


def as_kwargs(config: Any, name: str) -> dict[str, Any]:
    """Arguments from a mapping, or from a configuration of scvi-tools with ``to_kwargs``.

    Of a configuration that is a dataclass those count that differ from their defaults.

    Parameters
    ----------
    config
        The mapping or configuration, or ``None``.
    name
        Its name, for the error.

    Raises
    ------
    TypeError
        If it is neither.
    """
    if config is None:
        return {}
    if isinstance(config, Mapping):
        return dict(config)
    to_kwargs = getattr(config, "to_kwargs", None)
    kwargs = to_kwargs() if callable(to_kwargs) else None
    if not isinstance(kwargs, dict):
        raise TypeError(f"{name} must be a dict, or a configuration whose to_kwargs() gives one")
    fields = dataclasses.fields(config) if dataclasses.is_dataclass(config) else ()
    unset = {field.name for field in fields if getattr(config, field.name) == field.default}
    return {key: value for key, value in kwargs.items() if key not in unset}


def batch_limit(name: str, value: Any) -> int | float | None:
    """``limit_train_batches`` or ``limit_val_batches``, as the engine takes it: a number of
    minibatches, or a fraction.

    Raises
    ------
    TypeError
        If it is no number.
    """
    if value is None:
        return None
    number = plain_number(name, value)
    # As in Lightning, 2.0 is two minibatches, and 1.0 all of them.
    return int(number) if number > 1 and number == int(number) else number


def plain_number(name: str, value: Any) -> int | float:
    """A number of Python's own or of numpy.

    Raises
    ------
    TypeError
        If it is none.
    """
    number = value.item() if hasattr(value, "item") else value
    if not isinstance(number, int | float):
        raise TypeError(f"{name} must be a number, not {value!r}")
    return number


def whole_number(name: str, value: Any) -> int:
    """A whole number, such as ``3`` and ``3.0``.

    Raises
    ------
    TypeError, ValueError
        If it is none.
    """
    number = plain_number(name, value)
    if not math.isfinite(number) or number != int(number):
        raise ValueError(f"{name} must be a whole number, not {value!r}")
    return int(number)
