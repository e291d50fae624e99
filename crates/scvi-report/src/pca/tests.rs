use nalgebra::{DMatrix, SymmetricEigen};
use scvi::data::CsrMatrix;
use scvi::model::unwatched;

use super::*;

/// Counts of three kinds of cells, most of them zero.
fn counts(n_cells: u32, n_genes: u32) -> CsrMatrix {
    let count = |cell: u32, gene: u32| {
        let noise = cell.wrapping_mul(2_654_435_761).wrapping_add(gene.wrapping_mul(40_503)) >> 7;
        let marker = if gene % 3 == cell % 3 { 9 } else { 2 };
        ((noise % 13) * marker / 12) as f32
    };
    let (mut indptr, mut genes, mut values) = (vec![0], Vec::new(), Vec::new());
    for cell in 0..n_cells {
        for gene in 0..n_genes {
            if count(cell, gene) > 0.0 {
                genes.push(gene);
                values.push(count(cell, gene));
            }
        }
        indptr.push(values.len() as u64);
    }
    CsrMatrix::new(n_genes as usize, indptr, genes, values).unwrap()
}

fn all(counts: &CsrMatrix) -> Vec<u32> {
    (0..counts.n_cells() as u32).collect()
}

/// Eigenvalues of the covariance of log counts, the largest first.
fn dense_variances(counts: &CsrMatrix, genes: &[u32]) -> Vec<f64> {
    let n = counts.n_cells();
    let mut x = DMatrix::<f64>::zeros(n, genes.len());
    for cell in 0..n {
        let (in_row, values) = counts.row(cell);
        let total: f32 = values.iter().sum();
        for (gene, value) in in_row.iter().zip(values) {
            if let Some(column) = genes.iter().position(|g| g == gene) {
                x[(cell, column)] = f64::from(value / total * 1e4).ln_1p();
            }
        }
    }
    let mean = x.row_mean();
    x.row_iter_mut().for_each(|mut row| row -= &mean);
    let covariance = x.tr_mul(&x) / (n - 1) as f64;
    let mut values: Vec<f64> =
        SymmetricEigen::new(covariance).eigenvalues.iter().copied().collect();
    values.sort_by(|a, b| b.total_cmp(a));
    values
}

#[test]
fn variances_are_the_eigenvalues_of_the_covariance() {
    let counts = counts(200, 60);
    let chosen: Vec<u32> = (0..60).filter(|g| g % 4 != 1).rev().collect();
    for genes in [None, Some(&chosen[..])] {
        let options = PcaOptions { n_components: 10, ..PcaOptions::default() };
        let found = pca(&counts, &all(&counts), genes, &options, &mut unwatched).unwrap();
        let everything: Vec<u32> = (0..60).collect();
        let expected = dense_variances(&counts, genes.unwrap_or(&everything));
        for (found, expected) in found.variances.iter().zip(&expected).take(4) {
            assert!((found / expected - 1.0).abs() < 1e-3, "{found}, expected {expected}");
        }
        let total: f64 = expected.iter().sum();
        assert!((found.total_variance / total - 1.0).abs() < 1e-5);
        // The scores have these variances.
        for k in 0..10 {
            let scores = found.scores.iter().skip(k).step_by(10).map(|&x| f64::from(x));
            let variance = scores.map(|x| x * x).sum::<f64>() / 199.0;
            assert!((variance / found.variances[k] - 1.0).abs() < 1e-4);
        }
    }
}

#[test]
fn any_number_of_threads_finds_the_same() {
    let counts = counts(100, 40);
    let with_threads = |n| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
        let options = PcaOptions::default();
        pool.install(|| pca(&counts, &all(&counts), None, &options, &mut unwatched).unwrap())
    };
    assert_eq!(with_threads(1), with_threads(4));
}

#[test]
fn few_or_empty_cells_have_finite_scores() {
    let empty = CsrMatrix::new(5, vec![0; 4], vec![], vec![]).unwrap();
    for (counts, cells) in [(&empty, vec![0, 1, 2]), (&counts(3, 4), vec![1]), (&empty, vec![])] {
        let found = pca(counts, &cells, None, &PcaOptions::default(), &mut unwatched).unwrap();
        assert_eq!(found.scores.len(), cells.len() * found.n_components);
        assert!(found.scores.iter().all(|x| x.is_finite()));
    }
    let error = pca(&empty, &[3], None, &PcaOptions::default(), &mut unwatched).unwrap_err();
    assert_eq!(error.to_string(), "cell is 3, expected a number below their count");
}
