//! The data that all saves share.

use std::collections::BTreeMap;

use scvi::data::{CsrMatrix, Dataset};
use scvi_io::SavedModel;

use super::{folder, tensors};

/// Cells of the data.
pub const CELLS: usize = 60;
/// Genes of the data.
pub const GENES: usize = 20;

/// The data that all saves share, by name.
pub struct Input(pub BTreeMap<String, (Vec<usize>, Vec<f64>)>);

impl Input {
    /// Reads them.
    pub fn read() -> Self {
        Self(tensors(&folder("input.safetensors")))
    }

    /// A column of codes.
    pub fn codes(&self, name: &str) -> Vec<u32> {
        self.0[name].1.iter().map(|&code| code as u32).collect()
    }

    /// A column, or matrix, of numbers.
    pub fn numbers(&self, name: &str) -> Vec<f32> {
        self.0[name].1.iter().map(|&x| x as f32).collect()
    }

    /// The counts.
    pub fn counts(&self) -> CsrMatrix {
        let (mut indptr, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
        for row in self.numbers("x").chunks(GENES) {
            for (gene, &count) in row.iter().enumerate().filter(|(_, count)| **count > 0.0) {
                indices.push(gene as u32);
                values.push(count);
            }
            indptr.push(values.len() as u64);
        }
        CsrMatrix::new(GENES, indptr, indices, values).unwrap()
    }

    /// The columns that a model reads, of all cells.
    pub fn dataset<'a>(&self, model: &SavedModel, counts: &'a CsrMatrix) -> Dataset<'a> {
        let registry = &model.meta.registry;
        let batch = registry.batch.as_ref().map_or(vec![0; CELLS], |f| self.codes(&f.key));
        let mut data = Dataset::new(counts, batch).unwrap();
        if let Some(field) = &registry.labels {
            data = data.with_labels(self.codes(&field.key)).unwrap();
        }
        if let Some(key) = &registry.size_factor {
            data = data.with_size_factor(self.numbers(key)).unwrap();
        }
        let covariates = &registry.categorical_covariates;
        let codes: Vec<_> = covariates.iter().map(|f| self.codes(&f.key)).collect();
        let numbers: Vec<_> =
            registry.continuous_covariates.iter().map(|key| self.numbers(key)).collect();
        let data = data.with_categories(by_cell(&codes), codes.len()).unwrap();
        data.with_continuous(by_cell(&numbers), numbers.len()).unwrap()
    }
}

fn by_cell<T: Copy>(lists: &[Vec<T>]) -> Vec<T> {
    let cells = lists.first().map_or(0, Vec::len);
    (0..cells).flat_map(|cell| lists.iter().map(move |list| list[cell])).collect()
}
