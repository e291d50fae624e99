//! Embeddings by key, as `EmbeddingModuleMixin` offers them.

use scvi::module::{BatchRepresentation, EmbeddingKwargs, VaeConfig};
use scvi::nn::{EmbeddingError, NewRows};

use crate::model;

fn config() -> VaeConfig {
    VaeConfig {
        n_input: 5,
        n_batch: 3,
        batch_representation: BatchRepresentation::Embedding,
        batch_embedding_kwargs: EmbeddingKwargs { embedding_dim: 2, ..EmbeddingKwargs::default() },
        ..VaeConfig::default()
    }
}

#[test]
fn are_added_found_and_removed_by_key() {
    let mut vae = model(&config());
    let kwargs = EmbeddingKwargs { embedding_dim: 4, ..EmbeddingKwargs::default() };
    let new = |vae: &scvi::module::Vae<scvi::Cpu>, seed| vae.init_embedding(6, &kwargs, seed);
    let site = new(&vae, 1).unwrap();
    vae.add_embedding("site", site, false).unwrap();
    assert_eq!(vae.embedding("site").map(|e| (e.rows(), e.dim())), Ok((6, 4)));
    let first = vae.compute_embedding("site", &[5, 0, 5]).unwrap();
    assert_eq!((first.len(), &first[..4]), (12, &first[8..]));

    let other = new(&vae, 2).unwrap();
    let taken = vae.add_embedding("site", other, false).unwrap_err();
    assert_eq!(taken, EmbeddingError::Exists { key: "site".to_owned() });
    let other = new(&vae, 2).unwrap();
    vae.add_embedding("site", other, true).unwrap();
    assert_ne!(vae.compute_embedding("site", &[5]).unwrap(), first[..4]);
    assert!(vae.state_dict().contains_key("_embeddings_dict.site.weight"));

    vae.remove_embedding("site").unwrap();
    let error = vae.embedding("site").err().unwrap().to_string();
    assert!(error.contains("\"site\" not found; there are batch"), "{error}");
    assert!(vae.remove_embedding("site").is_err());
    assert!(vae.compute_embedding("site", &[0]).is_err());
}

#[test]
fn what_the_model_reads_stays() {
    let mut vae = model(&config());
    let needed = EmbeddingError::Needed { rows: 3, dim: 2 };
    assert_eq!(vae.remove_embedding("batch").err(), Some(needed.clone()));
    let narrow = vae.init_embedding(3, &EmbeddingKwargs::default(), 0).unwrap();
    assert_eq!(vae.add_embedding("batch", narrow, true), Err(needed));
    let row = vae.compute_embedding("batch", &[3]).unwrap_err();
    assert_eq!(row, EmbeddingError::Row { found: 3, rows: 3 });
    assert!(
        vae.init_embedding(3, &EmbeddingKwargs { embedding_dim: 0, ..Default::default() }, 0)
            .is_err()
    );
}

#[test]
fn new_rows_are_copies_or_random() {
    let mut vae = model(&config());
    let before = vae.compute_embedding("batch", &[0, 1, 2]).unwrap();
    vae.extend_embedding("batch", NewRows::CopiesOf(&[2, 0]), true).unwrap();
    vae.extend_embedding("batch", NewRows::Random { n: 2, seed: 9 }, true).unwrap();
    let after = vae.compute_embedding("batch", &[0, 1, 2, 3, 4, 5, 6]).unwrap();
    assert_eq!(after[..6], before);
    assert_eq!((&after[6..8], &after[8..10]), (&before[4..6], &before[0..2]));
    assert!(after[10..12] != after[12..14] && after[10..].iter().all(|v| v.is_finite()));
    let none = vae.extend_embedding("batch", NewRows::CopiesOf(&[]), true);
    assert_eq!(none, Err(EmbeddingError::NoNewRows));
    let beyond = vae.extend_embedding("batch", NewRows::CopiesOf(&[7]), true);
    assert_eq!(beyond, Err(EmbeddingError::Row { found: 7, rows: 7 }));
    assert!(vae.extend_embedding("site", NewRows::CopiesOf(&[0]), true).is_err());
}

#[test]
fn earlier_rows_are_frozen_where_asked() {
    use scvi::module::{Minibatch, Noise};
    for freeze_prev in [true, false] {
        let mut vae = model(&config());
        vae.extend_embedding("batch", NewRows::Random { n: 1, seed: 1 }, freeze_prev).unwrap();
        let mut batch = Minibatch::default();
        batch.rows.clear();
        for cell in 0..8 {
            batch.rows.push(&[cell % 5], &[1.0 + cell as f32]);
        }
        batch.cells = (0..8).collect();
        batch.batch = (0..8).map(|cell| cell % 3).collect();
        let mut ws = vae.workspace(8, 8, true);
        ws.load(vae.backend(), &batch);
        vae.compute_gradients(&mut ws, Noise::Seeded { seed: 0, draw: 0 }, 1.0);
        let gradient = &vae.gradients()["_embeddings_dict.batch.weight"];
        assert_eq!(gradient.shape, [4, 2]);
        assert_eq!(gradient.data[..6].iter().all(|&g| g == 0.0), freeze_prev);
        assert!(gradient.data[6..].iter().all(|&g| g == 0.0), "no cell is of the new batch");
    }
}

/// A model of the configuration with the embeddings that it does not describe, and its tensors,
/// is the model: its frozen rows get no gradient either.
#[test]
fn those_beside_the_configuration_are_made_again() {
    let mut vae = model(&config());
    assert_eq!(vae.added_embeddings(), []);
    let kwargs = EmbeddingKwargs {
        embedding_dim: 4,
        padding_idx: Some(1),
        max_norm: Some(0.5),
        norm_type: 1.0,
        scale_grad_by_freq: true,
        sparse: false,
    };
    let site = vae.init_embedding(3, &kwargs, 1).unwrap();
    vae.add_embedding("site", site, false).unwrap();
    vae.extend_embedding("batch", NewRows::Random { n: 2, seed: 1 }, true).unwrap();
    let added = vae.added_embeddings();
    assert_eq!(added.len(), 2);
    assert_eq!((added[0].rows, added[0].frozen_rows), (5, 3));
    assert_eq!((&added[1].key[..], &added[1].kwargs), ("site", &kwargs));

    let mut again = model(&config());
    again.add_embeddings(added.clone()).unwrap();
    again.load_state_dict(vae.state_dict()).unwrap();
    assert_eq!(again.added_embeddings(), added);
    assert_eq!(again.state_dict(), vae.state_dict());
    let vectors = |vae: &scvi::module::Vae<_>| vae.compute_embedding("site", &[0, 1, 2]).unwrap();
    assert_eq!(vectors(&again), vectors(&vae));
    let narrow = scvi::module::AddedEmbedding { key: "batch".to_owned(), ..added[1].clone() };
    assert!(matches!(again.add_embeddings([narrow]), Err(EmbeddingError::Needed { .. })));
}
