from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

# --- distributions and the module's passes -----------------------------------------------------

def distribution(
    question: Literal["log_prob", "mean", "variance", "zi_probs", "scale", "sample"],
    family: Literal["nb", "nb_logits", "nb_probs", "zinb", "poisson", "normal"],
    arrays: list[np.ndarray],
    n: int,
    *,
    seed: int = 0,
) -> np.ndarray: ...

class Model:
    def module_inference(
        self, data: Data, *, n_samples: int, seed: int, stored: bool = False
    ) -> dict[str, np.ndarray]: ...
    def module_generative(
        self, data: Data, z: np.ndarray, library: np.ndarray, transform_batch: int | None = None
    ) -> dict[str, np.ndarray]: ...
    def module_gradients(self, data: Data, kl_weight: float, seed: int) -> float: ...
    def init_embedding(
        self, key: str, rows: int, kwargs: Mapping[str, Any], seed: int, overwrite: bool
    ) -> None: ...
    def remove_embedding(self, key: str) -> None: ...
    def embedding_shape(self, key: str) -> tuple[int, int]: ...
    def compute_embedding(self, key: str, indices: np.ndarray) -> np.ndarray: ...
    def extend_embedding(
        self, key: str, init: int | list[int], freeze_prev: bool, seed: int
    ) -> None: ...

class Data: ...
