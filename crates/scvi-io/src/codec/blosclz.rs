//! Streams of BloscLZ, the codec that PyTables takes unless told otherwise.
//!
//! Runs of literals and matches in what was unpacked before, each told by a control byte
//! (c-blosc 1.21, `blosclz.c`, `blosclz_decompress`).

use super::too_long;

/// Matches that are farther away have two bytes more.
const FAR: usize = 8191;
const FAR_HIGH: usize = 31 << 8;

/// Unpacks a stream to at most `limit` bytes; what is wrong otherwise.
pub(super) fn unpack(stream: &[u8], limit: usize) -> Result<Vec<u8>, String> {
    let cut_off = || "blosclz: cut off".to_owned();
    let mut input = stream.iter().copied();
    let mut next = || input.next().map(usize::from);
    let mut out = Vec::new();
    // The first run is one of literals, whatever its upper bits say.
    let mut control = next().ok_or_else(cut_off)? & 31;
    loop {
        if control < 32 {
            for _ in 0..=control {
                out.push(next().ok_or_else(cut_off)? as u8);
            }
        } else {
            let mut length = (control >> 5) + 2;
            if length == 9 {
                loop {
                    let more = next().ok_or_else(cut_off)?;
                    length += more;
                    if more != 255 || length > limit {
                        break;
                    }
                }
            }
            let high = (control & 31) << 8;
            let low = next().ok_or_else(cut_off)?;
            let mut distance = high + low + 1;
            if low == 255 && high == FAR_HIGH {
                let [high, low] = [next().ok_or_else(cut_off)?, next().ok_or_else(cut_off)?];
                distance = (high << 8) + low + FAR + 1;
            }
            let start = out.len().checked_sub(distance);
            let start = start.ok_or("blosclz: a match before the beginning")?;
            if out.len() + length > limit {
                return Err(too_long(limit));
            }
            // A match may reach into what it writes itself.
            for k in start..start + length {
                out.push(out[k]);
            }
        }
        if out.len() > limit {
            return Err(too_long(limit));
        }
        match next() {
            Some(following) => control = following,
            None => return Ok(out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_matches() {
        // Three literals, then a match of 3 + 2 bytes from 3 bytes back, then one of 9 + 1.
        let stream = [2, b'a', b'b', b'c', 3 << 5, 2, 7 << 5, 1, 0];
        assert_eq!(unpack(&stream, 18).unwrap(), b"abcabcabbbbbbbbbbb");
        assert!(unpack(&stream, 17).unwrap_err().contains("more than its 17 bytes"));
        assert!(unpack(&stream[..5], 100).unwrap_err().contains("cut off"));
        assert!(unpack(&[0, b'a', 1 << 5, 1], 100).unwrap_err().contains("before the beginning"));
        assert!(unpack(&[], 100).is_err());
    }

    #[test]
    fn a_match_that_is_far_away() {
        // 8192 + 513 literals, 32 at a time, the rest of one run, then a match at distance 8705.
        let literals: Vec<u8> = (0..8705_u32).map(|k| (k % 241) as u8).collect();
        let mut stream = Vec::new();
        for run in literals.chunks(32) {
            stream.push(run.len() as u8 - 1);
            stream.extend(run);
        }
        stream.extend([(1 << 5) | 31, 255, 2, 1]);
        let out = unpack(&stream, 8708).unwrap();
        assert_eq!(out, [&literals[..], &literals[..3]].concat());
    }
}
