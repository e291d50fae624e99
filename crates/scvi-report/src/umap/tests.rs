use proptest::prelude::*;
use scvi::model::unwatched;
use scvi_kernels::Philox;

use super::*;
use crate::neighbors;

/// Cells of three clusters, far apart, one after the other.
fn clusters(n: u32, n_dimensions: u32) -> Vec<f32> {
    let noise = Philox::new(1);
    let coordinate = |cell: u32, d: u32| {
        let center = if d == cell % 3 { 10.0 } else { 0.0 };
        (center + noise.normal_pair(0, 0, cell, d)[0]) as f32
    };
    (0..n).flat_map(|cell| (0..n_dimensions).map(move |d| coordinate(cell, d))).collect()
}

fn picture(values: &[f32], n_dimensions: usize, options: &UmapOptions) -> Vec<[f32; 2]> {
    let embedding = Embedding::new(values, n_dimensions).unwrap();
    let found = neighbors(embedding, UmapOptions::N_OTHERS, &mut unwatched).unwrap();
    umap(embedding, &found, options, &mut unwatched).unwrap()
}

fn short() -> UmapOptions {
    UmapOptions { n_epochs: Some(50), ..UmapOptions::default() }
}

#[test]
fn clusters_stay_together() {
    let picture = picture(&clusters(300, 5), 5, &UmapOptions::default());
    let in_plane = Embedding::new(picture.as_flattened(), 2).unwrap();
    let found = neighbors(in_plane, 10, &mut unwatched).unwrap();
    for cell in 0..300 {
        assert!(found.indices(cell).iter().all(|&other| other as usize % 3 == cell % 3));
    }
}

#[test]
fn a_seed_gives_the_same_picture_for_any_number_of_threads() {
    let values = clusters(700, 4);
    let with_threads = |n| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
        pool.install(|| picture(&values, 4, &short()))
    };
    let one = with_threads(1);
    assert_eq!(one, with_threads(3));
    assert_eq!(one, with_threads(8));
    let other_seed = UmapOptions { seed: 1, ..short() };
    assert_ne!(one, picture(&values, 4, &other_seed));
}

#[test]
fn places_are_finite_for_hostile_cells() {
    let few = UmapOptions { n_epochs: Some(20), ..UmapOptions::default() };
    for values in [
        vec![],                                       // no cell
        vec![1.0; 3],                                 // one
        vec![1.0, 2.0, 3.0, -1.0, 0.0, 5.0],          // two
        vec![7.0; 300],                               // all at one place
        [vec![0.0; 297], vec![1e15; 3]].concat(),     // one far away
        (0..300).map(|i| 1e-30 * i as f32).collect(), // distances that vanish when squared
    ] {
        let picture = picture(&values, 3, &few);
        assert_eq!(picture.len(), values.len() / 3);
        assert!(picture.as_flattened().iter().all(|x| x.is_finite()), "{} values", values.len());
    }
}

#[test]
fn refuses_neighbors_of_other_cells() {
    let values = clusters(30, 2);
    let all = Embedding::new(&values, 2).unwrap();
    let found = neighbors(Embedding::new(&values[..40], 2).unwrap(), 5, &mut unwatched).unwrap();
    let error = umap(all, &found, &short(), &mut unwatched).unwrap_err();
    assert_eq!(error.to_string(), "20 lists of neighbors for 30 cells");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn the_graph_is_symmetric_with_weights_up_to_1(
        values in prop::collection::vec(-3.0f32..3.0, 0..200),
        k in 1usize..20,
    ) {
        // coarse, so that some cells coincide
        let values: Vec<f32> = values.iter().map(|v| v.round()).collect();
        let values = &values[..values.len() / 2 * 2];
        let embedding = Embedding::new(values, 2).unwrap();
        let graph = FuzzyGraph::new(&neighbors(embedding, k, &mut unwatched).unwrap());
        for cell in 0..graph.n_cells() {
            for (other, weight) in graph.edges(cell) {
                prop_assert!(weight > 0.0 && weight <= 1.0);
                let mut back = graph.edges(other as usize);
                prop_assert!(back.any(|(c, w)| c as usize == cell && w == weight));
            }
        }
    }
}
