"""What models are made of."""

from ._archesmixin import ArchesMixin
from ._base_model import BaseModelClass
from ._differential import DifferentialComputation
from ._embedding_mixin import EmbeddingMixin
from ._minified_model import BaseMinifiedModeModelClass
from ._rnamixin import RNASeqMixin
from ._training_mixin import UnsupervisedTrainingMixin
from ._vaemixin import VAEMixin

__all__ = [
    "ArchesMixin",
    "BaseMinifiedModeModelClass",
    "BaseModelClass",
    "DifferentialComputation",
    "EmbeddingMixin",
    "RNASeqMixin",
    "UnsupervisedTrainingMixin",
    "VAEMixin",
]
