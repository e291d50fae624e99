//! The features of a 10x matrix, and which of them are genes.

use std::path::Path;

use super::error::InputError;
use super::unique_names::make_unique;
use crate::anndata::Column;

/// The feature type of genes in Cell Ranger 3 and later.
const GENE_EXPRESSION: &str = "Gene Expression";

/// By which of their two names genes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GeneNames {
    /// Symbols, such as `CD3E`, made unique.
    #[default]
    Symbol,
    /// Identifiers, such as `ENSG00000198851`.
    Id,
}

/// The table of features, a row each.
#[derive(Debug, Clone, Default)]
pub(super) struct Features {
    pub(super) ids: Vec<String>,
    pub(super) symbols: Vec<String>,
    /// None before Cell Ranger 3: all are genes.
    pub(super) types: Option<Vec<String>>,
    pub(super) genomes: Option<Vec<String>>,
}

/// The genes among features.
#[derive(Debug)]
pub(super) struct Genes {
    pub(super) names: Vec<String>,
    /// Columns of `var`, under scanpy's names.
    pub(super) var: Vec<(String, Column)>,
    /// Number among the genes of each feature that is one.
    pub(super) places: Vec<Option<u32>>,
    /// Features of each other type, and how many.
    pub(super) left_out: Vec<(String, usize)>,
}

impl Features {
    /// The genes, of one genome where that is named.
    pub(super) fn genes(
        &self,
        path: &Path,
        names: GeneNames,
        genome: Option<&str>,
    ) -> Result<Genes, InputError> {
        if let Some(genome) = genome {
            self.check_genome(path, genome)?;
        }
        let is_gene = |i: usize| self.types.as_ref().is_none_or(|t| t[i] == GENE_EXPRESSION);
        let is_of_genome =
            |i: usize| genome.is_none_or(|g| self.genomes.as_ref().is_none_or(|of| of[i] == g));
        let kept: Vec<usize> =
            (0..self.ids.len()).filter(|&i| is_gene(i) && is_of_genome(i)).collect();
        let mut places = vec![None; self.ids.len()];
        kept.iter().zip(0..).for_each(|(&feature, gene)| places[feature] = Some(gene));
        let left_out = self.others(is_gene);
        if kept.is_empty() {
            let types = left_out.iter().map(|(name, n)| format!("{n} x {name}")).collect();
            return Err(InputError::NoGenes { path: path.into(), types });
        }
        let pick = |of: &[String]| kept.iter().map(|&i| of[i].clone()).collect::<Vec<_>>();
        let texts = |of: &[String]| Column::Strings(pick(of).into_iter().map(Some).collect());
        let (mut names, other) = match names {
            GeneNames::Symbol => (pick(&self.symbols), ("gene_ids", texts(&self.ids))),
            GeneNames::Id => (pick(&self.ids), ("gene_symbols", texts(&self.symbols))),
        };
        make_unique(&mut names);
        let mut var = vec![(other.0.to_owned(), other.1)];
        for (key, column) in [("feature_types", &self.types), ("genome", &self.genomes)] {
            var.extend(column.as_ref().map(|column| (key.to_owned(), texts(column))));
        }
        Ok(Genes { names, var, places, left_out })
    }

    fn check_genome(&self, path: &Path, genome: &str) -> Result<(), InputError> {
        let mut genomes = self.genomes.clone().unwrap_or_default();
        genomes.sort_unstable();
        genomes.dedup();
        match genomes.iter().any(|known| known == genome) {
            true => Ok(()),
            false => {
                let (path, genome) = (path.into(), genome.into());
                Err(InputError::NoGenome { path, genome, genomes })
            }
        }
    }

    fn others(&self, is_gene: impl Fn(usize) -> bool) -> Vec<(String, usize)> {
        let mut counted: Vec<(String, usize)> = Vec::new();
        for (i, name) in self.types.iter().flatten().enumerate() {
            if is_gene(i) {
                continue;
            }
            match counted.iter_mut().find(|(known, _)| known == name) {
                Some((_, n)) => *n += 1,
                None => counted.push((name.clone(), 1)),
            }
        }
        counted
    }
}
