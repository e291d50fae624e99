"""Training: callbacks, and what they see of a run.

``train`` of a model takes a list of :class:`Callback`. :class:`SaveCheckpoint` keeps the best models.
"""

from ._callbacks import Callback, Training
from ._save_checkpoint import SaveCheckpoint

__all__ = ["Callback", "SaveCheckpoint", "Training"]
