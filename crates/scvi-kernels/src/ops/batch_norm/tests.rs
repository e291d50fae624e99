use crate::testing::{
    Draw, Mode, Parameter, assert_near, buf, cast, check_gradient, check_sinks, dot, full,
};
use crate::{
    Aligned, BatchNormEval, BatchNormKept, BatchNormState, Cpu, Device, GradSink, LeafNormOps,
    NormOps,
};

const MOMENTUM: f64 = 0.01;
const EPS: f64 = 1e-3;
const SHAPES: [[usize; 2]; 8] =
    [[1, 3], [2, 1], [3, 5], [15, 33], [16, 1], [17, 16], [39, 2], [40, 15]];

struct Trained {
    y: Aligned<f64>,
    normalised: Aligned<f64>,
    inv_std: Aligned<f64>,
    running: [Aligned<f64>; 2],
}

fn train(x: &[f64], affine: [&[f64]; 2], running: [&[f64]; 2], dims: [usize; 2]) -> Trained {
    let [gamma, beta] = affine.map(buf);
    let mut out = Trained {
        y: buf(x),
        normalised: full(x.len(), f64::NAN),
        inv_std: full(dims[1], f64::NAN),
        running: running.map(buf),
    };
    let [running_mean, running_var] = &mut out.running;
    let state = BatchNormState {
        gamma: &gamma,
        beta: &beta,
        running_mean,
        running_var,
        momentum: MOMENTUM,
        eps: EPS,
        normalised: &mut out.normalised,
        inv_std: &mut out.inv_std,
    };
    Cpu::new().batch_norm_train(state, dims, &mut out.y);
    out
}

#[test]
fn normalises_by_the_minibatch_and_moves_the_running_moments() {
    for [cells, features] in SHAPES {
        let mut draw = Draw::new(1);
        let x: Vec<f64> = draw.normal(cells * features).iter().map(|v| 3.0 * v + 2.0).collect();
        let [gamma, beta, running_mean] = [(); 3].map(|()| draw.normal(features));
        let running_var: Vec<f64> = draw.normal(features).iter().map(|v| v * v).collect();
        let running = [&running_mean[..], &running_var];
        let got = train(&x, [&gamma, &beta], running, [cells, features]);
        let n = cells as f64;
        let mut want = x.clone();
        let [mut want_mean, mut want_var] = [running_mean.clone(), running_var.clone()];
        for j in 0..features {
            let column: Vec<f64> = x.iter().skip(j).step_by(features).copied().collect();
            let mean = column.iter().sum::<f64>() / n;
            let squares = column.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
            for (c, v) in column.iter().enumerate() {
                want[c * features + j] =
                    gamma[j] * (v - mean) / (squares / n + EPS).sqrt() + beta[j];
            }
            // One cell has no unbiased variance; it counts as none.
            let unbiased = if cells > 1 { squares / (n - 1.0) } else { 0.0 };
            want_mean[j] = 0.99 * running_mean[j] + 0.01 * mean;
            want_var[j] = 0.99 * running_var[j] + 0.01 * unbiased;
        }
        assert_near("y", &got.y, &want, 1e-12);
        assert_near("running mean", &got.running[0], &want_mean, 1e-13);
        assert_near("running variance", &got.running[1], &want_var, 1e-13);
    }
}

#[test]
fn evaluates_by_the_running_moments() {
    for [cells, features] in SHAPES {
        let mut draw = Draw::new(2);
        let x = draw.normal(cells * features);
        let [gamma, beta, running_mean] = [(); 3].map(|()| draw.normal(features));
        let running_var: Vec<f64> = draw.normal(features).iter().map(|v| v * v).collect();
        let want: Vec<f64> = x
            .iter()
            .enumerate()
            .map(|(i, v)| {
                let j = i % features;
                gamma[j] * (v - running_mean[j]) / (running_var[j] + EPS).sqrt() + beta[j]
            })
            .collect();
        let affine = BatchNormEval {
            gamma: &buf(&gamma),
            beta: &buf(&beta),
            running_mean: &buf(&running_mean),
            running_var: &buf(&running_var),
            eps: EPS,
        };
        let mut y = buf(&x);
        Cpu::new().batch_norm_eval(affine, [cells, features], &mut y);
        assert_near("y", &y, &want, 1e-12);
    }
}

