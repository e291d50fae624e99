//! Elements as texts.

use super::DataType;

/// The first `n` texts of an unpacked chunk; `None` where there are no more, or what stands there
/// is no text.
pub(crate) fn read_texts(data_type: &DataType, bytes: &[u8], n: usize) -> Option<Vec<String>> {
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
