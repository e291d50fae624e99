//! Recognising a data set.

use std::io;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Dataset;
use crate::module::Minibatch;

/// What tells one data set from another, without keeping it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fingerprint {
    /// Cells.
    pub n_cells: usize,
    /// Genes.
    pub n_genes: usize,
    /// SHA-256, in hexadecimal, of every count and covariate.
    pub sha256: String,
}

/// Cells hashed at a time: the partition must not depend on the number of threads.
const CHUNK: usize = 1024;

impl Dataset<'_> {
    /// Hashes every count and covariate, in the rayon pool of the caller.
    ///
    /// Reads all counts once.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn fingerprint(&self) -> io::Result<Fingerprint> {
        let cells: Vec<u32> = (0..self.n_cells() as u32).collect();
        let chunks = cells.par_chunks(CHUNK).map(|cells| self.hash(cells));
        let hash = chunks.collect::<io::Result<Vec<_>>>()?.concat();
        let sha256 = Sha256::digest(hash).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Fingerprint { n_cells: self.n_cells(), n_genes: self.n_genes(), sha256 })
    }

    fn hash(&self, cells: &[u32]) -> io::Result<[u8; 32]> {
        let mut batch = Minibatch::default();
        self.fill(cells, &mut batch)?;
        let mut hash = Sha256::new();
        // Lengths keep two lists apart.
        let rows = &batch.rows;
        let ends: Vec<u32> = rows.indptr.iter().map(|&end| end as u32).collect();
        for numbers in [&ends, &rows.genes, &batch.batch, &batch.labels, &batch.categories] {
            hash.update((numbers.len() as u64).to_le_bytes());
            numbers.iter().for_each(|number| hash.update(number.to_le_bytes()));
        }
        for numbers in [&rows.counts, &batch.continuous, &batch.size_factor] {
            hash.update((numbers.len() as u64).to_le_bytes());
            numbers.iter().for_each(|number| hash.update(number.to_le_bytes()));
        }
        Ok(hash.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::super::CsrMatrix;
    use super::*;

    fn counts(genes: [u32; 3], values: [f32; 3]) -> CsrMatrix {
        CsrMatrix::new(4, vec![0, 2, 3], genes.to_vec(), values.to_vec()).unwrap()
    }

    #[test]
    fn sees_every_count_gene_and_covariate() {
        let of = |counts: &CsrMatrix, batch: [u32; 2], size_factor: Option<f32>| {
            let mut data = Dataset::new(counts, batch.to_vec()).unwrap();
            if let Some(factor) = size_factor {
                data = data.with_size_factor(vec![factor; 2]).unwrap();
            }
            data.fingerprint().unwrap().sha256
        };
        let (genes, values) = ([0, 2, 3], [1.0, 2.0, 3.0]);
        let same = of(&counts(genes, values), [0, 1], None);
        assert_eq!(same, of(&counts(genes, values), [0, 1], None));
        assert_eq!(same.len(), 64);
        let others = [
            of(&counts(genes, [1.0, 2.0, 4.0]), [0, 1], None),
            of(&counts(genes, [2.0, 1.0, 3.0]), [0, 1], None),
            of(&counts([0, 1, 3], values), [0, 1], None),
            of(&counts(genes, values), [1, 0], None),
            of(&counts(genes, values), [0, 1], Some(1.0)),
            of(&counts(genes, values), [0, 1], Some(2.0)),
        ];
        for (i, other) in others.iter().enumerate() {
            assert_ne!(&same, other, "{i}");
            assert!(!others[..i].contains(other), "{i}");
        }
    }
}
