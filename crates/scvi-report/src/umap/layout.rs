//! Cells pulled to their neighbors, and pushed from cells at random.

use rayon::prelude::*;
use scvi::model::{Watch, tell};
use scvi_kernels::{Philox, Stream};

use super::UmapOptions;
use super::curve::Curve;
use super::fuzzy::FuzzyGraph;
use crate::AnalysisError;

/// Cells that one thread moves at a time.
const CHUNK: usize = 256;

/// Largest move along one axis, before the learning rate.
const MAX_MOVE: f32 = 4.0;

/// Moves all cells through every epoch, the learning rate falling from 1 to 0.
///
/// An edge of weight w acts in a share w/max(w) of the epochs. Where it does, each of its two cells is
/// pulled by the other twice (umap-learn lists an edge in both directions, and moves both ends), and
/// pushed from `negative_sample_rate` cells. A cell's own moves follow each other; the others are where
/// they were when the epoch began.
///
/// Source: umap-learn 0.5.12, `layouts.py`, `_optimize_layout_euclidean_single_epoch`.
pub(super) fn optimize(
    start: Vec<[f32; 2]>,
    graph: &FuzzyGraph,
    curve: Curve,
    n_epochs: u32,
    options: &UmapOptions,
    watch: &mut Watch,
) -> Result<Vec<[f32; 2]>, AnalysisError> {
    let forces = Forces { a: curve.a as f32, b: curve.b as f32 };
    let max_weight = f64::from(graph.max_weight());
    let (mut places, mut next) = (start.clone(), start);
    for epoch in 0..n_epochs {
        let task = Epoch {
            graph,
            places: &places,
            forces,
            max_weight,
            epoch,
            learning_rate: 1.0 - epoch as f32 / n_epochs as f32,
            negative_samples: options.negative_sample_rate,
            philox: Philox::new(options.seed),
        };
        next.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, out)| {
            for (cell, out) in (chunk * CHUNK..).zip(out) {
                *out = task.moved(cell);
            }
        });
        std::mem::swap(&mut places, &mut next);
        tell(watch, epoch as usize + 1, n_epochs as usize)?;
    }
    Ok(places)
}

/// One epoch of all cells.
struct Epoch<'a> {
    graph: &'a FuzzyGraph,
    /// Where cells are as it begins.
    places: &'a [[f32; 2]],
    forces: Forces,
    max_weight: f64,
    epoch: u32,
    learning_rate: f32,
    negative_samples: u32,
    philox: Philox,
}

impl Epoch<'_> {
    /// Where a cell is after the epoch.
    fn moved(&self, cell: usize) -> [f32; 2] {
        let mut place = self.places[cell];
        let mut noise = Words {
            philox: self.philox,
            epoch: self.epoch,
            cell: cell as u32,
            next: 0,
            words: [0; 4],
        };
        for (other, weight) in self.graph.edges(cell) {
            if !self.acts(weight) {
                continue;
            }
            let neighbor = self.places[other as usize];
            for _ in 0..2 {
                self.step(&mut place, neighbor, Forces::pull);
            }
            for _ in 0..self.negative_samples {
                let sampled = noise.below(self.places.len() as u32) as usize;
                if sampled != cell {
                    self.step(&mut place, self.places[sampled], Forces::push);
                }
            }
        }
        place
    }

    /// Whether an edge acts in this epoch: so often that its share of the epochs so far is kept.
    fn acts(&self, weight: f32) -> bool {
        let share = f64::from(weight) / self.max_weight;
        (share * f64::from(self.epoch + 1)).floor() > (share * f64::from(self.epoch)).floor()
    }

    #[inline]
    fn step(&self, place: &mut [f32; 2], other: [f32; 2], force: fn(&Forces, f32) -> f32) {
        let difference = [place[0] - other[0], place[1] - other[1]];
        let squared = difference[0] * difference[0] + difference[1] * difference[1];
        if squared > 0.0 {
            let force = force(&self.forces, squared);
            for (x, difference) in place.iter_mut().zip(difference) {
                let by = (force * difference).clamp(-MAX_MOVE, MAX_MOVE);
                *x += by * self.learning_rate;
            }
        }
    }
}

/// Gradients of the cross-entropy, in units of the difference of two cells.
#[derive(Clone, Copy)]
struct Forces {
    a: f32,
    b: f32,
}

impl Forces {
    #[inline]
    fn pull(&self, squared: f32) -> f32 {
        let power = squared.powf(self.b);
        -2.0 * self.a * self.b * power / (squared * (1.0 + self.a * power))
    }

    #[inline]
    fn push(&self, squared: f32) -> f32 {
        2.0 * self.b / ((0.001 + squared) * (1.0 + self.a * squared.powf(self.b)))
    }
}

/// Random numbers of one cell in one epoch.
struct Words {
    philox: Philox,
    epoch: u32,
    cell: u32,
    next: u32,
    words: [u32; 4],
}

impl Words {
    /// Uniform in 0..n, but for a bias of n/2³².
    #[inline]
    fn below(&mut self, n: u32) -> u32 {
        let within = (self.next % 4) as usize;
        if within == 0 {
            // Draw 0 is the noise of the start.
            let stream = Stream::Layout as u32;
            self.words = self.philox.block(stream, self.epoch + 1, self.cell, self.next / 4);
        }
        self.next += 1;
        ((u64::from(self.words[within]) * u64::from(n)) >> 32) as u32
    }
}
