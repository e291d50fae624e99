//! A sample of cells with every group in its share.

use std::collections::BTreeMap;

/// At most `n` of the cells in rising order, each group (of equal numbers) in its share, and at least
/// one cell of a group while `n` allows: all cells where they are no more than `n`.
pub fn stratified(strata: &[u32], n: usize, seed: u64) -> Vec<u32> {
    if strata.len() <= n {
        return (0..strata.len() as u32).collect();
    }
    let mut groups = BTreeMap::<u32, Vec<u32>>::new();
    for (cell, &stratum) in strata.iter().enumerate() {
        groups.entry(stratum).or_default().push(cell as u32);
    }
    let mut ranked: Vec<(f64, u64, u32)> = Vec::with_capacity(strata.len());
    for cells in groups.values() {
        let mut cells: Vec<(u64, u32)> =
            cells.iter().map(|&cell| (mixed(seed, cell), cell)).collect();
        cells.sort_unstable();
        // The k-th of a group of m comes after a share k / m of every other group.
        let m = cells.len() as f64;
        ranked
            .extend(cells.iter().enumerate().map(|(k, &(hash, cell))| (k as f64 / m, hash, cell)));
    }
    ranked.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut sample: Vec<u32> = ranked[..n].iter().map(|&(.., cell)| cell).collect();
    sample.sort_unstable();
    sample
}

/// A number that looks random, of seed and cell: the finalizer of SplitMix64 (Steele, Lea and Flood
/// 2014).
fn mixed(seed: u64, cell: u32) -> u64 {
    let mut z = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(u64::from(cell) + 1);
    z = z.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_keep_their_shares() {
        let strata: Vec<u32> =
            (0..10_000).map(|k| if k < 9_000 { 0 } else { 1 + u32::from(k == 9_999) }).collect();
        let sample = stratified(&strata, 1000, 3);
        assert_eq!(sample.len(), 1000);
        assert!(sample.is_sorted_by(|a, b| a < b));
        let n_of = |s: u32| sample.iter().filter(|&&cell| strata[cell as usize] == s).count();
        assert!((899..=901).contains(&n_of(0)) && n_of(2) == 1, "{} {}", n_of(0), n_of(2));
        assert_ne!(sample, stratified(&strata, 1000, 4));
        assert_eq!(stratified(&strata[..50], 1000, 3), (0..50).collect::<Vec<_>>());
        // Early and late cells are as likely.
        let late = sample.iter().filter(|&&cell| (4500..9000).contains(&cell)).count();
        assert!((380..=520).contains(&late), "{late}");
    }
}
