//! Chunks: found, unpacked, and the last few kept.

use std::sync::{Arc, Mutex, PoisonError};

use super::data_type::DataType;
use super::meta::ArrayMeta;
use super::stored::unpacked_at_best;

/// The most bytes of chunks that an array keeps, but for one chunk of any size.
const KEPT_BYTES: usize = 32 << 20;
/// The most chunks that it keeps: several threads may read from places of their own.
const KEPT: usize = 16;

/// The bytes of a chunk, low ones of each element first.
pub(super) type Bytes = Arc<Vec<u8>>;

/// Unpacks a chunk; what is wrong with it otherwise.
pub(super) fn unpack(meta: &ArrayMeta, packed: Vec<u8>) -> Result<Vec<u8>, String> {
    let best = unpacked_at_best(meta, packed.len() as u64);
    let is_text = meta.data_type == DataType::Text;
    let limit = match meta.chunk_bytes() {
        // Nobody knows how long texts are; they are not as monotonous as numbers.
        _ if is_text => packed.len() as u64 * 1100 + (1 << 20),
        Some(n) if n <= best => n,
        _ => {
            let n = packed.len();
            return Err(format!("a chunk of {n} bytes cannot hold {:?} elements", meta.chunk));
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
        let word = match meta.data_type {
            DataType::Float(n) | DataType::Signed(n) | DataType::Unsigned(n) => n,
            DataType::Unicode(_) => 4,
            _ => 1,
        };
        bytes.chunks_exact_mut(word).for_each(<[u8]>::reverse);
    }
    Ok(bytes)
}

/// The chunks that were read last, the newest behind.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Vec<(Vec<u64>, Bytes)>>);

impl Kept {
    /// A chunk that is still there.
    pub(super) fn get(&self, index: &[u64]) -> Option<Bytes> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(at, _)| at == index).map(|(_, bytes)| bytes.clone())
    }

    /// Keeps a chunk in place of older ones.
    pub(super) fn put(&self, index: &[u64], bytes: &Bytes) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(at, _)| at != index);
        kept.push((index.to_vec(), bytes.clone()));
        let size = |kept: &[(Vec<u64>, Bytes)]| kept.iter().map(|(_, b)| b.len()).sum::<usize>();
        while kept.len() > KEPT || (kept.len() > 1 && size(&kept) > KEPT_BYTES) {
            kept.remove(0);
        }
    }
}
