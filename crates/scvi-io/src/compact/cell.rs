//! One cell as bytes.

use integer_encoding::VarInt;

const WHOLE: u8 = 0;
const FLOATS: u8 = 1;
/// Bytes of the longest varint of 32 bits.
const LONGEST: usize = 5;

/// Adds a cell, whose genes rise strictly and whose values are positive and finite.
pub(super) fn encode(genes: &[u32], values: &[f32], out: &mut Vec<u8>) {
    let is_whole = values.iter().all(|&value| value.fract() == 0.0 && value <= u32::MAX as f32);
    out.push(if is_whole { WHOLE } else { FLOATS });
    let mut number = [0; LONGEST];
    let mut next = 0;
    for (&gene, &value) in genes.iter().zip(values) {
        let n = (gene - next).encode_var(&mut number);
        out.extend_from_slice(&number[..n]);
        next = gene + 1;
        if is_whole {
            // A float of whole value below 2^32 is such an integer, but for 2^32 itself.
            let n = (value as u64).encode_var(&mut number);
            out.extend_from_slice(&number[..n]);
        } else {
            out.extend_from_slice(&value.to_le_bytes());
        }
    }
}

/// Adds a cell's genes and values; `None` where the bytes are no cell.
pub(super) fn decode(bytes: &[u8], genes: &mut Vec<u32>, values: &mut Vec<f32>) -> Option<()> {
    let (&kind, mut bytes) = bytes.split_first()?;
    let mut next = 0_u32;
    while !bytes.is_empty() {
        let gene = next.checked_add(number(&mut bytes)?.try_into().ok()?)?;
        next = gene.checked_add(1)?;
        let value = match kind {
            WHOLE => number(&mut bytes)? as f32,
            FLOATS => {
                let (value, rest) = bytes.split_first_chunk()?;
                bytes = rest;
                f32::from_le_bytes(*value)
            }
            _ => return None,
        };
        genes.push(gene);
        values.push(value);
    }
    Some(())
}

/// Takes a number from the beginning; most take one byte.
fn number(bytes: &mut &[u8]) -> Option<u64> {
    match **bytes {
        [byte @ ..0x80, ref rest @ ..] => {
            *bytes = rest;
            Some(byte.into())
        }
        _ => {
            let (number, n) = u64::decode_var(bytes)?;
            *bytes = bytes.get(n..)?;
            Some(number)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counts() -> impl Strategy<Value = f32> {
        let whole = prop_oneof![1_u32..300, 16_000_000_u32..=u32::MAX];
        prop_oneof![4 => whole.prop_map(|v| v as f32), 1 => 1e-3_f32..1e30]
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(
            cell in prop::collection::btree_map(any::<u32>().prop_filter("a next", |&g| g < u32::MAX), counts(), 0..40)
        ) {
            let (genes, values): (Vec<u32>, Vec<f32>) = cell.into_iter().unzip();
            let mut bytes = Vec::new();
            encode(&genes, &values, &mut bytes);
            let (mut g, mut v) = (Vec::new(), Vec::new());
            prop_assert_eq!(decode(&bytes, &mut g, &mut v), Some(()));
            prop_assert_eq!((g, v), (genes, values));
        }

        #[test]
        fn whatever_bytes_come_it_answers(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let (mut g, mut v) = (Vec::new(), Vec::new());
            let _ = decode(&bytes, &mut g, &mut v);
            prop_assert!(g.windows(2).all(|w| w[0] < w[1]));
        }
    }
}
