use super::{EmbeddingDims, EmbeddingGrad, MaxNorm};
use crate::testing::{
    Draw, Mode, Parameter, assert_near, buf, cast, check_gradient, check_sinks, dot, full,
};
use crate::{Cpu, LinearOps};

// One small case, whose results are those of `torch.nn.Embedding`, torch 2.15, f64. Row 1 is above
// every bound, but no cell names it.
const DIMS: EmbeddingDims = EmbeddingDims { rows: 4, cells: 5, dim: 3 };
const TABLE: [f64; 12] = [0.3, -0.2, 0.1, 4.0, 3.0, 0.0, 1.0, -2.0, 2.0, -0.5, 1.25, -1.0];
const IDS: [u32; 5] = [2, 0, 2, 3, 2];
const D_OUT: [f64; 15] =
    [1.0, 2.0, 3.0, -1.0, 0.5, 2.0, 0.25, -4.0, 1.0, 3.0, 1.0, -2.0, 2.0, 2.0, -0.5];

#[test]
fn bounds_the_norms_of_named_rows_as_torch_does() {
    #[rustfmt::skip]
    let torch = [
        (1.5, 2.0, [0.4999999833333339, -0.9999999666666678, 0.9999999666666678,
                    -0.44721356883329283, 1.118033922083232, -0.8944271376665857]),
        (1.5, 1.0, [0.2999999940000001, -0.5999999880000002, 0.5999999880000002,
                    -0.2727272628099177, 0.6818181570247943, -0.5454545256198354]),
        (1.0, 3.0, [0.3889111036076351, -0.7778222072152702, 0.7778222072152702,
                    -0.3437224434362228, 0.8593061085905571, -0.6874448868724456]),
        (1.0, f64::INFINITY, [0.4999999750000013, -0.9999999500000026, 0.9999999500000026,
                              -0.39999996800000254, 0.9999999200000064, -0.7999999360000051]),
    ];
    for (max_norm, norm_type, want) in torch {
        let mut table = buf(&TABLE);
        let bound = MaxNorm { max_norm, norm_type };
        Cpu::new().embedding_renorm(&mut table, &IDS.to_vec(), DIMS, bound);
        assert_eq!(table[..6], TABLE[..6], "rows below the bound, and unnamed");
        assert_near(&format!("{bound:?}"), &table[6..], &want, 1e-15);
    }
}

#[test]
fn a_row_named_often_is_scaled_once() {
    // In f32 the scaled row's norm may again be above the bound.
    for seed in 0..50 {
        let row: Vec<f32> = Draw::new(seed).normal(5).iter().map(|v| 1e4 * *v as f32).collect();
        let [once, often] = [1, 7].map(|cells| {
            let d = EmbeddingDims { rows: 1, cells, dim: 5 };
            let mut table = buf(&row);
            let bound = MaxNorm { max_norm: 1.0, norm_type: 2.0 };
            Cpu::new().embedding_renorm(&mut table, &vec![0; cells], d, bound);
            table
        });
        assert_eq!(once, often);
        let norm = once.iter().map(|v| v * v).sum::<f32>().sqrt();
        assert!((norm - 1.0).abs() < 1e-6);
    }
}

#[test]
fn cells_get_the_rows_they_name() {
    let mut out = full(15, f64::NAN);
    out.push(9.0);
    Cpu::new().embedding(&IDS.to_vec(), &buf(&TABLE), &mut out, DIMS);
    assert_eq!(out.pop(), Some(9.0), "what lies beyond the minibatch is left alone");
    let want: Vec<f64> =
        IDS.iter().flat_map(|&id| &TABLE[id as usize * 3..][..3]).copied().collect();
    assert_eq!(out[..], want);
}

#[test]
fn gradients_are_torchs() {
    let [zero, first, last] = [[0.0; 3], [-1.0, 0.5, 2.0], [3.0, 1.0, -2.0]];
    let (sum, mean) = ([3.25, 0.0, 3.5], [1.0833333333333333, 0.0, 1.1666666666666665]);
    for (padding_idx, scale_grad_by_freq, want) in [
        (None, false, [first, zero, sum, last]),
        (Some(2), false, [first, zero, zero, last]),
        (None, true, [first, zero, mean, last]),
        (Some(0), true, [zero, zero, mean, last]),
    ] {
        let rule = EmbeddingGrad { padding_idx, scale_grad_by_freq, frozen_rows: 0 };
        let mut table = Parameter::new(&TABLE);
        table.grad.fill(f64::NAN);
        let sink = table.sink(Mode::Store);
        Cpu::new().embedding_grad(&IDS.to_vec(), &buf(&D_OUT), DIMS, rule, sink);
        assert_near(&format!("{rule:?}"), &table.grad, &want.concat(), 1e-15);
    }
}

#[test]
fn frozen_rows_have_none() {
    let rule = EmbeddingGrad { frozen_rows: 2, ..EmbeddingGrad::default() };
    let mut table = Parameter::new(&TABLE);
    let sink = table.sink(Mode::Store);
    Cpu::new().embedding_grad(&IDS.to_vec(), &buf(&D_OUT), DIMS, rule, sink);
    let free = [[3.25, 0.0, 3.5], [3.0, 1.0, -2.0]].concat();
    assert_near("frozen", &table.grad, &[vec![0.0; 6], free].concat(), 1e-15);
}

#[test]
fn the_plain_gradient_agrees_with_differences() {
    for [rows, cells, dim] in [[1, 1, 1], [2, 3, 5], [7, 15, 2], [3, 17, 16], [33, 40, 7]] {
        let d = EmbeddingDims { rows, cells, dim };
        let mut draw = Draw::new(1);
        let ids: Vec<u32> = (0..cells).map(|_| draw.below(rows) as u32).collect();
        let (values, d_out) = (draw.normal(rows * dim), draw.normal(cells * dim));
        let mut table = Parameter::new(&values);
        let sink = table.sink(Mode::Store);
        Cpu::new().embedding_grad(&ids, &buf(&d_out), d, EmbeddingGrad::default(), sink);
        check_gradient(&format!("{d:?}"), &values, &table.grad, |values| {
            let mut out = full(cells * dim, f64::NAN);
            Cpu::new().embedding(&ids, &buf(values), &mut out, d);
            dot(&d_out, &out)
        });
    }
}

#[test]
fn every_sink_gets_the_same_gradient() {
    let d_out = buf(&cast::<f32>(&D_OUT));
    let rule = EmbeddingGrad { padding_idx: Some(3), scale_grad_by_freq: true, frozen_rows: 0 };
    check_sinks(&[Parameter::new(&TABLE)], |p, mode| {
        Cpu::new().embedding_grad(&IDS.to_vec(), &d_out, DIMS, rule, p[0].sink(mode));
        Vec::new()
    });
}
