//! Genes of one data set in the columns of another, by name.

use thiserror::Error;

use super::names::{Found, NameIndex};

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
/// # Ok::<(), scvi::data::RepeatedGene>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneOverlap {
    /// The model's column of each gene of the data.
    places: Vec<Option<u32>>,
    /// Columns of the model that no gene of the data belongs to.
    missing: Vec<u32>,
}

/// A gene that cannot be matched by its name, because the name stands for several.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RepeatedGene {
    /// Several genes of the data have the name of one of the model's.
    #[error("{times} genes of the data are named '{gene}': which is the model's cannot be told")]
    InData {
        /// The name.
        gene: String,
        /// Number of genes.
        times: usize,
    },
    /// Several genes of the model have the name of one in the data.
    #[error("{times} genes of the model are named '{gene}': which is the data's cannot be told")]
    InModel {
        /// The name.
        gene: String,
        /// Number of genes.
        times: usize,
    },
}

impl GeneOverlap {
    /// Looks for each of the model's genes, `expected`, among those of the data, `found`.
    ///
    /// # Errors
    /// [`RepeatedGene`] where the name of a gene that both have stands for several (unless the names
    /// are the very same); other names may.
    pub fn new(found: &[String], expected: &[String]) -> Result<Self, RepeatedGene> {
        if found == expected {
            let places = (0..).take(found.len()).map(Some).collect();
            return Ok(Self { places, missing: Vec::new() });
        }
        let columns = NameIndex::new(expected);
        let mut times = vec![0usize; expected.len()];
        let mut places = Vec::with_capacity(found.len());
        for gene in found {
            places.push(match columns.find(gene) {
                Found::Nowhere => None,
                Found::Once(column) => {
                    times[column] += 1;
                    Some(column as u32)
                }
                Found::Repeated(all) => {
                    let (gene, times) = (gene.clone(), all.len());
                    return Err(RepeatedGene::InModel { gene, times });
                }
            });
        }
        if let Some(column) = times.iter().position(|&n| n > 1) {
            let (gene, times) = (expected[column].clone(), times[column]);
            return Err(RepeatedGene::InData { gene, times });
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
    fn a_name_may_repeat_where_nothing_is_looked_up_by_it() {
        let model = names(&["a", "b"]);
        let overlap = GeneOverlap::new(&names(&["x", "b", "x", "a"]), &model).unwrap();
        assert_eq!(overlap.places(), [None, Some(1), None, Some(0)]);
        let repeated = names(&["b", "b", "a"]);
        assert!(GeneOverlap::new(&repeated, &repeated).unwrap().is_identity());
        let overlap = GeneOverlap::new(&names(&["a", "c"]), &repeated).unwrap();
        assert_eq!((overlap.places(), overlap.missing()), (&[Some(2), None][..], &[0, 1][..]));
    }

    #[test]
    fn a_name_that_stands_for_several_genes_matches_none() {
        let (once, twice) = (names(&["a", "b"]), names(&["a", "b", "b"]));
        let gene = "b".to_owned();
        let times = 2;
        assert_eq!(
            GeneOverlap::new(&twice, &once).unwrap_err(),
            RepeatedGene::InData { gene: gene.clone(), times }
        );
        assert_eq!(
            GeneOverlap::new(&once, &twice).unwrap_err(),
            RepeatedGene::InModel { gene, times }
        );
    }

    #[test]
    fn only_the_same_genes_in_the_same_order_are_in_place() {
        let model = names(&["a", "b"]);
        let is = |found: &[&str]| GeneOverlap::new(&names(found), &model).unwrap().is_identity();
        assert!(is(&["a", "b"]));
        assert!(!is(&["b", "a"]) && !is(&["a"]) && !is(&["a", "b", "c"]));
    }
}
