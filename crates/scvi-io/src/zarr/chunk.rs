//! Unpacking of a chunk.

use super::meta::ArrayMeta;
use super::stored::unpacked_at_best;
use crate::element::DataType;

/// Unpacks a chunk; what is wrong with it otherwise.
pub(super) fn unpack(meta: &ArrayMeta, packed: Vec<u8>) -> Result<Vec<u8>, String> {
    let best = unpacked_at_best(meta, packed.len() as u64);
    let is_text = meta.grid.data_type == DataType::Text;
    let limit = match meta.chunk_bytes() {
        // Nobody knows how long texts are; they are not as monotonous as numbers.
        _ if is_text => packed.len() as u64 * 1100 + (1 << 20),
        Some(n) if n <= best => n,
        _ => {
            let n = packed.len();
            return Err(format!("a chunk of {n} bytes cannot hold {:?} elements", meta.grid.chunk));
        }
    };
    let limit = usize::try_from(limit).map_err(|_| "a chunk too large for memory".to_owned())?;
    let mut bytes = packed;
    for codec in meta.codecs.iter().flatten().rev() {
        bytes = codec.unpack(&bytes, limit)?;
    }
    if !is_text && bytes.len() != limit {
        return Err(format!("a chunk unpacks to {} bytes, not to {limit}", bytes.len()));
    }
    if meta.big_endian {
        meta.grid.data_type.reverse_bytes(&mut bytes);
    }
    Ok(bytes)
}
