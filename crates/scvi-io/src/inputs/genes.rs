//! Genes of several samples in the columns of one matrix.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::error::InputError;
use super::sample::Sample;
use crate::anndata::Column;

/// Which genes the joined matrix has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Join {
    /// Those that all samples have.
    #[default]
    Inner,
    /// Those that any sample has; counts are 0 where a sample lacks a gene.
    Outer,
}

/// Below this share of its genes a sample is taken to name genes in another way.
const FEW_SHARED: f64 = 0.2;

/// The genes of the joined matrix, and where each sample's are.
pub(super) struct AlignedGenes {
    pub(super) names: Vec<String>,
    /// Of each sample: column of each gene.
    pub(super) columns: Vec<Vec<Option<u32>>>,
    pub(super) var: Vec<(String, Column)>,
}

/// Aligns genes by name, in anndata's order: of an inner join that of the first sample, of an outer
/// one the alphabet's, unless all samples have the same genes in the same order.
///
/// Source: anndata 0.12, `_core/merge.py`, `merge_indices`; pandas 2.3, `Index.union`,
/// `Index.intersection`.
pub(super) fn align(samples: &[Sample], join: Join) -> Result<AlignedGenes, InputError> {
    let first = &samples[0];
    let is_same = samples.iter().all(|sample| sample.var_names == first.var_names);
    if !is_same {
        samples.iter().try_for_each(check_unique)?;
        samples[1..].iter().try_for_each(|sample| check_shared(first, sample))?;
    }
    let names: Vec<String> = match join {
        _ if is_same => first.var_names.clone(),
        Join::Inner => {
            let others: Vec<HashSet<&str>> = samples[1..].iter().map(names_of).collect();
            let in_all = |name: &&String| others.iter().all(|other| other.contains(name.as_str()));
            first.var_names.iter().filter(in_all).cloned().collect()
        }
        Join::Outer => {
            let all: BTreeSet<&String> = samples.iter().flat_map(|s| &s.var_names).collect();
            all.into_iter().cloned().collect()
        }
    };
    let columns = match is_same {
        true => vec![(0..).take(names.len()).map(Some).collect(); samples.len()],
        false => {
            let column: HashMap<&str, u32> =
                names.iter().zip(0..).map(|(name, column)| (name.as_str(), column)).collect();
            let of = |sample: &Sample| {
                sample.var_names.iter().map(|name| column.get(name.as_str()).copied()).collect()
            };
            samples.iter().map(of).collect()
        }
    };
    let var = common_columns(samples, &names, &columns);
    Ok(AlignedGenes { names, columns, var })
}

fn names_of(sample: &Sample) -> HashSet<&str> {
    sample.var_names.iter().map(String::as_str).collect()
}

fn check_unique(sample: &Sample) -> Result<(), InputError> {
    let mut times: HashMap<&str, usize> = HashMap::new();
    sample.var_names.iter().for_each(|name| *times.entry(name).or_default() += 1);
    match sample.var_names.iter().find(|name| times[name.as_str()] > 1) {
        None => Ok(()),
        Some(gene) => Err(InputError::DuplicateGene {
            path: sample.path.clone(),
            gene: gene.clone(),
            found: times[gene.as_str()],
        }),
    }
}

fn check_shared(first: &Sample, second: &Sample) -> Result<(), InputError> {
    let known = names_of(first);
    let n_shared = second.var_names.iter().filter(|name| known.contains(name.as_str())).count();
    let fewer = first.var_names.len().min(second.var_names.len());
    if n_shared > 0 && n_shared as f64 >= FEW_SHARED * fewer as f64 {
        return Ok(());
    }
    // Names that only one of them has tell the two ways apart.
    let only = |sample: &Sample, other: &HashSet<&str>| -> Vec<String> {
        let names = sample.var_names.iter().filter(|name| !other.contains(name.as_str()));
        names.take(3).cloned().collect()
    };
    Err(InputError::FewSharedGenes {
        first: first.path.clone(),
        second: second.path.clone(),
        n_shared,
        of_first: only(first, &names_of(second)),
        of_second: only(second, &known),
    })
}

/// Columns of `var` that samples agree on, gene by gene, as far as they have them.
fn common_columns(
    samples: &[Sample],
    names: &[String],
    columns: &[Vec<Option<u32>>],
) -> Vec<(String, Column)> {
    if let [only] = samples {
        return only.var.clone();
    }
    let mut common = Vec::new();
    for (key, _) in &samples[0].var {
        let mut values: Vec<Option<String>> = vec![None; names.len()];
        let mut agree = true;
        for (sample, columns) in samples.iter().zip(columns) {
            let Some((_, column)) = sample.var.iter().find(|(other, _)| other == key) else {
                agree = false;
                break;
            };
            for (gene, place) in columns.iter().enumerate() {
                let (Some(place), Some(label)) = (place, column.label(gene)) else { continue };
                match &mut values[*place as usize] {
                    Some(known) => agree &= *known == label,
                    none => *none = Some(label),
                }
            }
        }
        if agree {
            common.push((key.clone(), Column::Strings(values)));
        }
    }
    common
}
