//! Cells and genes looked up by name.

use std::collections::HashMap;

use crate::listed;

/// Names with their places in a list, in which a name may stand more than once.
///
/// ```
/// use scvi::data::{Found, NameIndex};
///
/// let names = ["a", "b", "a"].map(String::from);
/// let index = NameIndex::new(&names);
/// assert_eq!(index.find("b"), Found::Once(1));
/// assert_eq!(index.find("a"), Found::Repeated(&[0, 2]));
/// assert_eq!(index.find("c"), Found::Nowhere);
/// assert_eq!(index.repeated(), ["a"]);
/// ```
#[derive(Debug)]
pub struct NameIndex<'a> {
    first: HashMap<&'a str, usize>,
    /// Every place of a name that stands more than once.
    repeated: HashMap<&'a str, Vec<usize>>,
}

/// Where a name stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found<'i> {
    /// In no place.
    Nowhere,
    /// In one place.
    Once(usize),
    /// In several places, in rising order: which of them is meant cannot be told.
    Repeated(&'i [usize]),
}

impl<'a> NameIndex<'a> {
    /// Indexes a list.
    pub fn new(names: &'a [String]) -> Self {
        let mut first = HashMap::with_capacity(names.len());
        let mut repeated: HashMap<&str, Vec<usize>> = HashMap::new();
        for (place, name) in names.iter().enumerate() {
            let earlier = *first.entry(name.as_str()).or_insert(place);
            if earlier != place {
                repeated.entry(name).or_insert_with(|| vec![earlier]).push(place);
            }
        }
        Self { first, repeated }
    }

    /// Where a name stands.
    pub fn find(&self, name: &str) -> Found<'_> {
        match (self.repeated.get(name), self.first.get(name)) {
            (Some(places), _) => Found::Repeated(places),
            (None, Some(&place)) => Found::Once(place),
            (None, None) => Found::Nowhere,
        }
    }

    /// Names that stand more than once, by their first places.
    pub fn repeated(&self) -> Vec<&'a str> {
        let mut names: Vec<&str> = self.repeated.keys().copied().collect();
        names.sort_unstable_by_key(|name| self.first[name]);
        names
    }

    /// What a user should know of names that stand more than once; `what` they name, in the
    /// singular.
    pub fn warning(&self, what: &str) -> Option<String> {
        let names = self.repeated();
        let shown = |name: &&str| format!("'{name}' ({} times)", self.repeated[name].len());
        let shown = listed(names.iter().map(shown));
        let verb = if names.len() == 1 { "name stands" } else { "names stand" };
        (!names.is_empty()).then(|| {
            format!(
                "{} {what} {verb} more than once: {shown}; none of them can be looked up by name",
                names.len()
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_counts_names_and_shows_the_first() {
        let names = |names: &str| names.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let warning = |list: &str| NameIndex::new(&names(list)).warning("gene");
        assert_eq!(warning("a b c"), None);
        assert_eq!(
            warning("c a b a c a").unwrap(),
            "2 gene names stand more than once: 'c' (2 times), 'a' (3 times); none of them can be \
             looked up by name"
        );
        assert!(warning("a a").unwrap().starts_with("1 gene name stands more than once: 'a'"));
        let many = warning(&["a b c d e f g h i j k"; 2].join(" ")).unwrap();
        assert!(many.contains("11 gene names") && many.contains("'j' (2 times), ... and 1 more;"));
    }
}
