"""scVI for single-cell RNA counts: the models of scvi-tools on a Rust engine, without torch.

Names, arguments and results are those of scvi-tools 1.4.2; where it returns torch's tensors, this
package returns numpy's arrays.

Examples
--------
>>> import scvi_rs
>>> adata = scvi_rs.data.synthetic_iid()
>>> scvi_rs.model.SCVI.setup_anndata(adata, batch_key="batch")
>>> model = scvi_rs.model.SCVI(adata, n_latent=5)
>>> model.train(max_epochs=2)
>>> adata.obsm["X_scVI"] = model.get_latent_representation()
"""

import sys as _sys

from . import data, dataloaders, distributions, exceptions, model, module, pp, train, utils
from ._constants import REGISTRY_KEYS
from ._core import VERSION as __version__
from ._report import report
from ._settings import settings
from ._shown import show_public_names as _show_public_names

__all__ = [
    "REGISTRY_KEYS",
    "__version__",
    "data",
    "dataloaders",
    "distributions",
    "exceptions",
    "model",
    "module",
    "pp",
    "report",
    "settings",
    "train",
    "utils",
]

_show_public_names(
    _sys.modules[__name__],
    data,
    data.fields,
    dataloaders,
    distributions,
    exceptions,
    model,
    model.base,
    module,
    pp,
    train,
    utils,
)
