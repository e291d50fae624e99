//! Genes chosen from counts, against scanpy.

use std::path::Path;

use safetensors::{SafeTensors, tensor::TensorView};
use scvi::data::CsrMatrix;
use scvi::preprocess::{GeneSelectionError, HighlyVariable, seurat_v3};

const N_TOP_GENES: usize = 60;

struct Fixture(Vec<u8>);

impl Fixture {
    fn read() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reference/fixtures_genes");
        Self(std::fs::read(folder.join("seurat_v3.safetensors")).unwrap())
    }

    fn numbers(&self, name: &str) -> Vec<f64> {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let view: TensorView = file.tensor(name).unwrap();
        let data = view.data();
        match view.dtype() {
            safetensors::Dtype::F32 => data
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes(b.try_into().unwrap()).into())
                .collect(),
            safetensors::Dtype::I64 => data
                .chunks_exact(8)
                .map(|b| i64::from_le_bytes(b.try_into().unwrap()) as f64)
                .collect(),
            _ => data.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect(),
        }
    }

    fn counts(&self) -> CsrMatrix {
        let (x, n_cells) = (self.numbers("x"), self.numbers("batch").len());
        let n_genes = x.len() / n_cells;
        let (mut indptr, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
        for row in x.chunks_exact(n_genes) {
            let stored = row.iter().enumerate().filter(|(_, v)| **v != 0.0);
            for (gene, &value) in stored {
                indices.push(gene as u32);
                values.push(value as f32);
            }
            indptr.push(values.len() as u64);
        }
        CsrMatrix::new(n_genes, indptr, indices, values).unwrap()
    }
}

/// Chooses genes reading blocks of so many cells.
fn choose(counts: &CsrMatrix, batches: &[u32], block: usize) -> HighlyVariable {
    let mut pass = |f: &mut dyn FnMut(usize, &CsrMatrix)| -> Result<(), GeneSelectionError> {
        for first in (0..counts.n_cells()).step_by(block) {
            let cells: Vec<usize> = (first..counts.n_cells().min(first + block)).collect();
            f(first, &counts.select_cells(&cells));
        }
        Ok(())
    };
    seurat_v3(counts.n_genes(), batches, N_TOP_GENES, &mut pass).unwrap()
}

#[test]
fn genes_are_those_of_scanpy() {
    let fixture = Fixture::read();
    let counts = fixture.counts();
    let batch: Vec<u32> = fixture.numbers("batch").iter().map(|&b| b as u32).collect();
    for (name, batches) in [("one", vec![0; batch.len()]), ("batches", batch)] {
        let found = choose(&counts, &batches, 150);
        let want = |column: &str| fixture.numbers(&format!("{name}/{column}"));
        let near = |found: &[f64], column: &str, allowed: f64| {
            for (gene, (found, want)) in found.iter().zip(want(column)).enumerate() {
                let is_near = (found - want).abs() <= allowed * want.abs().max(1e-3);
                assert!(is_near, "{name}, {column} of gene {gene}: {found}, not {want}");
            }
        };
        near(&found.means, "means", 1e-6);
        near(&found.variances, "variances", 1e-5);
        // Where genes share a mean, dloess divides them in another way; real counts have few of them.
        near(&found.variances_norm, "variances_norm", 5e-2);
        let want: Vec<usize> =
            (0..counts.n_genes()).filter(|&gene| want("highly_variable")[gene] != 0.0).collect();
        let chosen = found.chosen();
        assert_eq!(chosen.len(), N_TOP_GENES);
        let shared = chosen.iter().filter(|gene| want.contains(gene)).count();
        assert!(shared >= N_TOP_GENES - 2, "{name}: {shared} of {N_TOP_GENES} genes");
    }
}

#[test]
fn blocks_do_not_show() {
    let fixture = Fixture::read();
    let counts = fixture.counts();
    let batches: Vec<u32> = (0..counts.n_cells() as u32).map(|cell| cell % 2).collect();
    let whole = choose(&counts, &batches, 150);
    let blocks = choose(&counts, &batches, 7);
    assert_eq!(format!("{whole:?}"), format!("{blocks:?}"));
}

#[test]
fn what_is_too_small_is_named() {
    let counts = CsrMatrix::new(2, vec![0, 1, 2], vec![0, 1], vec![1.0, 2.0]).unwrap();
    let choose = |batches: &[u32]| {
        let mut pass = |f: &mut dyn FnMut(usize, &CsrMatrix)| -> Result<(), GeneSelectionError> {
            f(0, &counts);
            Ok(())
        };
        seurat_v3(2, batches, 1, &mut pass).unwrap_err()
    };
    assert_eq!(choose(&[0, 0]), GeneSelectionError::FewGenes { batch: 0, n_genes: 2 });
    assert_eq!(choose(&[0, 1]), GeneSelectionError::FewCells { batch: 0, n_cells: 1 });
}
