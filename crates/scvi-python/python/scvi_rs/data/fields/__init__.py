"""Parts of an AnnData object that a model reads."""

from ._base_field import AnnDataField, BaseAnnDataField
from ._joint_fields import CategoricalJointObsField, NumericalJointObsField
from ._label_field import LabelsWithUnlabeledObsField
from ._layer_field import LayerField
from ._obs_fields import CategoricalObsField, NumericalObsField
from ._obsm_field import ObsmField
from ._uns_field import StringUnsField

__all__ = [
    "AnnDataField",
    "BaseAnnDataField",
    "CategoricalJointObsField",
    "CategoricalObsField",
    "LabelsWithUnlabeledObsField",
    "LayerField",
    "NumericalJointObsField",
    "NumericalObsField",
    "ObsmField",
    "StringUnsField",
]
