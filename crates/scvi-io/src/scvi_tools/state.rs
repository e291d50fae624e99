//! The tensors of the state dict.

use scvi::nn::Tensor;

use super::SaveError;
use super::value::{Array, ArrayData};

/// A tensor of the state dict. 2-byte floats have been widened to 4 bytes, whole numbers to 8.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum StateTensor {
    /// Parameters and running moments.
    F32(Tensor<f32>),
    /// The same of a module in double precision.
    F64(Tensor<f64>),
    /// Counters: batch norm's `num_batches_tracked`.
    I64(Tensor<i64>),
}

impl StateTensor {
    /// Sizes, outermost first.
    pub fn shape(&self) -> &[usize] {
        match self {
            Self::F32(t) => &t.shape,
            Self::F64(t) => &t.shape,
            Self::I64(t) => &t.shape,
        }
    }

    /// How many numbers there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::F32(t) => t.data.len(),
            Self::F64(t) => t.data.len(),
            Self::I64(t) => t.data.len(),
        }
    }

    pub(super) fn new(name: &str, array: Array) -> Result<Self, SaveError> {
        let Array { shape, data } = array;
        Ok(match data {
            ArrayData::Float32(data) => Self::F32(Tensor { shape, data }),
            ArrayData::Float64(data) => Self::F64(Tensor { shape, data }),
            ArrayData::Int(data) => Self::I64(Tensor { shape, data }),
            _ => {
                let place = format!("model_state_dict['{}']", name.escape_debug());
                return Err(SaveError::structure(place, "numbers", "another type"));
            }
        })
    }
}
