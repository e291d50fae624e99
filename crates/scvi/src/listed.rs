//! Lists in messages: the first few, and how many there are beyond.

use std::fmt::{Display, Write};

/// How many a list names.
const NAMED: usize = 10;

/// Names for a message: all of a short list, the first ten of a long one.
///
/// ```
/// assert_eq!(scvi::listed(["a", "b"]), "a, b");
/// assert_eq!(scvi::listed(1..=12), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ... and 2 more");
/// assert_eq!(scvi::listed([""; 0]), "none");
/// ```
pub fn listed<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let mut text = String::new();
    let mut n = 0;
    for item in items {
        if n < NAMED {
            let separator = if n == 0 { "" } else { ", " };
            // Writing to a string cannot fail.
            let _ = write!(text, "{separator}{item}");
        }
        n += 1;
    }
    match n {
        0 => "none".to_owned(),
        _ if n <= NAMED => text,
        _ => format!("{text}, ... and {} more", n - NAMED),
    }
}
