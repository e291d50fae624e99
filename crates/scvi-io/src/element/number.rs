//! Elements as numbers.

use super::DataType;

/// A number that elements are read as.
pub(crate) trait Number: Copy + Default {
    fn of_f64(value: f64) -> Self;
    fn of_f32(value: f32) -> Self;
    fn of_i64(value: i64) -> Self;
    fn of_u64(value: u64) -> Self;
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Number for $number {
            fn of_f64(value: f64) -> Self { value as $number }
            fn of_f32(value: f32) -> Self { value as $number }
            fn of_i64(value: i64) -> Self { value as $number }
            fn of_u64(value: u64) -> Self { value as $number }
        }
    )*};
}

numbers!(f32, f64, i64, u64);

/// Reads every `step`-th element of `bytes`, low bytes first, from the first on, until `out`
/// is full.
pub(crate) fn read_numbers<T: Number>(
    data_type: &DataType,
    bytes: &[u8],
    step: usize,
    out: &mut [T],
) {
    macro_rules! each {
        ($number:ty, $width:literal, $of:path) => {{
            let elements = bytes.as_chunks::<$width>().0.iter().step_by(step);
            out.iter_mut()
                .zip(elements)
                .for_each(|(to, from)| *to = $of(<$number>::from_le_bytes(*from).into()))
        }};
    }
    let width = data_type.width();
    let others = || bytes.chunks_exact(width).step_by(step);
    match data_type {
        DataType::Float(2) => each!(half::f16, 2, T::of_f32),
        DataType::Float(4) => each!(f32, 4, T::of_f32),
        DataType::Float(_) => each!(f64, 8, T::of_f64),
        DataType::OtherFloat(format) => {
            out.iter_mut().zip(others()).for_each(|(to, from)| *to = T::of_f64(format.read(from)));
        }
        DataType::Signed(1) => each!(i8, 1, T::of_i64),
        DataType::Signed(2) => each!(i16, 2, T::of_i64),
        DataType::Signed(4) => each!(i32, 4, T::of_i64),
        DataType::Signed(8) => each!(i64, 8, T::of_i64),
        DataType::Signed(width) => {
            let unused = 64 - 8 * *width as u32;
            let read = |bytes| T::of_i64((read_integer(bytes) << unused) as i64 >> unused);
            out.iter_mut().zip(others()).for_each(|(to, from)| *to = read(from));
        }
        DataType::Bool | DataType::Unsigned(1) => each!(u8, 1, T::of_u64),
        DataType::Unsigned(2) => each!(u16, 2, T::of_u64),
        DataType::Unsigned(4) => each!(u32, 4, T::of_u64),
        DataType::Unsigned(8) => each!(u64, 8, T::of_u64),
        DataType::Unsigned(_) => {
            out.iter_mut().zip(others()).for_each(|(to, from)| *to = T::of_u64(read_integer(from)));
        }
        DataType::Text | DataType::Bytes(_) | DataType::Unicode(_) | DataType::Other(_) => {}
    }
}

/// A number of at most 8 bytes, the low ones first.
fn read_integer(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |n, &b| n << 8 | u64::from(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_every_width() {
        for width in 1..=8 {
            let bytes: Vec<u8> =
                [-2_i64, 5, 7].iter().flat_map(|v| v.to_le_bytes()[..width].to_vec()).collect();
            let mut signed = [0_i64; 3];
            read_numbers(&DataType::Signed(width), &bytes, 1, &mut signed);
            assert_eq!(signed, [-2, 5, 7], "{width}");
            let mut unsigned = [0_u64; 2];
            read_numbers(&DataType::Unsigned(width), &bytes, 2, &mut unsigned);
            assert_eq!(unsigned, [(u64::MAX >> (64 - 8 * width)) - 1, 7], "{width}");
        }
    }
}
