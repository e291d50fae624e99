//! Filters of chunks that the HDF5 library does not undo, and those that may stand beside them.

use hdf5_pure::Filter;

use crate::codec::{Codec, unpack_lz4, unshuffle_bits, unshuffle_bytes};

/// What a filter made of a chunk is undone by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Codec(Codec),
    /// LZ4 in blocks.
    Lz4Blocks,
    /// Bytes of elements of so many bytes, sorted by their place.
    Shuffle(usize),
    Bitshuffle(Bitshuffle),
    /// A checksum of 4 bytes behind the chunk.
    Fletcher32,
}

/// A filter that is not undone here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UnknownFilter {
    /// Its name and number, or what is unknown of it.
    pub(super) name: String,
    /// Whether HDF5 itself does not undo it either.
    pub(super) is_plugin: bool,
}

/// The filters of an array, in the order in which they were applied.
#[derive(Debug, Clone)]
pub(super) struct Pipeline(Vec<Step>);

/// Filters by the number under which they are registered, for messages.
const NAMES: [(u16, &str); 12] = [
    (4, "szip"),
    (5, "nbit"),
    (6, "scaleoffset"),
    (307, "bzip2"),
    (32_013, "zfp"),
    (32_017, "sz"),
    (32_018, "fcidecomp"),
    (32_019, "jpeg"),
    (32_024, "sz3"),
    (32_026, "blosc2"),
    (32_028, "sperr"),
    (32_029, "trim"),
];

/// Whether the HDF5 library undoes a filter.
pub(super) fn is_of_library(filter: u16) -> bool {
    matches!(filter, 1 | 2 | 3 | 6 | 32_000)
}

/// What a filter unpacks one byte to, at best; `None` where that is not known.
pub(super) fn expansion(filter: u16) -> Option<u64> {
    Some(match filter {
        1 => Codec::Zlib.expansion(),
        // Shuffle and fletcher32 take nothing away.
        2 | 3 => 1,
        32_000 => Codec::Lzf.expansion(),
        32_001 => Codec::Blosc.expansion(),
        32_004 => Codec::Lz4.expansion(),
        // Bitshuffle may hold zstd.
        32_008 | 32_015 => Codec::Zstd.expansion(),
        _ => return None,
    })
}

impl Pipeline {
    /// Of the filters of an array; one that is not known otherwise.
    pub(super) fn new(filters: &[Filter]) -> Result<Self, UnknownFilter> {
        filters.iter().map(step).collect::<Result<_, _>>().map(Self)
    }

    /// Unpacks a chunk to `size` bytes, passing over the filters whose bit is set in `skipped`; what
    /// is wrong otherwise.
    pub(super) fn unpack(
        &self,
        packed: Vec<u8>,
        skipped: u32,
        size: usize,
    ) -> Result<Vec<u8>, String> {
        let mut bytes = packed;
        // Checksums were there before what was applied behind them.
        let checksums = self.0.iter().filter(|step| **step == Step::Fletcher32).count();
        let limit = size.saturating_add(4 * checksums);
        for (k, step) in self.0.iter().enumerate().rev() {
            if skipped.checked_shr(k as u32).is_none_or(|rest| rest & 1 == 0) {
                bytes = step.undo(bytes, limit)?;
            }
        }
        match bytes.len() {
            n if n == size => Ok(bytes),
            n => Err(format!("a chunk unpacks to {n} bytes, not to {size}")),
        }
    }
}

/// The first number of filters that are not HDF5's own.
const FIRST_PLUGIN: u16 = 256;

fn step(filter: &Filter) -> Result<Step, UnknownFilter> {
    let is_plugin = filter.id >= FIRST_PLUGIN;
    let unknown = |name| UnknownFilter { name, is_plugin };

    Ok(match filter.id {
        1 => Step::Codec(Codec::Zlib),
        2 => Step::Shuffle(filter.client_data.first().map_or(1, |&n| n.max(1) as usize)),
        3 => Step::Fletcher32,
        32_000 => Step::Codec(Codec::Lzf),
        32_001 => Step::Codec(Codec::Blosc),
        32_004 => Step::Lz4Blocks,
        32_008 => Step::Bitshuffle(Bitshuffle::new(&filter.client_data).map_err(unknown)?),
        32_015 => Step::Codec(Codec::Zstd),
        id => {
            let known = NAMES.iter().find(|known| known.0 == id).map(|known| known.1.to_owned());
            let name = known.or(filter.name.clone()).unwrap_or_else(|| "of no name".into());
            return Err(unknown(format!("{name} ({id})")));
        }
    })
}