#[test]
fn gradients_agree_with_differences() {
    for dims @ [cells, features] in SHAPES {
        let mut draw = Draw::new(3);
        let x = draw.normal(cells * features);
        let [gamma, beta, zeros] = [(); 3].map(|()| draw.normal(features));
        let r = draw.normal(x.len());
        let forward =
            |x: &[f64], gamma: &[f64], beta: &[f64]| train(x, [gamma, beta], [&zeros; 2], dims);
        let loss = |x: &[f64], gamma: &[f64], beta: &[f64]| dot(&r, &forward(x, gamma, beta).y);
        let out = forward(&x, &gamma, &beta);
        let kept = BatchNormKept { normalised: &out.normalised, inv_std: &out.inv_std };
        let [mut dgamma, mut dbeta] = [&gamma, &beta].map(|p| Parameter::new(p));
        let mut dx = buf(&r);
        let sinks = (dgamma.sink(Mode::Store), dbeta.sink(Mode::Store));
        Cpu::new().batch_norm_grad(kept, dims, &mut dx, sinks.0, sinks.1);
        check_gradient(&format!("x {dims:?}"), &x, &dx, |x| loss(x, &gamma, &beta));
        check_gradient("gamma", &gamma, &dgamma.grad, |gamma| loss(&x, gamma, &beta));
        check_gradient("beta", &beta, &dbeta.grad, |beta| loss(&x, &gamma, beta));
    }
}

#[test]
fn every_sink_gets_the_same_gradient() {
    let dims @ [cells, features] = [15, 19];
    let mut draw = Draw::new(4);
    let normalised = buf(&cast::<f32>(&draw.normal(cells * features)));
    let inv_std = full(features, 1.5f32);
    let dy = buf(&cast::<f32>(&draw.normal(cells * features)));
    let parameters = [(); 2].map(|()| Parameter::new(&draw.normal(features)));
    check_sinks(&parameters, |p, mode| {
        let [gamma, beta] = p else { unreachable!() };
        let kept = BatchNormKept { normalised: &normalised, inv_std: &inv_std };
        let mut dx = dy.clone();
        Cpu::new().batch_norm_grad(kept, dims, &mut dx, gamma.sink(mode), beta.sink(mode));
        dx.to_vec()
    });
}

/// The moments of both parts of the cells together, and how many cells each part has.
struct Halves {
    x: [Aligned<f64>; 2],
    cells: [usize; 2],
    moments: [Aligned<f64>; 2],
}

fn halves(x: &[f64], first: usize, features: usize) -> Halves {
    let backend = Cpu::new();
    let (lower, upper) = x.split_at(first * features);
    let cells = [first, x.len() / features - first];
    let parts = [buf(lower), buf(upper)];
    let [[mut mean, mut squares], [other_mean, other_squares]] = [0, 1].map(|i| {
        let [mut mean, mut squares] = [(); 2].map(|()| full(features, f64::NAN));
        let dims = [cells[i], features];
        backend.batch_norm_moments(&parts[i], dims, [&mut mean, &mut squares]);
        [mean, squares]
    });
    let others = [&other_mean, &other_squares];
    backend.combine_moments([&mut mean, &mut squares], others, cells, features);
    Halves { x: parts, cells, moments: [mean, squares] }
}

