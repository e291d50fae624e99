//! Named tensors of 4-byte floats, as safetensors.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use safetensors::tensor::{Metadata, TensorInfo, TensorView};
use safetensors::{Dtype, SafeTensors};

use crate::IoError;

/// A tensor: its shape, and its values in row-major order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tensor {
    /// Length of each dimension; empty for a scalar.
    pub shape: Vec<usize>,
    /// The values, as many as the shape says.
    pub values: Vec<f32>,
}

/// Tensors by name.
pub type Tensors = BTreeMap<String, Tensor>;

fn bad(path: &Path, name: &str, problem: String) -> IoError {
    IoError::BadTensor { path: path.into(), name: name.into(), problem }
}

/// The beginning of a safetensors file: its tensors by name, type and shape, in their order.
pub(crate) fn header<'a>(
    path: &Path,
    metadata: Option<HashMap<String, String>>,
    tensors: impl IntoIterator<Item = (String, Dtype, &'a [usize])>,
) -> Result<Vec<u8>, IoError> {
    let mut end = 0;
    let infos = tensors.into_iter().map(|(name, dtype, shape)| {
        let start = end;
        end += shape.iter().product::<usize>() * dtype.bitsize() / 8;
        (name, TensorInfo { dtype, shape: shape.to_vec(), data_offsets: (start, end) })
    });
    let fault = |e: &dyn std::fmt::Display| bad(path, "(all)", e.to_string());
    let metadata = Metadata::new(metadata, infos.collect()).map_err(|e| fault(&e))?;
    let mut json = serde_json::to_vec(&metadata).map_err(|e| fault(&e))?;
    // The format aligns what follows to 8 bytes.
    json.resize(json.len().next_multiple_of(8), b' ');
    let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
    bytes.extend(json);
    Ok(bytes)
}

/// The bytes of a tensor, whose values must be finite and as many as its shape says.
pub(crate) fn to_bytes(
    path: &Path,
    name: &str,
    shape: &[usize],
    values: &[f32],
) -> Result<Vec<u8>, IoError> {
    check_finite(path, name, values)?;
    if shape.iter().product::<usize>() != values.len() {
        let n = values.len();
        return Err(bad(path, name, format!("shape {shape:?} does not hold {n} values")));
    }
    Ok(values.iter().flat_map(|v| v.to_le_bytes()).collect())
}

/// Packs the tensors, sorted by name.
pub(super) fn pack(path: &Path, tensors: &Tensors) -> Result<Vec<u8>, IoError> {
    let shapes = tensors.iter().map(|(name, t)| (name.clone(), Dtype::F32, &t.shape[..]));
    let mut bytes = header(path, None, shapes)?;
    for (name, t) in tensors {
        bytes.extend(to_bytes(path, name, &t.shape, &t.values)?);
    }
    Ok(bytes)
}

/// Unpacks tensors. Sizes and offsets are checked against the bytes there are.
pub(super) fn unpack(path: &Path, bytes: &[u8]) -> Result<Tensors, IoError> {
    let file = SafeTensors::deserialize(bytes).map_err(|e| IoError::NotModelDir {
        path: path.into(),
        problem: format!("not a safetensors file: {e}"),
    })?;
    file.iter().map(|(name, view)| Ok((name.to_owned(), read(path, name, &view)?))).collect()
}

/// Reads a tensor.
pub(crate) fn read(path: &Path, name: &str, view: &TensorView) -> Result<Tensor, IoError> {
    if view.dtype() != Dtype::F32 {
        return Err(bad(path, name, format!("has type {:?}, expected F32", view.dtype())));
    }
    let (chunks, rest) = view.data().as_chunks::<4>();
    let values: Vec<f32> = chunks.iter().map(|b| f32::from_le_bytes(*b)).collect();
    let shape = view.shape().to_vec();
    let n = shape.iter().try_fold(1_usize, |n, &d| n.checked_mul(d));
    if !rest.is_empty() || n != Some(values.len()) {
        let problem = format!("shape {shape:?} does not hold {} values", values.len());
        return Err(bad(path, name, problem));
    }
    check_finite(path, name, &values)?;
    Ok(Tensor { shape, values })
}

fn check_finite(path: &Path, name: &str, values: &[f32]) -> Result<(), IoError> {
    match values.iter().position(|v| !v.is_finite()) {
        Some(k) => Err(bad(path, name, format!("holds {} at position {k}", values[k]))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(shape: &[usize], values: &[f32]) -> Tensors {
        Tensors::from([("w".into(), Tensor { shape: shape.into(), values: values.into() })])
    }

    #[test]
    fn packs_and_unpacks() {
        let path = Path::new("model.safetensors");
        let mut tensors = one(&[2, 3], &[1.0, -2.0, 3.5, f32::MIN_POSITIVE, 0.0, f32::MAX]);
        tensors.insert("scalar".into(), Tensor { shape: vec![], values: vec![1.0] });
        tensors.insert("none".into(), Tensor { shape: vec![0, 4], values: vec![] });
        let bytes = pack(path, &tensors).unwrap();
        assert_eq!(bytes, pack(path, &tensors).unwrap());
        assert_eq!(unpack(path, &bytes).unwrap(), tensors);
    }

    #[test]
    fn names_what_is_wrong() {
        let path = Path::new("model.safetensors");
        let error = pack(path, &one(&[2], &[1.0, f32::NAN])).unwrap_err().to_string();
        assert_eq!(error, "model.safetensors: tensor 'w': holds NaN at position 1");
        assert!(pack(path, &one(&[3], &[1.0])).is_err());

        let bytes = pack(path, &one(&[2], &[1.0, 2.0])).unwrap();
        let mut nan = bytes.clone();
        let n = nan.len();
        nan[n - 4..].copy_from_slice(&f32::INFINITY.to_le_bytes());
        assert!(unpack(path, &nan).unwrap_err().to_string().contains("holds inf at position 1"));

        let at = bytes.windows(3).position(|w| w == b"F32").unwrap();
        let mut wrong = bytes.clone();
        wrong[at..at + 3].copy_from_slice(b"I32");
        assert!(unpack(path, &wrong).unwrap_err().to_string().contains("type I32, expected F32"));
        for cut in 0..bytes.len() {
            assert!(unpack(path, &bytes[..cut]).is_err(), "{cut}");
        }
    }
}
