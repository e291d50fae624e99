"""The engine, as the package calls it; users have :mod:`scvi_rs.model` and :mod:`scvi_rs.module`."""

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

VERSION: str

F32: TypeAlias = NDArray[np.float32]
F64: TypeAlias = NDArray[np.float64]
U32: TypeAlias = NDArray[np.uint32]
U64: TypeAlias = NDArray[np.uint64]

class Selection(Protocol):
    data: Data
    indices: U32 | None
    batch_size: int
    progress: Callable[[int, int], Any] | None

def set_num_threads(threads: int) -> None: ...
def num_threads() -> int: ...
def default_config(model_class: str = "SCVI") -> dict[str, Any]: ...
def default_plan() -> dict[str, Any]: ...
def max_epochs_heuristic(n_cells: int) -> int: ...
def max_epochs_pretrained(n_cells: int) -> int: ...
def plan_length(plan: Mapping[str, Any], n_cells: int) -> tuple[int, int]: ...
def split_permutation(n: int, seed: int) -> U32: ...
def library_prior(data: Data, n_batch: int) -> tuple[list[float], list[float]]: ...
def check_categories(field: dict[str, Any], n_cells: int | None = None) -> None: ...
def transfer_categories(known: dict[str, Any], found: dict[str, Any], codes: U32) -> U32: ...
def extend_categories(
    known: dict[str, Any], found: dict[str, Any], codes: U32, allow_many_categories: bool
) -> dict[str, Any]: ...
def category_times(field: dict[str, Any]) -> NDArray[np.int64]: ...
def time_texts(kind: str, times: NDArray[np.int64]) -> list[str]: ...
def listed(names: list[str]) -> str: ...
def repeated_names(what: str, names: list[str]) -> str | None: ...
def choose_genes(
    counts: Counts,
    names: list[str],
    batch: tuple[dict[str, Any], U32] | None,
    selection: dict[str, Any],
) -> dict[str, NDArray[Any]]: ...
def choose_genes_of_file(
    path: str, layer: str | None, batch_key: str | None, selection: dict[str, Any]
) -> dict[str, Any]: ...
def join_inputs(
    inputs: list[str], output: str, options: dict[str, Any]
) -> tuple[str, list[tuple[str, str, int]]]: ...
def distribution(
    question: Literal["log_prob", "mean", "variance", "zi_probs", "scale", "sample"],
    family: Literal["nb", "nb_logits", "nb_probs", "zinb", "poisson", "normal"],
    arrays: list[NDArray[Any]],
    n: int,
    *,
    seed: int = 0,
) -> NDArray[Any]: ...
def differential_abundance(
    qz_m: F32,
    qz_v: F32,
    sample_of: U32,
    n_samples: int,
    *,
    num_cells_posterior: int | None,
    dof: float | None,
    seed: int,
    progress: Callable[[int, int], Any] | None = None,
) -> F32: ...

class Counts:
    @staticmethod
    def csr(
        indptr: NDArray[Any],
        indices: NDArray[Any],
        data: NDArray[Any],
        n_genes: int,
        places: Sequence[int] | None = None,
    ) -> Counts: ...
    @staticmethod
    def dense(matrix: NDArray[Any], places: Sequence[int] | None = None) -> Counts: ...
    @staticmethod
    def callback(
        read: Callable[[U32], tuple[NDArray[Any], NDArray[Any], NDArray[Any]]],
        n_cells: int,
        n_genes: int,
        max_nnz: int,
        places: Sequence[int] | None = None,
    ) -> Counts: ...
    @property
    def n_cells(self) -> int: ...
    @property
    def n_genes(self) -> int: ...
    def check(self) -> dict[str, Any]: ...
    def totals(self) -> F64: ...

class Data:
    def __init__(self, counts: Counts, known: Mapping[str, Any]) -> None: ...
    @property
    def n_cells(self) -> int: ...

class AggregatedPosterior:
    def __init__(self, qz_m: F32, qz_v: F32, dof: float | None) -> None: ...
    @property
    def n_components(self) -> int: ...
    def log_prob(self, z: F32) -> F64: ...
    def sample(self, n: int, seed: int) -> F32: ...

class Listener(Protocol):
    on_epoch: Callable[[dict[str, Any], Run | None], Any]
    on_minibatch: Callable[[dict[str, Any]], Any] | None
    every_n_steps: int
    waits: bool

class Run:
    def stop(self) -> None: ...
    def save_checkpoint(self) -> None: ...
    def model(self) -> Model: ...

