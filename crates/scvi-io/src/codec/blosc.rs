//! Chunks of Blosc 1, of which numcodecs makes the default compressor of zarr's version 2, and which
//! are a filter of HDF5.
//!
//! A header of 16 bytes, the places of the blocks, and the blocks; each block is one stream, or one
//! for each byte of an element; bytes or bits of a block's elements may have been sorted by their
//! place in the element (c-blosc 1.21, `README_CHUNK_FORMAT.rst`, `blosc.c` and `shuffle.c`).

use super::shuffle::{unshuffle_bits, unshuffle_bytes};
use super::{Codec, blosclz, too_long, unpack_lz4};

const HEADER: usize = 16;
/// Later versions are Blosc 2's.
const MAX_VERSION: u8 = 2;
/// Elements of more bytes are not split.
const MAX_SPLITS: usize = 16;
/// Streams of fewer bytes are not split.
const MIN_STREAM: usize = 128;

/// The header of a chunk.
struct Header {
    flags: u8,
    width: usize,
    size: usize,
    block: usize,
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Self> {
        let number =
            |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize);
        let width = usize::from(*bytes.get(3)?).max(1);
        Some(Self { flags: *bytes.get(2)?, width, size: number(4)?, block: number(8)? })
    }

    fn has(&self, bit: u8) -> bool {
        self.flags >> bit & 1 == 1
    }

    /// Streams of a block.
    fn streams(&self, is_whole: bool) -> usize {
        let splits = self.width <= MAX_SPLITS && self.block / self.width >= MIN_STREAM;
        if !self.has(4) && splits && is_whole { self.width } else { 1 }
    }
}

/// Unpacks a chunk to at most `limit` bytes; what is wrong otherwise.
pub(super) fn unpack(packed: &[u8], limit: usize) -> Result<Vec<u8>, String> {
    let header =
        Header::read(packed).filter(|_| packed.len() >= HEADER).ok_or("blosc: no header")?;
    if header.size > limit {
        return Err(too_long(limit));
    }
    if packed[0] > MAX_VERSION {
        return Err(format!("blosc: version {} of its format", packed[0]));
    }
    let broken = || "blosc: cut off".to_owned();
    if header.has(1) {
        // It could not be made smaller.
        return Ok(packed.get(HEADER..HEADER + header.size).ok_or_else(broken)?.to_vec());
    }
    if header.size == 0 {
        return Ok(Vec::new());
    }
    if header.block == 0 {
        return Err("blosc: blocks of no bytes".into());
    }
    let mut bytes = Vec::new();
    for k in 0..header.size.div_ceil(header.block) {
        let place = packed.get(HEADER + 4 * k..).and_then(number).ok_or_else(broken)?;
        let size = header.block.min(header.size - bytes.len());
        let mut block = packed.get(place..).ok_or_else(broken)?;
        let streams = header.streams(size == header.block);
        let mut whole = Vec::new();
        for _ in 0..streams {
            let length = number(block).ok_or_else(broken)?;
            let stream = block.get(4..4 + length).ok_or_else(broken)?;
            whole.extend(unpack_stream(header.flags >> 5, stream, size / streams)?);
            block = &block[4 + length..];
        }
        if whole.len() != size {
            return Err(format!("blosc: a block of {} bytes in place of {size}", whole.len()));
        }
        match (header.has(0), header.has(2)) {
            (true, _) => unshuffle_bytes(&whole, header.width, &mut bytes),
            // Blocks of other lengths were left as they are.
            (_, true) if (size / header.width).is_multiple_of(8) => {
                unshuffle_bits(&whole, header.width, &mut bytes);
            }
            _ => bytes.extend(whole),
        }
    }
    Ok(bytes)
}

fn unpack_snappy(stream: &[u8], size: usize) -> Result<Vec<u8>, String> {
    // Room is made for as many bytes as the stream says; at best 3 bytes stand for 64.
    match snap::raw::decompress_len(stream) {
        Ok(length) if length == size && size <= 22 * stream.len() => {}
        _ => return Err(format!("snappy: a stream of other than {size} bytes")),
    }
    snap::raw::Decoder::new().decompress_vec(stream).map_err(|e| format!("snappy: {e}"))
}

fn number(bytes: &[u8]) -> Option<usize> {
    Some(u32::from_le_bytes(*bytes.first_chunk()?) as usize)
}

fn unpack_stream(format: u8, stream: &[u8], size: usize) -> Result<Vec<u8>, String> {
    if stream.len() == size {
        return Ok(stream.to_vec());
    }
    match format {
        1 => unpack_lz4(stream, size, size),
        3 => Codec::Zlib.unpack(stream, size),
        4 => Codec::Zstd.unpack(stream, size),
        0 => blosclz::unpack(stream, size),
        2 => unpack_snappy(stream, size),
        other => Err(format!("blosc: no codec has the number {other}")),
    }
}
