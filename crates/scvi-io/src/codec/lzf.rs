//! Streams of LZF, h5py's own filter.
//!
//! Runs of literals and matches in what was unpacked before, each told by a control byte (liblzf 3.6,
//! `lzf_d.c`).

use super::too_long;

/// Unpacks a stream to at most `limit` bytes; what is wrong otherwise.
pub(super) fn unpack(stream: &[u8], limit: usize) -> Result<Vec<u8>, String> {
    let cut_off = || "lzf: cut off".to_owned();
    let mut input = stream.iter().copied();
    let mut next = || input.next().map(usize::from);
    let mut out = Vec::new();
    while let Some(control) = next() {
        if control < 32 {
            for _ in 0..=control {
                out.push(next().ok_or_else(cut_off)? as u8);
            }
        } else {
            let mut length = (control >> 5) + 2;
            if length == 9 {
                length += next().ok_or_else(cut_off)?;
            }
            let distance = ((control & 31) << 8) + next().ok_or_else(cut_off)? + 1;
            let start =
                out.len().checked_sub(distance).ok_or("lzf: a match before the beginning")?;
            // A match may reach into what it writes itself.
            for k in start..start + length {
                out.push(out[k]);
            }
        }
        if out.len() > limit {
            return Err(too_long(limit));
        }
    }
    Ok(out)
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
        assert_eq!(unpack(&[], 100).unwrap(), b"");
    }
}
