//! θ of a block's genes, and where its gradient goes.

use std::ops::Range;

use super::lanes::lane_sum;
use crate::counts::GeneCount;
use crate::ops::count_head::likelihood::Likelihood;
use crate::ops::{Rows, Sink, Split};
use crate::real::Real;

/// px_r above this is as good as Poisson, below its negative θ is nothing beside ε; in between θ²
/// neither overflows nor vanishes.
const MAX_PX_R: f64 = 40.0;

/// Which cell uses which column of px_r, `(genes, columns)`.
#[derive(Clone, Copy)]
pub(super) enum Columns<'a> {
    /// all cells the only one
    One,
    /// each cell its group's
    Groups { of: &'a [u32], n: usize },
    /// each cell its own, padded like every row of cells
    Cells(usize),
}

impl Columns<'_> {
    pub(super) fn len(self) -> usize {
        match self {
            Self::One => 1,
            Self::Groups { n, .. } | Self::Cells(n) => n,
        }
    }

    /// How much memory θ of a gene's groups and a block of px_r take.
    pub(super) fn memory(self, block: usize) -> [usize; 2] {
        match self {
            Self::Cells(_) => [0, 0],
            Self::One | Self::Groups { .. } => [self.len(), block * self.len()],
        }
    }

    /// The column of a cell.
    #[inline(always)]
    fn of(self, cell: usize) -> usize {
        match self {
            Self::One => 0,
            Self::Groups { of, .. } => of[cell] as usize,
            Self::Cells(_) => cell,
        }
    }

    /// θ and its inverse of one gene, cell by cell. `group_theta` holds a number a group.
    #[inline(always)]
    pub(super) fn theta<F: Real, L: Likelihood<F>>(
        self,
        px_r: &[F], // (columns)
        group_theta: &mut [F],
        theta: &mut [F],
        inv_theta: &mut [F],
    ) {
        match self {
            Self::One => {
                let one = exp_clamped(px_r[0]);
                theta.fill(one);
                inv_theta.fill(L::inverse(one));
            }
            Self::Groups { of, .. } => {
                for (theta, &r) in group_theta.iter_mut().zip(px_r) {
                    *theta = exp_clamped(r);
                }
                for (c, &group) in of.iter().enumerate() {
                    theta[c] = group_theta[group as usize];
                    inv_theta[c] = L::inverse(theta[c]);
                }
            }
            Self::Cells(n) => {
                let (px_r, theta, inv_theta) = (&px_r[..n], &mut theta[..n], &mut inv_theta[..n]);
                for c in 0..n {
                    theta[c] = exp_clamped(px_r[c]);
                    inv_theta[c] = L::inverse(theta[c]);
                }
            }
        }
    }

    /// Puts one gene's gradient, cell by cell, in the place of its px_r.
    #[inline(always)]
    pub(super) fn put_gradient<F: Real>(self, d_theta: &[F], px_r: &mut [F]) {
        match self {
            Self::One => px_r[0] = lane_sum(d_theta),
            Self::Groups { of, .. } => {
                px_r.fill(F::ZERO);
                for (&group, &d) in of.iter().zip(d_theta) {
                    px_r[group as usize] += d;
                }
            }
            Self::Cells(_) => px_r.copy_from_slice(d_theta),
        }
    }

    /// Adds the gradients of some of a gene's cells to that of its px_r.
    #[inline(always)]
    pub(super) fn add_gradient<F: Real>(
        self,
        counts: &[GeneCount<F>],
        d_theta: &[F],    // (counts)
        d_px_r: &mut [F], // (columns)
    ) {
        match self {
            // In a register: every sum waits for the one before.
            Self::One => d_px_r[0] = d_theta.iter().fold(d_px_r[0], |sum, &d| sum + d),
            Self::Groups { .. } | Self::Cells(_) => {
                for (count, &d) in counts.iter().zip(d_theta) {
                    d_px_r[self.of(count.cell as usize)] += d;
                }
            }
        }
    }
}

#[inline(always)]
fn exp_clamped<F: Real>(px_r: F) -> F {
    let max = F::of(MAX_PX_R);
    // In this order a NaN passes both bounds, and the likelihood shows it.
    let r = if px_r > max { max } else { px_r };
    (if r < -max { -max } else { r }).exp()
}

/// A part's px_r.
pub(super) enum PxR<'a, F> {
    None,
    /// a parameter
    Table(Sink<'a, F>),
    /// a head's output, whose gradient takes its place: `(genes, cells)`
    Head(Rows<'a, F>),
}

impl<F: Real> PxR<'_, F> {
    /// Runs `op` on px_r of some genes, and takes what it leaves in their place for the gradient if
    /// there is one. `memory` holds a block of a table.
    #[inline(always)]
    pub(super) fn block<const GRAD: bool>(
        &mut self,
        genes: Range<usize>,
        columns: usize,
        memory: &mut [F],
        op: impl FnOnce(&mut [F]),
    ) {
        let at = genes.start * columns..genes.end * columns;
        match self {
            // Nobody reads what the memory held.
            Self::None => op(&mut memory[..at.len()]),
            Self::Head(rows) => op(&mut rows.data[at]),
            Self::Table(sink) => {
                let px_r = &mut memory[..at.len()];
                px_r.copy_from_slice(&sink.value()[at.clone()]);
                op(px_r);
                if GRAD {
                    sink.take(at.start, px_r);
                }
            }
        }
    }
}

impl<F: Real> Split for PxR<'_, F> {
    fn split(self, mid: usize) -> (Self, Self) {
        match self {
            Self::None => (Self::None, Self::None),
            Self::Table(sink) => {
                let (a, b) = sink.split(mid);
                (Self::Table(a), Self::Table(b))
            }
            Self::Head(rows) => {
                let (a, b) = rows.split(mid);
                (Self::Head(a), Self::Head(b))
            }
        }
    }
}
