use proptest::prelude::*;
use scvi::model::unwatched;
use scvi_kernels::Philox;

use super::*;

fn cells(n: u32, n_dimensions: u32) -> Vec<f32> {
    let noise = Philox::new(5);
    let coordinates = |cell| (0..n_dimensions).map(move |d| noise.normal_pair(0, 0, cell, d)[0]);
    (0..n).flat_map(|cell| coordinates(cell).map(|x| x as f32)).collect()
}

/// By sorting all distances.
fn sorted(embedding: Embedding, cell: usize, k: usize) -> Vec<(f32, u32)> {
    let squared = |other: usize| -> f32 {
        let pairs = embedding.row(cell).iter().zip(embedding.row(other));
        pairs.map(|(x, y)| (x - y) * (x - y)).sum()
    };
    let others = (0..embedding.n_cells()).filter(|&other| other != cell);
    let mut found: Vec<(f32, u32)> = others.map(|o| (squared(o).sqrt(), o as u32)).collect();
    found.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    found.truncate(k);
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn finds_what_sorting_finds(
        values in prop::collection::vec(-2i8..3, 0..1500),
        n_dimensions in 1usize..7,
        k in 1usize..40,
    ) {
        // whole numbers: many cells at the same distance
        let values: Vec<f32> = values.into_iter().map(f32::from).collect();
        let values = &values[..values.len() / n_dimensions * n_dimensions];
        let embedding = Embedding::new(values, n_dimensions).unwrap();
        let found = neighbors(embedding, k, &mut unwatched).unwrap();
        for cell in 0..embedding.n_cells() {
            let pairs = found.distances(cell).iter().copied().zip(found.indices(cell).iter().copied());
            prop_assert_eq!(pairs.collect::<Vec<_>>(), sorted(embedding, cell, k));
        }
    }
}

#[test]
fn the_tree_finds_what_every_pair_gives() {
    for n_dimensions in [1, 2, 10, 16] {
        let values = cells(3000, n_dimensions);
        let embedding = Embedding::new(&values, n_dimensions as usize).unwrap();
        let by_tree = search_all(&*tree(embedding).unwrap(), 3000, 15, &mut unwatched).unwrap();
        let by_pairs = search_all(&Blocks::new(embedding), 3000, 15, &mut unwatched).unwrap();
        assert_eq!(by_tree.indices, by_pairs.indices, "{n_dimensions} dimensions");
    }
    let values = cells(10, 17);
    assert!(tree(Embedding::new(&values, 17).unwrap()).is_none());
}

#[test]
fn the_tree_takes_cells_that_coincide() {
    let values = vec![1.0; 3000];
    let embedding = Embedding::new(&values, 3).unwrap();
    let Some(tree) = tree(embedding) else { return };
    let found = search_all(&*tree, 1000, 15, &mut unwatched).unwrap();
    for cell in 0..1000 {
        assert!(!found.indices(cell).contains(&(cell as u32)));
        assert!(found.distances(cell).iter().all(|&d| d == 0.0));
    }
}

#[test]
fn few_cells_have_all_others_as_neighbors() {
    for n in 0..4 {
        let values = cells(n, 3);
        let found = neighbors(Embedding::new(&values, 3).unwrap(), 15, &mut unwatched).unwrap();
        assert_eq!(found.k(), n.saturating_sub(1) as usize);
        assert_eq!(found.n_cells(), n as usize);
    }
}

#[test]
fn any_number_of_threads_finds_the_same() {
    let values = cells(2000, 8);
    let embedding = Embedding::new(&values, 8).unwrap();
    let with_threads = |n| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
        pool.install(|| neighbors(embedding, 15, &mut unwatched).unwrap())
    };
    assert_eq!(with_threads(1), with_threads(5));
}

#[test]
fn a_watcher_hears_of_all_cells_and_stops() {
    let values = cells(WAVE as u32 + 10, 1);
    let embedding = Embedding::new(&values, 1).unwrap();
    let mut heard = Vec::new();
    let mut watch = |progress: scvi::model::Progress| {
        heard.push((progress.done, progress.total));
        std::ops::ControlFlow::Continue(())
    };
    neighbors(embedding, 3, &mut watch).unwrap();
    assert_eq!(heard, [(WAVE, WAVE + 10), (WAVE + 10, WAVE + 10)]);
    let stopped = neighbors(embedding, 3, &mut |_| std::ops::ControlFlow::Break(()));
    assert!(matches!(stopped, Err(AnalysisError::Task(scvi::model::TaskError::Stopped))));
}
