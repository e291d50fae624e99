"""The modules behind the models, over dictionaries of numpy's arrays."""

from ._constants import MODULE_KEYS
from ._ldvae import LDVAE
from ._loss_output import LossOutput
from ._scanvae import SCANVAE
from ._vae import VAE

__all__ = ["LDVAE", "MODULE_KEYS", "SCANVAE", "VAE", "LossOutput"]
