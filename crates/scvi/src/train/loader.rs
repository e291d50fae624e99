//! How the cells of an epoch fall into the minibatches of its steps.

use std::ops::Range;

use super::batch_limit::BatchLimit;
use super::plan::TrainPlan;
use super::sampler::{RandomSampler, Sampler, SequentialSampler};
use crate::data::{Split, full_minibatches, minibatches};

/// The samplers of a run: a step reads one minibatch of each. The first goes through its cells once
/// an epoch; the others, which hold no more, are cycled beside it.
pub struct Samplers {
    /// Of training steps; at least one.
    pub train: Vec<Box<dyn Sampler>>,
    /// Of the minibatches that are validated on; as many.
    pub validation: Vec<Box<dyn Sampler>>,
}

impl Samplers {
    /// One of each: the training cells in an order drawn for each epoch, the validation cells in
    /// the order of the file, for their sums do not need another.
    pub fn of_split(split: &Split, plan: &TrainPlan) -> Self {
        let (cells, shuffling, seed) = (split.train.clone(), plan.shuffling, plan.seed);
        Self {
            train: vec![Box::new(RandomSampler { cells, shuffling, seed })],
            validation: vec![Box::new(validation_sampler(&split.validation, plan))],
        }
    }
}

/// Validation cells in the order of the file: with a limit on minibatches the first of `cells`,
/// which chance drew, and not the first of the file.
pub fn validation_sampler(cells: &[u32], plan: &TrainPlan) -> SequentialSampler {
    let n = plan.validation_ranges(cells.len()).last().map_or(0, |range| range.end);
    let mut cells = cells[..n].to_vec();
    cells.sort_unstable();
    SequentialSampler { cells }
}

/// Minibatches of one sampler.
struct Stream {
    sampler: Box<dyn Sampler>,
    /// The cells of the epoch at hand.
    order: Vec<u32>,
    /// Minibatches as places in the order.
    ranges: Vec<Range<usize>>,
}

/// The minibatches of each step of an epoch.
pub(super) struct Loader {
    streams: Vec<Stream>,
    /// of which epoch the orders are
    epoch: Option<u32>,
}

impl Loader {
    /// Of samplers to train by.
    pub(super) fn train(samplers: Vec<Box<dyn Sampler>>, plan: &TrainPlan) -> Self {
        Self::new(samplers, |n| plan.train_ranges(n))
    }

    /// Of samplers to validate by.
    pub(super) fn validation(samplers: Vec<Box<dyn Sampler>>, plan: &TrainPlan) -> Self {
        Self::new(samplers, |n| plan.validation_ranges(n))
    }

    fn new(samplers: Vec<Box<dyn Sampler>>, ranges: impl Fn(usize) -> Vec<Range<usize>>) -> Self {
        let stream = |sampler: Box<dyn Sampler>| Stream {
            order: Vec::with_capacity(sampler.len()),
            ranges: ranges(sampler.len()),
            sampler,
        };
        Self { streams: samplers.into_iter().map(stream).collect(), epoch: None }
    }

    /// Steps of an epoch.
    pub(super) fn len(&self) -> usize {
        self.streams.first().map_or(0, |stream| stream.ranges.len())
    }

    /// Cells of each sampler.
    pub(super) fn n_cells(&self) -> impl Iterator<Item = usize> {
        self.streams.iter().map(|stream| stream.sampler.len())
    }

    /// Draws the orders of an epoch, unless they are there.
    pub(super) fn begin(&mut self, epoch: u32) {
        if self.epoch.replace(epoch) == Some(epoch) {
            return;
        }
        for Stream { sampler, order, .. } in &mut self.streams {
            order.clear();
            sampler.sample(epoch, order);
        }
    }

    /// The cells of a step, a minibatch of each sampler; none of one that has no cells.
    pub(super) fn step(&self, step: usize) -> impl Iterator<Item = &[u32]> {
        self.streams.iter().map(move |Stream { order, ranges, .. }| match ranges.len() {
            0 => &[][..],
            n => &order[ranges[step % n].clone()],
        })
    }
}

impl TrainPlan {
    /// Minibatches to train on in one epoch of `n` cells, as places in its order.
    pub(super) fn train_ranges(&self, n: usize) -> Vec<Range<usize>> {
        limited(self.all_train_ranges(n), self.limit_train_batches)
    }

    /// The same without a limit on their number.
    pub(super) fn all_train_ranges(&self, n: usize) -> Vec<Range<usize>> {
        match self.drop_last {
            true => full_minibatches(n, self.batch_size).collect(),
            false => minibatches(n, self.batch_size).collect(),
        }
    }

    /// Minibatches to validate on, as places among `n` validation cells.
    pub(super) fn validation_ranges(&self, n: usize) -> Vec<Range<usize>> {
        limited(self.all_validation_ranges(n), self.limit_val_batches)
    }

    /// The same without a limit on their number.
    pub(super) fn all_validation_ranges(&self, n: usize) -> Vec<Range<usize>> {
        minibatches(n, self.batch_size).collect()
    }
}

fn limited(mut ranges: Vec<Range<usize>>, limit: Option<BatchLimit>) -> Vec<Range<usize>> {
    let n = limit.map_or(ranges.len(), |limit| limit.of(ranges.len()));
    ranges.truncate(n);
    ranges
}
