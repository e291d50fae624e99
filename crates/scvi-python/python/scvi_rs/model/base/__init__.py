"""What models are made of."""

from ._archesmixin import ArchesMixin
from ._base_model import BaseModelClass
from ._differential import DifferentialComputation
from ._embedding_mixin import EmbeddingMixin
from ._minified_model import BaseMinifiedModeModelClass
from ._rnamixin import RNASeqMixin
from ._semisupervised_training_mixin import SemisupervisedTrainingMixin
from ._training_mixin import UnsupervisedTrainingMixin
from ._vae_model import BaseVAEModel
from ._vaemixin import VAEMixin

__all__ = [
    "ArchesMixin",
    "BaseMinifiedModeModelClass",
    "BaseModelClass",
    "BaseVAEModel",
    "DifferentialComputation",
    "EmbeddingMixin",
    "RNASeqMixin",
    "SemisupervisedTrainingMixin",
    "UnsupervisedTrainingMixin",
    "VAEMixin",
]
