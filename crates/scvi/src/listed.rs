//! Lists in messages: the first few, and the number of the others.

use std::fmt::{Display, Write};

/// How many a list names.
const NAMED: usize = 10;

/// Names for a message: all of a short list, the first ten of a long one.
///
/// ```
/// assert_eq!(scvi::listed(["a", "b"]), "a, b");
/// assert_eq!(scvi::listed(1..13), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ... and 2 more");
/// assert_eq!(scvi::listed([""; 0]), "none");
/// ```
pub fn listed<I: IntoIterator<Item: Display, IntoIter: ExactSizeIterator>>(items: I) -> String {
    let items = items.into_iter();
    let total = items.len();
    listed_of(items, total)
}

/// As [`listed`], of a list of which the first few are at hand, ten if there are as many.
///
/// ```
/// assert_eq!(scvi::listed_of(["a", "b"], 2), "a, b");
/// assert_eq!(scvi::listed_of(0..10, 5000), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ... and 4990 more");
/// ```
pub fn listed_of(first: impl IntoIterator<Item: Display>, total: usize) -> String {
    let mut text = String::new();
    let mut named = 0;
    for item in first.into_iter().take(NAMED) {
        let separator = if named == 0 { "" } else { ", " };
        // Writing to a string cannot fail.
        let _ = write!(text, "{separator}{item}");
        named += 1;
    }
    match total.saturating_sub(named) {
        0 if named == 0 => "none".to_owned(),
        0 => text,
        more => format!("{text}, ... and {more} more"),
    }
}
