//! Where a run left the finite numbers, and what is likely to blame.

use std::fmt;

use crate::module::Minibatch;
use crate::nn::{NotFinite, Slot};

/// The first loss or tensor that was seen to be NaN or infinite.
#[derive(Debug, Clone, PartialEq)]
pub struct Divergence {
    /// The epoch, from 0.
    pub epoch: usize,
    /// The optimiser's step, from 1.
    pub step: u64,
    /// The step's mean reconstruction loss a cell.
    pub reconstruction_loss: f64,
    /// The step's mean divergence a cell.
    pub kl_local: f64,
    /// Whether the step's loss is finite all the same: the numbers went wrong in its gradient.
    pub loss_is_finite: bool,
    /// The first number of the model that is not finite, where it was looked for.
    pub tensor: Option<NotFinite>,
    /// Cells whose own loss is not finite, in a minibatch where those of others are.
    pub cells: Vec<u32>,
    /// The largest count of these cells, or of the whole minibatch.
    pub largest: Option<LargestCount>,
}

/// A count that stands out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LargestCount {
    /// The cell.
    pub cell: u32,
    /// The gene.
    pub gene: u32,
    /// The count.
    pub count: f32,
}

impl LargestCount {
    /// Beyond this f32 no longer holds every whole number, and no sequencer counts that far.
    const PLAUSIBLE: f32 = 16_777_216.0;

    /// Whether the count is likely to be to blame.
    pub fn is_extreme(&self) -> bool {
        self.count > Self::PLAUSIBLE
    }

    /// The largest count of the given cells, or of all where none are given.
    pub(super) fn of(batch: &Minibatch, cells: &[u32]) -> Option<Self> {
        let rows = batch.cells.iter().enumerate();
        let blamed = rows.filter(|(_, cell)| cells.is_empty() || cells.contains(cell));
        let counts = blamed.flat_map(|(row, &cell)| {
            let (genes, counts) = batch.rows.row(row);
            genes.iter().zip(counts).map(move |(&gene, &count)| Self { cell, gene, count })
        });
        counts.max_by(|a, b| a.count.total_cmp(&b.count))
    }
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "training diverged in epoch {}, step {}: ", self.epoch, self.step)?;
        let (reconstruction, kl) = (self.reconstruction_loss, self.kl_local);
        let losses = format!("(reconstruction loss {reconstruction}, KL {kl})");
        if !self.loss_is_finite {
            write!(f, "the loss is not finite {losses}")?;
        }
        let Some(NotFinite { name, slot, index, value }) = &self.tensor else { return Ok(()) };
        let of = match slot {
            Slot::Value => "",
            Slot::Grad => "the gradient of ",
            Slot::FirstMoment => "Adam's first moment of ",
            Slot::SecondMoment => "Adam's second moment of ",
        };
        match self.loss_is_finite {
            true => write!(f, "{of}{name}{index:?} is {value} {losses}"),
            false => write!(f, "; after the step {of}{name}{index:?} is {value}"),
        }
    }
}

impl std::error::Error for Divergence {}
