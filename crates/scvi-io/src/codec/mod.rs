//! Unpacking of chunks, never to more bytes than are expected.

mod blosc;
mod blosclz;
mod lzf;
mod shuffle;

use std::io::Read;

use flate2::read::{MultiGzDecoder, ZlibDecoder};
use ruzstd::decoding::StreamingDecoder;

pub(crate) use shuffle::{unshuffle_bits, unshuffle_bytes};

/// What a zstd frame may ask for beyond the chunk: encoders round up.
const WINDOW: u64 = 8 << 20;

/// A way to pack bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    Blosc,
    Gzip,
    Lz4,
    Lzf,
    Zlib,
    Zstd,
}

impl Codec {
    /// The codec under its name in the metadata.
    pub(crate) fn named(name: &str) -> Result<Self, String> {
        Ok(match name {
            "blosc" | "numcodecs.blosc" => Self::Blosc,
            "gzip" | "numcodecs.gzip" => Self::Gzip,
            "lz4" | "numcodecs.lz4" => Self::Lz4,
            "zlib" | "numcodecs.zlib" => Self::Zlib,
            "zstd" | "numcodecs.zstd" => Self::Zstd,
            _ => return Err(format!("the codec '{name}'")),
        })
    }

    /// What one byte unpacks to, at best.
    pub(crate) fn expansion(self) -> u64 {
        match self {
            // 258 bytes from 2 bits, as zlib's documentation says.
            Self::Gzip | Self::Zlib => 1032,
            // A length grows by 255 with each byte.
            Self::Lz4 => 255,
            // 264 bytes from 3.
            Self::Lzf => 88,
            // A block of 128 KiB from 4 bytes (RFC 8878, section 3.1.1.2); blosc may hold zstd.
            Self::Blosc | Self::Zstd => 1 << 15,
        }
    }

    /// Unpacks to at most `limit` bytes; what is wrong otherwise.
    pub(crate) fn unpack(self, packed: &[u8], limit: usize) -> Result<Vec<u8>, String> {
        match self {
            Self::Blosc => blosc::unpack(packed, limit),
            Self::Lzf => lzf::unpack(packed, limit),
            Self::Gzip => read(MultiGzDecoder::new(packed), limit),
            Self::Zlib => read(ZlibDecoder::new(packed), limit),
            Self::Zstd => {
                let window = (limit as u64).max(WINDOW);
                let frame = StreamingDecoder::new_with_max_window_size(packed, window);
                read(frame.map_err(|e| format!("zstd: {e}"))?, limit)
            }
            Self::Lz4 => {
                let (size, block) = packed.split_first_chunk().ok_or("lz4: no size")?;
                unpack_lz4(block, u32::from_le_bytes(*size) as usize, limit)
            }
        }
    }
}

/// Unpacks a block of LZ4 to exactly `size` bytes.
pub(crate) fn unpack_lz4(block: &[u8], size: usize, limit: usize) -> Result<Vec<u8>, String> {
    // The room is made before the block is looked at.
    if size > limit || size as u64 > Codec::Lz4.expansion() * (block.len() as u64 + 16) {
        return Err(too_long(limit));
    }
    let mut bytes = vec![0; size];
    let n = lz4_flex::block::decompress_into(block, &mut bytes).map_err(|e| e.to_string())?;
    if n == size { Ok(bytes) } else { Err(format!("lz4: {n} bytes in place of {size}")) }
}

/// Reads to the end, which must come within `limit` bytes.
fn read(from: impl Read, limit: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    from.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    if bytes.len() <= limit { Ok(bytes) } else { Err(too_long(limit)) }
}

pub(crate) fn too_long(limit: usize) -> String {
    format!("a chunk unpacks to more than its {limit} bytes")
}
