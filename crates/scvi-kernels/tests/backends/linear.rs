//! Products with weights.

use proptest::prelude::*;
use scvi_kernels::Backend;
use scvi_kernels::ops::embedding::{EmbeddingDims, EmbeddingGrad, MaxNorm};
use scvi_kernels::ops::linear::LinearDims;
use scvi_kernels::ops::one_hot::OneHotBeside;

use crate::common::{Case, Results};

fn linear<B: Backend>(b: &B, seed: u64, [cells, n_in, n_out]: [usize; 3]) -> Results {
    let mut case = Case::new(b, seed);
    let d = LinearDims { cells, n_in, n_out };
    let (x, dy, bias) = (case.normal(cells * n_in), case.normal(cells * n_out), case.normal(n_out));
    let (mut w, mut db) = (case.random_parameter(n_in * n_out), case.random_parameter(n_out));
    let (with_bias, accumulate) = (case.coin(), case.coin());
    // What is not accumulated must not be read.
    let mut to = |n| if accumulate { case.normal(n) } else { case.out(n) };
    let (mut y, mut dx) = (to(cells * n_out), to(cells * n_in));
    b.linear(&x, &w.value, with_bias.then_some(&bias), &mut y, d, accumulate);
    b.linear_grad_input(&dy, &w.value, &mut dx, d, accumulate);
    b.linear_grad_weight(&x, &dy, d, w.sink());
    b.bias_grad(&dy, d, db.sink());
    vec![
        ("y", case.read(&y, cells * n_out)),
        ("dx", case.read(&dx, cells * n_in)),
        ("weight", case.read_parameter(&w)),
        ("bias", case.read_parameter(&db)),
    ]
}

fn sparse_linear<B: Backend>(b: &B, seed: u64, [cells, genes, n_out]: [usize; 3]) -> Results {
    let mut case = Case::new(b, seed);
    let density = case.within(0.0, 0.6);
    let x = case.counts(cells, genes, density);
    let (dy, bias) = (case.normal(cells * n_out), case.normal(n_out));
    let mut w = case.random_parameter(genes * n_out);
    let with_bias = case.coin();
    let mut y = case.out(cells * n_out);
    b.sparse_linear(&x, &w.value, with_bias.then_some(&bias), &mut y, n_out);
    b.sparse_linear_grad(&x, &dy, n_out, w.sink());
    vec![("y", case.read(&y, cells * n_out)), ("weight", case.read_parameter(&w))]
}

/// `n_in` covariates, of 4 categories each.
fn one_hot<B: Backend>(b: &B, seed: u64, [cells, n_in, n_out]: [usize; 3]) -> Results {
    let mut case = Case::new(b, seed);
    let d = LinearDims { cells, n_in, n_out };
    let rows: Vec<u32> = (0..cells * n_in).map(|i| (i % n_in * 4 + case.below(4)) as u32).collect();
    let mut ids = b.ids(rows.len());
    b.upload_ids(&mut ids, &rows);
    let mut w = case.random_parameter(4 * n_in * n_out);
    let (mut y, dy) = (case.normal(cells * n_out), case.normal(cells * n_out));
    b.one_hot(&ids, &w.value, &mut y, d);
    b.one_hot_grad(&ids, &dy, d, w.sink());
    let beside = OneHotBeside { cells, n_in: n_out, per_cell: n_in, n_columns: 4 * n_in };
    let width = n_out + 4 * n_in;
    let (mut both, mut first) = (case.out(cells * width), case.out(cells * n_out));
    b.one_hot_beside(&y, &ids, &mut both, beside);
    b.first_columns(&both, &mut first, cells, [width, n_out]);
    vec![
        ("y", case.read(&y, cells * n_out)),
        ("weight", case.read_parameter(&w)),
        ("beside", case.read(&both, cells * width)),
        ("first", case.read(&first, cells * n_out)),
    ]
}

fn embedding<B: Backend>(b: &B, seed: u64, [cells, rows, dim]: [usize; 3]) -> Results {
    let mut case = Case::new(b, seed);
    let d = EmbeddingDims { rows, cells, dim };
    let ids = case.ids(cells, rows);
    let mut table = case.random_parameter(rows * dim);
    let norm_type = [1.0, 2.0, 3.5, f64::INFINITY][case.below(4)];
    let bound = MaxNorm { max_norm: case.within(0.2, 3.0), norm_type };
    let rule = EmbeddingGrad {
        padding_idx: case.coin().then(|| case.below(rows) as u32),
        scale_grad_by_freq: case.coin(),
        frozen_rows: case.below(rows) as u32,
    };
    let (mut out, d_out) = (case.out(cells * dim), case.normal(cells * dim));
    b.embedding_renorm(&mut table.value, &ids, d, bound);
    b.embedding(&ids, &table.value, &mut out, d);
    b.embedding_grad(&ids, &d_out, d, rule, table.sink());
    vec![("out", case.read(&out, cells * dim)), ("table", case.read_parameter(&table))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn dense_layers_agree(seed in any::<u64>(), dims in [1usize..150, 1usize..90, 1usize..90]) {
        hold_to_reference!(linear, seed, dims);
    }

    #[test]
    fn sparse_layers_agree(seed in any::<u64>(), dims in [1usize..90, 1usize..700, 1usize..40]) {
        hold_to_reference!(sparse_linear, seed, dims);
    }

    #[test]
    fn one_hot_layers_agree(seed in any::<u64>(), dims in [1usize..90, 1usize..4, 1usize..40]) {
        hold_to_reference!(one_hot, seed, dims);
    }

    #[test]
    fn embeddings_agree(seed in any::<u64>(), dims in [1usize..90, 1usize..9, 1usize..20]) {
        hold_to_reference!(embedding, seed, dims);
    }
}
