//! The order in which anndata puts categories that it unites: numbers within names by their value.

use std::cmp::Ordering;

/// Compares texts run by run: digits as whole numbers, all else by code point; a text begins with
/// its letters, be they none.
///
/// Source: natsort 8, `natsorted` with its default algorithm.
pub(super) fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let (text_a, rest_a) = split(a, |c| !c.is_ascii_digit());
        let (text_b, rest_b) = split(b, |c| !c.is_ascii_digit());
        let (number_a, after_a) = split(rest_a, |c| c.is_ascii_digit());
        let (number_b, after_b) = split(rest_b, |c| c.is_ascii_digit());
        let order = text_a.cmp(text_b).then_with(|| by_value(number_a, number_b));
        if order != Ordering::Equal {
            return order;
        }
        if after_a.is_empty() || after_b.is_empty() {
            return after_a.len().cmp(&after_b.len());
        }
        (a, b) = (after_a, after_b);
    }
}

fn split(text: &str, is_part: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !is_part(c)).unwrap_or(text.len()))
}

/// Digits by their value; none come before any.
fn by_value(a: &str, b: &str) -> Ordering {
    let digits = |text: &str| text.trim_start_matches('0').len();
    let (zeros_off_a, zeros_off_b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.is_empty()
        .cmp(&b.is_empty())
        .reverse()
        .then(digits(a).cmp(&digits(b)))
        .then(zeros_off_a.cmp(zeros_off_b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_as_natsort_does() {
        // natsort.natsorted of these, in any order
        let want = [
            "", "1", "2", "2b", "10", "10a", "A", "B2", "B10", "a", "a1", "a1b", "a1b2", "a2",
            "a10", "b", "day2", "day10", "é",
        ];
        let mut names = want.to_vec();
        names.reverse();
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, want);
        assert_eq!(natural("01", "1"), Ordering::Equal);
        assert_eq!(natural("x99999999999999999999", "x100000000000000000000"), Ordering::Less);
    }
}
