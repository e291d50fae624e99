//! The limits of this machine that a training step runs into, as JSON on stdout.
//!
//! ```text
//! cargo run --release -p scvi-kernels --example machine_limits -- THREADS GENES
//! ```
//!
//! All on THREADS threads at once, the best of several repetitions:
//! - `fma_gflops`: fused multiply-adds on registers, two operations each;
//! - `gemm_gflops`: the products of a decoder head (GENES x 128 weights, 128 cells), each thread
//!   with blocks of its own, as a step makes them;
//! - `bandwidth_gb_per_s`: `a = s a + b`, two arrays read and one written, together as large as the
//!   weights and Adam's moments of the three layers that have a weight for every gene and hidden
//!   unit;
//! - `elementwise_ns`: of one element on one of the threads, two exponentials, a logarithm and a
//!   division, in short vector loops within the first-level cache.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::Instant;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use scvi_kernels::ops::linear::LinearDims;
use scvi_kernels::{Cpu, Device, LinearOps, Real};

const CELLS: usize = 128;
const HIDDEN: usize = 128;
/// Genes of a block of the heads.
const BLOCK: usize = 192;
const REPEATS: usize = 20;

fn main() -> ExitCode {
    let words = std::env::args().skip(1).map(|word| word.parse::<NonZeroUsize>());
    let (threads, genes) = match words.collect::<Result<Vec<_>, _>>().as_deref() {
        Ok(&[threads, genes]) => (threads.get(), genes.get()),
        _ => {
            eprintln!("expected two numbers above 0: THREADS GENES");
            return ExitCode::FAILURE;
        }
    };
    let pool = match ThreadPoolBuilder::new().num_threads(threads).build() {
        Ok(pool) => pool,
        Err(error) => {
            eprintln!("no {threads} threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!(
        "{{\"threads\": {threads}, \"fma_gflops\": {:.1}, \"gemm_gflops\": {:.1}, \
         \"bandwidth_gb_per_s\": {:.2}, \"elementwise_ns\": {:.4}}}",
        fma_gflops(&pool),
        gemm_gflops(&pool, genes),
        bandwidth(&pool, genes),
        elementwise_ns(&pool),
    );
    ExitCode::SUCCESS
}

/// Seconds of the fastest of several repetitions on all threads of the pool at once.
fn fastest(mut work: impl FnMut()) -> f64 {
    let time = |_| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64()
    };
    (0..REPEATS).map(time).fold(f64::INFINITY, f64::min)
}

/// Multiply-adds of independent sums: enough of them that none waits for the one before.
struct MultiplyAdds {
    rounds: usize,
}

const SUMS: usize = 12;

impl WithSimd for MultiplyAdds {
    /// Operations done.
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> usize {
        let (factor, term) = (simd.splat_f32s(black_box(0.999)), simd.splat_f32s(black_box(0.001)));
        let mut sums = [simd.splat_f32s(0.0); SUMS];
        for _ in 0..self.rounds {
            for sum in &mut sums {
                *sum = simd.mul_add_f32s(*sum, factor, term);
            }
        }
        black_box(sums.iter().map(|&sum| simd.reduce_sum_f32s(sum)).sum::<f32>());
        2 * self.rounds * SUMS * S::F32_LANES
    }
}

fn fma_gflops(pool: &ThreadPool) -> f64 {
    let arch = Arch::new();
    let mut operations = 0;
    let seconds = fastest(|| {
        let done = pool.broadcast(|_| arch.dispatch(MultiplyAdds { rounds: 1_000_000 }));
        operations = done.into_iter().sum();
    });
    operations as f64 / seconds / 1e9
}

fn gemm_gflops(pool: &ThreadPool, genes: usize) -> f64 {
    let full = |n: usize, value: f32| {
        let mut buf = Cpu::new().zeros(n);
        buf.fill(value);
        buf
    };
    let input = full(HIDDEN * CELLS, 0.5); // (hidden, cells)
    let mut blocks: Vec<_> = (0..genes)
        .step_by(BLOCK)
        .map(|start| BLOCK.min(genes - start))
        .map(|n| (full(n * HIDDEN, 0.01), full(n * CELLS, 0.0))) // (n, hidden), (n, cells)
        .collect();
    let seconds = fastest(|| {
        pool.install(|| {
            blocks.par_iter_mut().for_each(|(w, y)| {
                let dims = LinearDims { cells: w.len() / HIDDEN, n_in: HIDDEN, n_out: CELLS };
                Cpu::new().linear(w, &input, None, y, dims, false);
            });
        });
    });
    black_box(&blocks);
    (2 * genes * HIDDEN * CELLS) as f64 / seconds / 1e9
}

fn bandwidth(pool: &ThreadPool, genes: usize) -> f64 {
    // three layers' weights, first and second moments, half of them in each array
    let n = 9 * genes * HIDDEN / 2;
    let (mut a, b) = (vec![1f32; n], vec![0.5f32; n]);
    let part = n.div_ceil(pool.current_num_threads());
    let arch = Arch::new();
    let seconds = fastest(|| {
        pool.install(|| {
            a.par_chunks_mut(part).zip(b.par_chunks(part)).for_each(|(a, b)| {
                arch.dispatch(
                    #[inline(always)]
                    || a.iter_mut().zip(b).for_each(|(a, &b)| *a = a.mul_add(0.5, b)),
                );
            });
        });
    });
    black_box(&a);
    (3 * n * size_of::<f32>()) as f64 / seconds / 1e9
}

fn elementwise_ns(pool: &ThreadPool) -> f64 {
    const ROUNDS: usize = 200;
    const N: usize = 1024;
    let arch = Arch::new();
    let seconds = fastest(|| {
        pool.broadcast(|_| {
            let [mut x, mut y] = [[0.3f32; N], [0.7f32; N]];
            for _ in 0..ROUNDS {
                arch.dispatch(ZeroCounts { x: black_box(&mut x), y: black_box(&mut y) });
            }
        });
    });
    seconds * 1e9 / (ROUNDS * N) as f64
}

/// The least that zero counts take: eˣ, e⁻ʸ, a quotient, a logarithm; values stay in their range.
struct ZeroCounts<'a> {
    x: &'a mut [f32],
    y: &'a mut [f32],
}

impl WithSimd for ZeroCounts<'_> {
    type Output = ();

    /// Plain loops, for functions and closures within would keep the baseline's instructions.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { x, y } = self;
        for x in x.iter_mut() {
            *x = Real::exp(*x - 1.0);
        }
        for y in y.iter_mut() {
            *y = Real::exp(-*y);
        }
        for (x, &y) in x.iter_mut().zip(y.iter()) {
            *x /= 1.0 + y;
        }
        for y in y.iter_mut() {
            *y = -Real::ln(*y + 0.1);
        }
    }
}
