use proptest::prelude::*;
use scvi::model::unwatched;

use super::*;
use crate::{Embedding, Neighbors, neighbors};

/// Cells whose measures scib-metrics was asked for: coordinates, labels and batches.
fn cells() -> (Vec<f32>, Categories, Categories) {
    let row = |i: u64| {
        [
            (i * 7919 % 101) as f64 / 25.0 + (i % 3 * 2) as f64,
            (i * 104_729 % 97) as f64 / 24.0,
            (i * 1_299_709 % 89) as f64 / 22.0 + (i % 2) as f64,
        ]
    };
    let values = (0..60).flat_map(row).map(|x| x as f32).collect();
    let modulo = |m| Categories::new(&(0u32..60).map(|i| i % m).collect::<Vec<u32>>());
    (values, modulo(3), modulo(2))
}

fn nearest(values: &[f32], n_dimensions: usize, k: usize) -> Neighbors {
    neighbors(Embedding::new(values, n_dimensions).unwrap(), k, &mut unwatched).unwrap()
}

fn assert_close(found: Option<f64>, expected: f64, what: &str) {
    let found = found.unwrap();
    // scib-metrics computes in single precision
    assert!((found - expected).abs() < 1e-4, "{what}: {found}, expected {expected}");
}

/// scib-metrics 0.5.10 with the neighbors in double precision; its counts include the cell itself.
#[test]
fn agrees_with_scib_metrics() {
    let (values, labels, batches) = cells();
    let k14 = nearest(&values, 3, 14);
    assert_close(ilisi_knn(&k14, &batches).unwrap(), 0.651_739_359, "iLISI");
    assert_close(clisi_knn(&k14, &labels).unwrap(), 0.710_227_907, "cLISI");
    assert_close(graph_connectivity(&k14, &labels).unwrap(), 1.0, "connectivity, 15");
    let k3 = k14.nearest(3);
    assert_close(graph_connectivity(&k3, &labels).unwrap(), 0.366_666_667, "connectivity, 4");
    assert_close(graph_connectivity(&k3, &batches).unwrap(), 0.15, "connectivity of batches");
    let embedding = Embedding::new(&values, 3).unwrap();
    assert_close(silhouette_label(embedding, &labels, 0).unwrap(), 0.543_620_229, "by label");
    let by_batch = silhouette_batch(embedding, &labels, &batches, 0).unwrap();
    assert_close(by_batch, 0.914_669_514, "by batch");
    let lisi = lisi_knn(&k14, &labels).unwrap();
    for (found, expected) in lisi.into_iter().zip([1.084_956, 1.820_739, 1.029_543, 1.460_514]) {
        assert_close(Some(found), expected, "LISI");
    }
}

#[test]
fn one_category_has_no_measure_of_mixing() {
    let (values, labels, _) = cells();
    let one = Categories::new(&[7; 60]);
    let k14 = nearest(&values, 3, 14);
    let embedding = Embedding::new(&values, 3).unwrap();
    assert_eq!(ilisi_knn(&k14, &one).unwrap(), None);
    assert_eq!(clisi_knn(&k14, &one).unwrap(), None);
    assert_eq!(silhouette_label(embedding, &one, 0).unwrap(), None);
    assert_eq!(silhouette_batch(embedding, &labels, &one, 0).unwrap(), None);
    assert_eq!(knn_purity(&k14, &one).unwrap(), Some(1.0));
    assert!(knn_purity(&k14, &Categories::new(&[0; 59])).is_err());
}

#[test]
fn purity_is_the_share_of_neighbors_with_the_same_label() {
    let k2 = nearest(&[0.0, 1.0, 2.0, 10.0, 11.0, 12.5], 1, 2);
    let labels = Categories::new(&[0, 0, 1, 1, 1, 1]);
    // of 0: 1, 2; of 1: 0, 2; of 2: 1, 0; of each of the others: the other two
    assert_eq!(knn_purity(&k2, &labels).unwrap(), Some((1 + 1 + 6) as f64 / 12.0));
}

#[test]
fn a_sample_holds_every_category_by_its_share() {
    let codes: Vec<u32> = (0..1000).map(|i| u32::from(i % 10 == 0)).collect();
    let categories = Categories::new(&codes);
    let sample = stratified(&categories, 100, 3);
    assert!(sample.is_sorted_by(|a, b| a < b));
    assert_eq!(sample.len(), 100);
    assert_eq!(sample.iter().filter(|&&cell| codes[cell as usize] == 1).count(), 10);
    assert_ne!(sample, stratified(&categories, 100, 4));
    assert_eq!(stratified(&categories, 2000, 3), (0..1000).collect::<Vec<u32>>());
}

#[test]
fn any_number_of_threads_measures_the_same() {
    let (values, labels, batches) = cells();
    let measure = |n| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
        pool.install(|| {
            let embedding = Embedding::new(&values, 3).unwrap();
            let lisi = lisi_knn(&nearest(&values, 3, 14), &labels).unwrap();
            (lisi, silhouette_batch(embedding, &labels, &batches, 0).unwrap())
        })
    };
    assert_eq!(measure(1), measure(6));
}

proptest! {
    #[test]
    fn measures_of_hostile_cells_lie_in_their_range(
        values in prop::collection::vec(-1i8..2, 0..120),
        codes in prop::collection::vec((0u32..4, 0u32..3), 60),
        k in 0usize..20,
    ) {
        let values: Vec<f32> = values.into_iter().map(f32::from).collect();
        let values = &values[..values.len() / 2 * 2];
        let n = values.len() / 2;
        let labels = Categories::new(&codes[..n].iter().map(|c| c.0).collect::<Vec<_>>());
        let batches = Categories::new(&codes[..n].iter().map(|c| c.1).collect::<Vec<_>>());
        let embedding = Embedding::new(values, 2).unwrap();
        let found = nearest(values, 2, k);
        for measure in [
            graph_connectivity(&found, &labels),
            knn_purity(&found, &labels),
            silhouette_label(embedding, &labels, 0),
            silhouette_batch(embedding, &labels, &batches, 0),
        ] {
            prop_assert!(measure.unwrap().is_none_or(|m| (0.0..=1.0).contains(&m)));
        }
        for lisi in lisi_knn(&found, &labels).unwrap() {
            prop_assert!(!lisi.is_nan());
        }
    }
}
