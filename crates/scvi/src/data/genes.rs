//! Genes of one data set in the columns of another, by name.

use std::collections::HashMap;

use thiserror::Error;

/// Where the genes of some data stand among those that a model knows.
///
/// ```
/// use scvi::data::GeneOverlap;
///
/// let names = |names: &[&str]| names.iter().map(|&n| n.to_owned()).collect::<Vec<_>>();
/// let overlap = GeneOverlap::new(&names(&["c", "x", "a"]), &names(&["a", "b", "c"]))?;
/// assert_eq!(overlap.places(), [Some(2), None, Some(0)]);
/// assert_eq!((overlap.missing(), overlap.n_extra()), (&[1][..], 1));
/// assert_eq!((overlap.n_shared(), overlap.share()), (2, 2.0 / 3.0));
/// # Ok::<(), scvi::data::DoubledGene>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneOverlap {
    /// The model's column of each gene of the data.
    places: Vec<Option<u32>>,
    /// Columns of the model that no gene of the data belongs to.
    missing: Vec<u32>,
}

/// A gene of the model that the data has more than once.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("gene '{gene}' stands in the data {found} times")]
pub struct DoubledGene {
    /// Its name.
    pub gene: String,
    /// How often the name occurs.
    pub found: usize,
}

impl GeneOverlap {
    /// Looks for each of the model's genes, `expected`, among those of the data, `found`.
    ///
    /// # Errors
    /// [`DoubledGene`] where one of them is there more than once (unless the names are the very
    /// same); other names may be.
    pub fn new(found: &[String], expected: &[String]) -> Result<Self, DoubledGene> {
        if found == expected {
            let places = (0..).take(found.len()).map(Some).collect();
            return Ok(Self { places, missing: Vec::new() });
        }
        let column: HashMap<&str, u32> =
            expected.iter().zip(0..).map(|(name, column)| (name.as_str(), column)).collect();
        let places: Vec<Option<u32>> =
            found.iter().map(|name| column.get(name.as_str()).copied()).collect();
        let mut times = vec![0usize; expected.len()];
        places.iter().flatten().for_each(|&column| times[column as usize] += 1);
        if let Some(doubled) = times.iter().position(|&n| n > 1) {
            return Err(DoubledGene { gene: expected[doubled].clone(), found: times[doubled] });
        }
        let missing = (0..).zip(&times).filter(|(_, n)| **n == 0).map(|(column, _)| column);
        Ok(Self { places, missing: missing.collect() })
    }

    /// The model's column of each gene of the data; `None` of those that the model does not know.
    pub fn places(&self) -> &[Option<u32>] {
        &self.places
    }

    /// The model's columns that the data has no gene for.
    pub fn missing(&self) -> &[u32] {
        &self.missing
    }

    /// Genes of the data that the model does not know.
    pub fn n_extra(&self) -> usize {
        self.places.len() - self.n_shared()
    }

    /// Genes that both have.
    pub fn n_shared(&self) -> usize {
        self.places.iter().flatten().count()
    }

    /// Share of the model's genes that the data has, 0 to 1.
    pub fn share(&self) -> f64 {
        self.n_shared() as f64 / (self.n_shared() + self.missing.len()).max(1) as f64
    }

    /// Whether every gene stands in the column it has in the model already.
    pub fn is_identity(&self) -> bool {
        self.missing.is_empty() && (0..).zip(&self.places).all(|(i, &place)| place == Some(i))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&n| n.to_owned()).collect()
    }

    #[test]
    fn a_name_may_be_doubled_where_the_model_does_not_know_it() {
        let model = names(&["a", "b"]);
        let overlap = GeneOverlap::new(&names(&["x", "b", "x", "a"]), &model).unwrap();
        assert_eq!(overlap.places(), [None, Some(1), None, Some(0)]);
        let error = GeneOverlap::new(&names(&["b", "b", "a", "b"]), &model).unwrap_err();
        assert_eq!((error.gene.as_str(), error.found), ("b", 3));
    }

    #[test]
    fn only_the_same_genes_in_the_same_order_are_in_place() {
        let model = names(&["a", "b"]);
        let is = |found: &[&str]| GeneOverlap::new(&names(found), &model).unwrap().is_identity();
        assert!(is(&["a", "b"]));
        assert!(!is(&["b", "a"]) && !is(&["a"]) && !is(&["a", "b", "c"]));
    }
}