#[test]
fn leaves_are_normalised_as_the_whole() {
    for ([cells, features], first) in [([3, 5], 1), ([15, 33], 8), ([40, 16], 39)] {
        let mut draw = Draw::new(5);
        // A mean far from zero: sums of squares would not survive it.
        let x: Vec<f64> = draw.normal(cells * features).iter().map(|v| 1e6 + v).collect();
        let r = draw.normal(x.len());
        let [gamma, beta, running_mean] = [(); 3].map(|()| draw.normal(features));
        let running_var: Vec<f64> = draw.normal(features).iter().map(|v| v * v).collect();
        let whole = train(&x, [&gamma, &beta], [&running_mean, &running_var], [cells, features]);
        let backend = Cpu::new();
        let Halves { x: mut parts, cells: of, moments } = halves(&x, first, features);
        let [mut mean, mut var] = [buf(&running_mean), buf(&running_var)];
        let mut kept = of.map(|n| (full(n * features, f64::NAN), full(features, f64::NAN)));
        for i in [0, 1] {
            let (normalised, inv_std) = &mut kept[i];
            let state = BatchNormState {
                gamma: &buf(&gamma),
                beta: &buf(&beta),
                running_mean: &mut mean,
                running_var: &mut var,
                momentum: if i == 0 { MOMENTUM } else { 0.0 },
                eps: EPS,
                normalised,
                inv_std,
            };
            let ([by_mean, by_squares], dims) = (&moments, [of[i], features]);
            backend.batch_norm_by_moments(state, [by_mean, by_squares], cells, dims, &mut parts[i]);
        }
        assert_near("y", &[&parts[0][..], &parts[1]].concat(), &whole.y, 1e-8);
        assert_near("running mean", &mean, &whole.running[0], 1e-12);
        assert_near("running variance", &var, &whole.running[1], 1e-8);

        let [mut dgamma, mut dbeta] = [&gamma, &beta].map(|p| Parameter::new(p));
        let mut want = buf(&r);
        let of_whole = BatchNormKept { normalised: &whole.normalised, inv_std: &whole.inv_std };
        let sinks = (dgamma.sink(Mode::Store), dbeta.sink(Mode::Store));
        backend.batch_norm_grad(of_whole, [cells, features], &mut want, sinks.0, sinks.1);
        let (lower, upper) = r.split_at(first * features);
        let mut dy = [buf(lower), buf(upper)];
        let as_kept = |i: usize| BatchNormKept { normalised: &kept[i].0, inv_std: &kept[i].1 };
        let mut sums = [0, 1].map(|i| {
            let [mut of_gamma, mut of_beta] = [(); 2].map(|()| full(features, f64::NAN));
            let dims = [of[i], features];
            backend.batch_norm_sums(as_kept(i), dims, &dy[i], [&mut of_gamma, &mut of_beta]);
            [of_gamma, of_beta]
        });
        let [first, second] = &mut sums;
        first.iter_mut().zip(second).for_each(|(a, b)| backend.add(b, a, features));
        let [[of_gamma, of_beta], _] = &sums;
        assert_near("gamma", of_gamma, &dgamma.grad, 1e-8);
        assert_near("beta", of_beta, &dbeta.grad, 1e-12);
        for i in [0, 1] {
            let dims = [of[i], features];
            backend.batch_norm_grad_by_sums(
                as_kept(i),
                &buf(&gamma),
                [of_gamma, of_beta],
                cells,
                dims,
                &mut dy[i],
            );
        }
        assert_near("dx", &[&dy[0][..], &dy[1]].concat(), &want, 1e-7);
    }
}

#[test]
fn one_leaf_has_the_bits_of_one_step() {
    let (backend, dims) = (Cpu::<f32>::new(), [37, 37]);
    let [cells, features] = dims;
    let mut draw = Draw::new(8);
    let values: Vec<f32> = cast(&draw.normal(cells * features));
    let dy: Vec<f32> = cast(&draw.normal(cells * features));
    let (gamma, beta) = (buf(&cast::<f32>(&draw.normal(features))), full(features, 0.25_f32));
    let normalise = |in_steps: bool| {
        let (mut x, mut dx) = (buf(&values), buf(&dy));
        let [mut running_mean, mut running_var] = [full(features, 0.5), full(features, 1.5)];
        let (mut normalised, mut inv_std) = (full(cells * features, 0.0), full(features, 0.0));
        let [mut first, mut second] = [(); 2].map(|()| full(features, f32::NAN));
        let state = BatchNormState {
            gamma: &gamma,
            beta: &beta,
            momentum: MOMENTUM,
            running_mean: &mut running_mean,
            running_var: &mut running_var,
            eps: EPS,
            normalised: &mut normalised,
            inv_std: &mut inv_std,
        };
        if in_steps {
            backend.batch_norm_moments(&x, dims, [&mut first, &mut second]);
            backend.batch_norm_by_moments(state, [&first, &second], cells, dims, &mut x);
        } else {
            backend.batch_norm_train(state, dims, &mut x);
        }
        let kept = || BatchNormKept { normalised: &normalised, inv_std: &inv_std };
        if in_steps {
            backend.batch_norm_sums(kept(), dims, &dx, [&mut first, &mut second]);
            let sums = [&first, &second];
            backend.batch_norm_grad_by_sums(kept(), &gamma, sums, cells, dims, &mut dx);
        } else {
            let to_gamma = GradSink::Store { value: &gamma, grad: &mut first };
            let to_beta = GradSink::Store { value: &beta, grad: &mut second };
            backend.batch_norm_grad(kept(), dims, &mut dx, to_gamma, to_beta);
        }
        [x, dx, running_mean, running_var, inv_std, first, second].map(|buf| buf.to_vec())
    };
    assert_eq!(normalise(true), normalise(false));
}
