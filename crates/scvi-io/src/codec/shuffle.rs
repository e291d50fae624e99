//! Elements whose bytes or bits were sorted by their place in the element, put together again.

/// Appends the elements whose first bytes stand first, then all second bytes, and so on; what is
/// left behind the last whole element was not sorted.
pub(crate) fn unshuffle_bytes(sorted: &[u8], width: usize, out: &mut Vec<u8>) {
    let n = sorted.len() / width;
    let start = out.len();
    out.resize(start + n * width, 0);
    for (k, plane) in sorted.chunks_exact(n.max(1)).take(width).enumerate() {
        out[start..].iter_mut().skip(k).step_by(width).zip(plane).for_each(|(to, &b)| *to = b);
    }
    out.extend(&sorted[n * width..]);
}

/// The same of bits, of which the lowest of each byte stand first. A plane has eight elements a
/// byte, the first in the lowest bit; what is left behind the last eight elements was not sorted.
pub(crate) fn unshuffle_bits(sorted: &[u8], width: usize, out: &mut Vec<u8>) {
    let eights = sorted.len() / width / 8;
    out.extend(sorted);
    let start = out.len() - sorted.len();
    let out = &mut out[start..];
    for byte in 0..width {
        let planes = &sorted[byte * 8 * eights..][..8 * eights];
        for eight in 0..eights {
            let rows = std::array::from_fn(|bit| planes[bit * eights + eight]);
            for (k, b) in transpose(rows).into_iter().enumerate() {
                out[(8 * eight + k) * width + byte] = b;
            }
        }
    }
}

/// Turns bit `c` of byte `r` into bit `r` of byte `c`.
///
/// Source: H. S. Warren, Hacker's Delight, 2nd edition, section 7-3.
fn transpose(rows: [u8; 8]) -> [u8; 8] {
    let mut x = u64::from_le_bytes(rows);
    for (distance, mask) in
        [(7, 0x00aa_00aa_00aa_00aa), (14, 0x0000_cccc_0000_cccc), (28, 0x0000_0000_f0f0_f0f0)]
    {
        let t = (x ^ (x >> distance)) & mask;
        x ^= t ^ (t << distance);
    }
    x.to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_turn_into_elements() {
        for (r, c) in (0..8).flat_map(|r| (0..8).map(move |c| (r, c))) {
            let mut rows = [0; 8];
            rows[r] = 1 << c;
            let mut columns = [0; 8];
            columns[c] = 1 << r;
            assert_eq!(transpose(rows), columns, "{r} {c}");
        }
    }

    #[test]
    fn shuffled_elements_come_back() {
        let n = 24;
        for width in [1, 2, 3, 4, 8] {
            let elements: Vec<u8> = (0..n * width).map(|k| (k * 37 % 251) as u8).collect();
            let element_byte = |k: usize, byte: usize| elements[k * width + byte];
            let planes = (0..width).flat_map(|byte| (0..n).map(move |k| (k, byte)));
            let mut sorted: Vec<u8> = planes.map(|(k, byte)| element_byte(k, byte)).collect();
            sorted.push(9);
            let mut out = vec![1];
            unshuffle_bytes(&sorted, width, &mut out);
            assert_eq!(out, [&[1], &elements[..], &[9]].concat());

            let bit = |k: usize, plane: usize| element_byte(k, plane / 8) >> (plane % 8) & 1;
            let eight =
                |plane: usize, first: usize| (0..8).map(|k| bit(first + k, plane) << k).sum::<u8>();
            let bytes = (0..8 * width).flat_map(|p| (0..n).step_by(8).map(move |k| (p, k)));
            let mut sorted: Vec<u8> = bytes.map(|(plane, first)| eight(plane, first)).collect();
            sorted.push(9);
            let mut out = vec![1];
            unshuffle_bits(&sorted, width, &mut out);
            assert_eq!(out, [&[1], &elements[..], &[9]].concat());
        }
    }
}
