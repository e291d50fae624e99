//! NumPy's `.npy` files, version 1.0, two dimensions.

use std::io::{self, Write};

/// What an array may hold: `f32` and `f64`.
pub trait NpyElement: Copy + sealed::Sealed {
    /// NumPy's name of the type, little-endian.
    const DESCR: &'static str;
    /// Appends the value's bytes.
    fn append(self, bytes: &mut Vec<u8>);
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

impl NpyElement for f32 {
    const DESCR: &'static str = "<f4";
    fn append(self, bytes: &mut Vec<u8>) {
        bytes.extend(self.to_le_bytes());
    }
}

impl NpyElement for f64 {
    const DESCR: &'static str = "<f8";
    fn append(self, bytes: &mut Vec<u8>) {
        bytes.extend(self.to_le_bytes());
    }
}

/// What stands before the values of an array, padded so that they start at a multiple of 64 bytes
/// (NEP 1).
pub(crate) fn npy_header<T: NpyElement, const N: usize>(shape: [usize; N]) -> Vec<u8> {
    let descr = T::DESCR;
    let shape = shape.map(|n| n.to_string()).join(", ");
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}");
    let preamble = 10;
    let length = (preamble + header.len() + 1).next_multiple_of(64) - preamble;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((length as u16).to_le_bytes());
    bytes.extend(format!("{header:<0$}\n", length - 1).as_bytes());
    bytes
}

/// Writes `values`, row by row, as an array of `shape`.
///
/// # Errors
/// From the writer; [`io::ErrorKind::InvalidInput`] where the shape does not hold the values.
pub fn write_npy<T: NpyElement>(
    mut writer: impl Write,
    shape: [usize; 2],
    values: &[T],
) -> io::Result<()> {
    if shape[0].checked_mul(shape[1]) != Some(values.len()) {
        let problem = format!("shape {shape:?} does not hold {} values", values.len());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
    }
    writer.write_all(&npy_header::<T, 2>(shape))?;
    let mut bytes = Vec::new();
    for block in values.chunks(1 << 14) {
        bytes.clear();
        block.iter().for_each(|v| v.append(&mut bytes));
        writer.write_all(&bytes)?;
    }
    writer.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_what_numpy_writes() {
        let mut bytes = Vec::new();
        write_npy(&mut bytes, [2, 1], &[1.0_f32, -2.0]).unwrap();
        // numpy.save(file, numpy.array([[1], [-2]], dtype="float32"))
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }";
        let expected = [
            b"\x93NUMPY\x01\x00\x76\x00".as_slice(),
            format!("{header:<117}\n").as_bytes(),
            &[0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0],
        ]
        .concat();
        assert_eq!(bytes, expected);
        let mut bytes = Vec::new();
        write_npy(&mut bytes, [0, 3], &[] as &[f64]).unwrap();
        assert_eq!(bytes.len(), 128);
        assert!(write_npy(io::sink(), [2, 2], &[1.0_f32]).is_err());
        assert!(write_npy(io::sink(), [usize::MAX, 2], &[1.0_f32]).is_err());
    }
}
