//! Elements as numbers and texts.

use super::data_type::DataType;

/// A number that elements are read as.
pub(super) trait Number: Copy + Default {
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

/// Reads every `step`-th element of `bytes`, low bytes first, from the first on: as many as `out`
/// has room for.
pub(super) fn read_numbers<T: Number>(
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
    match data_type {
        DataType::Float(2) => each!(half::f16, 2, T::of_f32),
        DataType::Float(4) => each!(f32, 4, T::of_f32),
        DataType::Float(_) => each!(f64, 8, T::of_f64),
        DataType::Signed(1) => each!(i8, 1, T::of_i64),
        DataType::Signed(2) => each!(i16, 2, T::of_i64),
        DataType::Signed(4) => each!(i32, 4, T::of_i64),
        DataType::Signed(_) => each!(i64, 8, T::of_i64),
        DataType::Bool | DataType::Unsigned(1) => each!(u8, 1, T::of_u64),
        DataType::Unsigned(2) => each!(u16, 2, T::of_u64),
        DataType::Unsigned(4) => each!(u32, 4, T::of_u64),
        DataType::Unsigned(_) => each!(u64, 8, T::of_u64),
        DataType::Text | DataType::Bytes(_) | DataType::Unicode(_) | DataType::Other(_) => {}
    }
}

/// The first `n` texts of an unpacked chunk; `None` where there are no more, or what stands there
/// is no text.
pub(super) fn read_texts(data_type: &DataType, bytes: &[u8], n: usize) -> Option<Vec<String>> {
    let width = data_type.width();
    let fixed = || bytes.chunks_exact(width).take(n);
    let texts: Vec<String> = match data_type {
        DataType::Text => return of_any_length(bytes, n),
        DataType::Bytes(_) => fixed().map(of_bytes).collect::<Option<_>>()?,
        DataType::Unicode(_) => fixed().map(of_code_points).collect::<Option<_>>()?,
        _ => return None,
    };
    (texts.len() == n).then_some(texts)
}

/// numcodecs' `vlen-utf8`: how many texts, then the length and the bytes of each.
fn of_any_length(bytes: &[u8], n: usize) -> Option<Vec<String>> {
    let (count, mut rest) = bytes.split_first_chunk()?;
    if (u32::from_le_bytes(*count) as usize) < n {
        return None;
    }
    let mut texts = Vec::new();
    for _ in 0..n {
        let (length, behind) = rest.split_first_chunk()?;
        let length = u32::from_le_bytes(*length) as usize;
        texts.push(std::str::from_utf8(behind.get(..length)?).ok()?.to_owned());
        rest = &behind[length..];
    }
    Some(texts)
}

fn of_bytes(bytes: &[u8]) -> Option<String> {
    let end = bytes.iter().rposition(|&b| b != 0).map_or(0, |last| last + 1);
    Some(std::str::from_utf8(&bytes[..end]).ok()?.to_owned())
}

fn of_code_points(bytes: &[u8]) -> Option<String> {
    let points = bytes.as_chunks::<4>().0.iter().map(|point| u32::from_le_bytes(*point));
    let text: String = points.map(char::from_u32).collect::<Option<_>>()?;
    Some(text.trim_end_matches('\0').to_owned())
}