impl Step {
    fn undo(self, packed: Vec<u8>, limit: usize) -> Result<Vec<u8>, String> {
        match self {
            Self::Codec(codec) => codec.unpack(&packed, limit),
            Self::Lz4Blocks => {
                let mut bytes = Vec::new();
                let blocks = Blocks::new(&packed, limit)?;
                blocks.each(|block, size| {
                    match block.len() == size {
                        true => bytes.extend(block),
                        false => bytes.extend(unpack_lz4(block, size, limit)?),
                    }
                    Ok(())
                })?;
                Ok(bytes)
            }
            Self::Shuffle(width) => {
                let mut bytes = Vec::with_capacity(packed.len());
                unshuffle_bytes(&packed, width, &mut bytes);
                Ok(bytes)
            }
            Self::Bitshuffle(filter) => filter.undo(&packed, limit),
            Self::Fletcher32 => {
                let (bytes, &[a, b, c, d]) =
                    packed.split_last_chunk().ok_or("fletcher32: a chunk without a checksum")?;
                let [low, high] = [[a, b], [c, d]].map(u16::from_le_bytes);
                // Both 0 and 65,535 stand for a remainder of 0.
                if fletcher32(bytes) != (low % 0xffff, high % 0xffff) {
                    return Err("fletcher32: the checksum is another".into());
                }
                Ok(bytes.to_vec())
            }
        }
    }
}

/// Blocks behind a head that says how many bytes they unpack to, and how many each of them.
struct Blocks<'a> {
    blocks: &'a [u8],
    size: usize,
    block_size: usize,
}

impl<'a> Blocks<'a> {
    fn new(packed: &'a [u8], limit: usize) -> Result<Self, String> {
        let (size, rest) = packed.split_first_chunk().ok_or("a chunk is cut off")?;
        let (block_size, blocks) = rest.split_first_chunk().ok_or("a chunk is cut off")?;
        let size = usize::try_from(u64::from_be_bytes(*size)).ok().filter(|&n| n <= limit);
        let size = size.ok_or_else(|| format!("a chunk of more than its {limit} bytes"))?;
        let block_size = u32::from_be_bytes(*block_size) as usize;
        if block_size == 0 {
            return Err("blocks of no bytes".into());
        }
        Ok(Self { blocks, size, block_size })
    }

    /// Calls `f` with each block and what it unpacks to.
    fn each(
        &self,
        mut f: impl FnMut(&[u8], usize) -> Result<(), String>,
    ) -> Result<&'a [u8], String> {
        let (mut rest, mut left) = (self.blocks, self.size);
        while left > 0 {
            let (length, behind) = rest.split_first_chunk().ok_or("a chunk is cut off")?;
            let length = u32::from_be_bytes(*length) as usize;
            let size = left.min(self.block_size);
            f(behind.get(..length).ok_or("a chunk is cut off")?, size)?;
            (rest, left) = (&behind[length..], left - size);
        }
        Ok(rest)
    }
}

/// The parameters of bitshuffle (`bshuf_h5filter.h`, `bitshuffle_core.c`, version 0.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bitshuffle {
    /// Bytes of an element.
    width: usize,
    /// Elements of a block.
    block: usize,
    compression: Option<Codec>,
}

impl Bitshuffle {
    fn new(parameters: &[u32]) -> Result<Self, String> {
        let parameter = |k: usize| parameters.get(k).copied().unwrap_or(0) as usize;
        // Two numbers of a version come first.
        let width = parameter(2).max(1);
        let block = match parameter(3) {
            // As many as make 8 KiB, in eights, but 128 at least.
            0 => (8192 / width / 8 * 8).max(128),
            n if n.is_multiple_of(8) => n,
            n => return Err(format!("bitshuffle with blocks of {n} elements")),
        };
        let compression = match parameter(4) {
            0 => None,
            2 => Some(Codec::Lz4),
            3 => Some(Codec::Zstd),
            n => return Err(format!("bitshuffle with the compression {n}")),
        };
        Ok(Self { width, block, compression })
    }

    fn undo(self, packed: &[u8], limit: usize) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let Some(codec) = self.compression else {
            let block = self.width.saturating_mul(self.block);
            packed.chunks(block).for_each(|block| unshuffle_bits(block, self.width, &mut bytes));
            return Ok(bytes);
        };
        let blocks = Blocks::new(packed, limit)?;
        // Elements behind the last eight are not in a block, and stand there as they are.
        let eights = self.width.saturating_mul(8);
        let in_blocks = Blocks { size: blocks.size / eights * eights, ..blocks };
        let rest = in_blocks.each(|block, size| {
            let sorted = match codec {
                Codec::Lz4 => unpack_lz4(block, size, limit)?,
                codec => codec.unpack(block, size)?,
            };
            if sorted.len() != size {
                return Err(format!("a block of {} bytes in place of {size}", sorted.len()));
            }
            unshuffle_bits(&sorted, self.width, &mut bytes);
            Ok(())
        })?;
        bytes.extend(rest);
        Ok(bytes)
    }
}

/// Both halves of HDF5's checksum (`H5checksum.c`, `H5_checksum_fletcher32`): the sum of words of two
/// bytes, the higher first, and the sum of these sums.
fn fletcher32(bytes: &[u8]) -> (u16, u16) {
    let (mut sum, mut sums) = (0_u64, 0_u64);
    // Neither overflows within so many words.
    for words in bytes.chunks(2 * 4096) {
        for pair in words.chunks(2) {
            sum += u64::from(pair[0]) << 8 | pair.get(1).map_or(0, |&b| b.into());
            sums += sum;
        }
        (sum, sums) = (sum % 0xffff, sums % 0xffff);
    }
    (sum as u16, sums as u16)
}