class Model:
    def __init__(
        self,
        config: Mapping[str, Any],
        *,
        registry: Mapping[str, Any] | None = None,
        var_names: Sequence[str] | None = None,
        model_class: str = "SCVI",
        seed: int = 0,
    ) -> None: ...
    @staticmethod
    def open(path: str | PathLike[str], prefix: str | None = None) -> Model: ...
    def save(
        self,
        dir: str | PathLike[str],
        *,
        prefix: str = "",
        overwrite: bool = False,
        is_trained: bool,
        minified_data_type: str | None = None,
    ) -> None: ...
    def save_scvi_tools(
        self,
        dir: str | PathLike[str],
        *,
        prefix: str | None = None,
        overwrite: bool = False,
        is_trained: bool,
    ) -> None: ...
    @property
    def minified_data_type(self) -> str | None: ...
    @property
    def config(self) -> dict[str, Any]: ...
    @property
    def registry(self) -> dict[str, Any]: ...
    @property
    def var_names(self) -> list[str]: ...
    @property
    def model_class(self) -> str: ...
    @property
    def program(self) -> str: ...
    @property
    def training(self) -> dict[str, Any]: ...
    @property
    def is_trained(self) -> bool: ...
    @property
    def history(self) -> dict[str, F64]: ...
    @property
    def split(self) -> list[U32]: ...
    @property
    def left_out(self) -> list[str]: ...
    def state_dict(self) -> dict[str, F32]: ...
    def load_state_dict(self, state: Mapping[str, F32]) -> None: ...
    def loadings(self) -> F32 | None: ...
    def take_weights(self, other: Model) -> None: ...
    def train(
        self,
        data: Data,
        plan: Mapping[str, Any],
        *,
        listener: Listener | None = None,
        checkpoint: Mapping[str, Any] | None = None,
        watch_closely: bool = False,
    ) -> None: ...
    def load_query_data(
        self,
        registry: Mapping[str, Any],
        *,
        freeze: Mapping[str, bool],
        prior: tuple[Sequence[float], Sequence[float]] | None = None,
        new_categories: Mapping[str, Sequence[str]] = ...,
        seed: int = 0,
    ) -> Model: ...
    def trained_tensors(self, reference: Model) -> list[str]: ...
    def moves_latent(self) -> bool: ...
    def latent(self, cells: Selection) -> tuple[F32, F32]: ...
    def latent_sample(self, cells: Selection, seed: int) -> F32: ...
    def latent_simplex_mean(self, cells: Selection, mc_samples: int, seed: int) -> F32: ...
    def latent_library_size(self, cells: Selection, seed: int | None) -> F32: ...
    def batch_representation(self, cells: Selection) -> F32: ...
    def elbo(self, cells: Selection, seed: int | None) -> tuple[F32, F32]: ...
    def predict(self, cells: Selection, seed: int | None) -> F32: ...
    def marginal_ll(self, cells: Selection, n_mc_samples: int, seed: int) -> F64: ...
    def normalized_expression(
        self,
        cells: Selection,
        *,
        library_size: float | str,
        transform_batch: Sequence[int],
        genes: Sequence[int] | None,
        n_samples: int | None,
        seed: int,
        return_mean: bool,
    ) -> F32: ...
    def normalized_expression_overall(
        self,
        cells: Selection,
        *,
        library_size: float | str,
        transform_batch: Sequence[int],
        genes: Sequence[int] | None,
        n_samples_overall: int,
        seed: int,
        importance: Any = None,
    ) -> tuple[F32, U32]: ...
    def likelihood_parameters(
        self, cells: Selection, *, n_samples: int | None, seed: int, give_mean: bool
    ) -> dict[str, F32]: ...
    def posterior_predictive_sample(
        self,
        cells: Selection,
        *,
        n_samples: int,
        transform_batch: Sequence[int],
        genes: Sequence[int] | None,
        seed: int,
    ) -> list[tuple[U64, U32, F32]]: ...
    def feature_correlation_matrix(
        self,
        cells: Selection,
        *,
        n_samples: int,
        rna_size_factor: float,
        transform_batch: Sequence[int],
        correlation_type: str,
        seed: int,
    ) -> F64: ...
    def differential_expression(
        self,
        data: Data,
        groups: Sequence[tuple[str, U32]],
        contrasts: Sequence[tuple[int, int | None]],
        options: Any,
        progress: Callable[[int, int], Any] | None = None,
    ) -> list[dict[str, Any]]: ...
    def report(
        self, cells: Selection, shown: Mapping[str, Any], path: str, overwrite: bool, seed: int
    ) -> None: ...
    def module_inference(
        self, data: Data, *, n_samples: int, seed: int, stored: bool = False
    ) -> dict[str, F32]: ...
    def module_generative(
        self, data: Data, z: F32, library: F32, transform_batch: int | None = None
    ) -> dict[str, F32]: ...
    def module_gradients(
        self,
        data: Data,
        kl_weight: float,
        seed: int,
        labelled: Data | None = None,
        classification_ratio: float = 0.0,
    ) -> tuple[float, dict[str, F32]]: ...
    def module_label_logits(
        self, data: Data, *, seed: int | None = None, stored: bool = False
    ) -> F32: ...
    def module_label_terms(self, data: Data, z: F32, seed: int) -> tuple[F32, F32]: ...
    def init_embedding(
        self, key: str, rows: int, kwargs: Mapping[str, Any], seed: int, overwrite: bool
    ) -> None: ...
    def remove_embedding(self, key: str) -> None: ...
    def embedding_shape(self, key: str) -> tuple[int, int]: ...
    def compute_embedding(self, key: str, indices: U32) -> F32: ...
    def extend_embedding(
        self, key: str, init: int | list[int], freeze_prev: bool, seed: int
    ) -> None: ...
