"""What may go wrong: each error of the engine is an exception of its own."""

from __future__ import annotations

__all__ = [
    "BusyError",
    "CategoryError",
    "ConfigError",
    "CountsError",
    "DatasetError",
    "DifferentialError",
    "DivergedError",
    "EmbeddingError",
    "FileError",
    "GenesError",
    "LoggerError",
    "MinifiedError",
    "MisfitError",
    "PlanError",
    "QueryError",
    "ReportError",
    "ScviError",
    "SplitError",
    "StateError",
    "TaskError",
    "TrainError",
]


class ScviError(Exception):
    """Any error of the engine."""


class BusyError(ScviError, RuntimeError):
    """A change to a model while another call trains it."""


class CategoryError(ScviError, ValueError):
    """Categories that a model cannot take: unknown, of another type, or as many as cells."""


class ConfigError(ScviError, ValueError):
    """Options that make no model: a misspelt value, a number out of its range."""


class CountsError(ScviError, ValueError):
    """Counts that are negative or not finite, cells without counts, arrays that contradict each
    other."""


class DatasetError(ScviError, ValueError):
    """Covariates that do not fit the cells, or values that no model can take."""


class DifferentialError(ScviError, ValueError):
    """Groups or options that make no comparison."""


class DivergedError(ScviError, ArithmeticError):
    """Training left the finite numbers; the model is as it was before."""


class EmbeddingError(ScviError, KeyError):
    """An embedding that the model does not have, or has already."""

    def __str__(self) -> str:
        # KeyError shows its argument as Python would write it.
        return Exception.__str__(self)


class FileError(ScviError, ValueError, OSError):
    """A file or folder that cannot be read or written, or is no model."""


class GenesError(ScviError, ValueError):
    """Genes of the data that are not those of the model."""


class LoggerError(ScviError, RuntimeError):
    """A logger of training that failed; the model keeps what it has learned until then."""


class MinifiedError(ScviError, ValueError):
    """A task that minified data does not allow."""


class MisfitError(ScviError, ValueError):
    """Data of other genes, batches or covariates than the model's."""


class PlanError(ScviError, ValueError):
    """An option of training out of its range."""


class QueryError(ScviError, ValueError):
    """A model that cannot take a query."""


class ReportError(ScviError, ValueError):
    """What a report cannot show."""


class SplitError(ScviError, ValueError):
    """Sizes of training and validation sets that make no split."""


class StateError(ScviError, ValueError):
    """Tensors that do not fit the model."""


class TaskError(ScviError, ValueError):
    """An argument that a task cannot take."""


class TrainError(ScviError, ValueError):
    """Training that cannot start."""
