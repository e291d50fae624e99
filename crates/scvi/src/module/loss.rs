//! The loss of a minibatch as a list of named terms.

/// Where a term of a loss is counted, in scvi-tools' `LossOutput`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LossPart {
    /// `reconstruction_loss`.
    Reconstruction,
    /// `kl_local`.
    KlLocal,
    /// Only in the loss, as that of a classifier.
    Other,
}

/// One term, in nats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LossTerm {
    /// Its name, as scvi-tools' where it has one.
    pub name: &'static str,
    /// Where it is counted.
    pub part: LossPart,
    /// Its factor in the loss.
    pub weight: f64,
    /// Its sum over the cells of the minibatch.
    pub sum: f64,
}

/// The loss of a minibatch.
#[derive(Debug, Clone, PartialEq)]
pub struct Loss {
    /// Cells of the minibatch.
    pub n_cells: usize,
    /// What the loss is the weighted sum of.
    pub terms: Vec<LossTerm>,
    /// What else is put on record of the minibatch, by scvi-tools' names.
    pub metrics: Vec<(&'static str, f64)>,
}

impl Loss {
    /// The weighted sum of all terms; the loss is this divided by the number of cells.
    pub fn sum(&self) -> f64 {
        self.terms.iter().fold(0.0, |sum, term| sum + term.weight * term.sum)
    }

    /// -Σ ln p(x | z), and what else belongs to the reconstruction.
    pub fn reconstruction_loss(&self) -> f64 {
        self.part(LossPart::Reconstruction)
    }

    /// All divergences of local variables, unweighted.
    pub fn kl_local(&self) -> f64 {
        self.part(LossPart::KlLocal)
    }

    /// Whether every term is finite.
    pub fn is_finite(&self) -> bool {
        self.terms.iter().all(|term| term.sum.is_finite())
    }

    fn part(&self, part: LossPart) -> f64 {
        let terms = self.terms.iter().filter(|term| term.part == part);
        terms.fold(0.0, |sum, term| sum + term.sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_weighted_in_the_loss_and_not_in_their_parts() {
        let term = |part, weight, sum| LossTerm { name: "", part, weight, sum };
        let terms = vec![
            term(LossPart::Reconstruction, 1.0, 8.0),
            term(LossPart::KlLocal, 0.5, 4.0),
            term(LossPart::KlLocal, 1.0, 1.0),
            term(LossPart::Other, 50.0, 0.5),
        ];
        let mut loss = Loss { n_cells: 2, terms, metrics: Vec::new() };
        assert_eq!((loss.sum(), loss.reconstruction_loss(), loss.kl_local()), (36.0, 8.0, 5.0));
        assert!(loss.is_finite());
        loss.terms[3].sum = f64::NAN;
        assert!(!loss.is_finite());
    }
}
