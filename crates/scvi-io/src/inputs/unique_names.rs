//! Names made unique as anndata makes them.

use std::collections::{HashMap, HashSet};

/// Appends `-1`, `-2`, ... to every name that occurred before, skipping numbers that would give a
/// name that is taken. The first of a name keeps it.
///
/// Source: anndata 0.12, `utils.py`, `make_index_unique`.
pub(super) fn make_unique(names: &mut [String]) {
    let mut seen = HashSet::new();
    let duplicates: Vec<usize> =
        (0..names.len()).filter(|&i| !seen.insert(names[i].clone())).collect();
    let mut taken = seen;
    let mut counter: HashMap<String, usize> = HashMap::new();
    for i in duplicates {
        let count = counter.entry(names[i].clone()).or_insert(0);
        loop {
            *count += 1;
            let tentative = format!("{}-{count}", names[i]);
            if taken.insert(tentative.clone()) {
                names[i] = tentative;
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_name_and_skip_names_that_are_taken() {
        for (names, want) in [
            (&["a", "a", "b", "a"][..], &["a", "a-1", "b", "a-2"][..]),
            (&["a", "a", "a-1"], &["a", "a-2", "a-1"]),
            (&["a", "a-1", "a-1", "a"], &["a", "a-1", "a-1-1", "a-2"]),
            (&[], &[]),
        ] {
            let mut names: Vec<String> = names.iter().map(|&n| n.to_owned()).collect();
            make_unique(&mut names);
            assert_eq!(names, want);
        }
    }
}
