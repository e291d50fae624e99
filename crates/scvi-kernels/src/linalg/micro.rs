//! The innermost loops of products, for the instruction set at hand.

use super::dots::{dot_plainly, row_sums_plainly};
#[cfg(target_arch = "x86_64")]
use super::dots::{dot_v4, row_sums_v4};
#[cfg(target_arch = "x86_64")]
use super::lists::list_v4;
use super::lists::{Counts, ListsMut, list_plainly};
#[cfg(target_arch = "x86_64")]
use super::pair::add_v4;
use super::pair::{Pair, Vectors, add_plainly};
use super::rows::add_rows_plainly;
#[cfg(target_arch = "x86_64")]
use super::rows::add_rows_v4;
#[cfg(target_arch = "x86_64")]
use super::transpose::transposed_v4;
use super::transpose::{Tile, transposed_plainly};
use crate::LANES;
use crate::real::Real;
use crate::simd::arch;

/// Loops of the processor's products that are written for an instruction set, where compilers do
/// not find its instructions; plain loops elsewhere.
pub trait MicroKernels: Sized {
    /// The transpose of a tile.
    #[inline(always)]
    fn transposed(tile: Tile<Self>) -> Tile<Self>
    where
        Self: Real,
    {
        transposed_plainly(tile)
    }

    /// Lists what is not zero in two rows of a piece.
    #[inline(always)]
    fn list(rows: [&[Self]; 2], to: ListsMut<Self>) -> Counts
    where
        Self: Real,
    {
        list_plainly(rows, to)
    }

    /// `sums = keep * sums + pair panel`, for products that skip zeros.
    #[inline(always)]
    fn add_pair<const N: usize>(
        pair: Pair<Self>,
        panel: &[Vectors<Self, N>],
        sums: &mut [Vectors<Self, N>; 2],
        keep: bool,
    ) where
        Self: Real,
    {
        add_plainly(pair, panel, sums, keep);
    }

    /// Products of a pair's rows with the rows of `c` that it lists, up to the sum over lanes: a
    /// vector a value, in the order of the lists.
    #[inline(always)]
    fn dot_pair<const N: usize>(
        pair: Pair<Self>,
        rows: [&Vectors<Self, N>; 2],
        c: &[Vectors<Self, N>],
        products: &mut [[Self; LANES]],
    ) where
        Self: Real,
    {
        dot_plainly(pair, rows, c, products);
    }

    /// The sum of each row of a tile.
    #[inline(always)]
    fn row_sums(tile: &Tile<Self>) -> [Self; LANES]
    where
        Self: Real,
    {
        row_sums_plainly(tile)
    }

    /// `sums += Σ weight * table[index]` over the terms `(index, weight)`; rows of the table are
    /// `stride` apart.
    #[inline(always)]
    fn add_rows<const N: usize>(
        terms: impl Iterator<Item = (u32, Self)>,
        table: &[Self],
        stride: usize,
        sums: &mut Vectors<Self, N>,
    ) where
        Self: Real,
    {
        add_rows_plainly(terms, table, stride, sums);
    }
}

impl MicroKernels for f64 {}

impl MicroKernels for f32 {
    #[inline(always)]
    fn transposed(tile: Tile<Self>) -> Tile<Self> {
        match arch() {
            // Compilers do not find these shuffles: number by number takes four times as long.
            #[cfg(target_arch = "x86_64")]
            pulp::Arch::V4(simd) => transposed_v4(simd, tile),
            _ => transposed_plainly(tile),
        }
    }

    #[inline(always)]
    fn list(rows: [&[Self]; 2], to: ListsMut<Self>) -> Counts {
        match arch() {
            #[cfg(target_arch = "x86_64")]
            pulp::Arch::V4(simd) => list_v4(simd, rows, to),
            _ => list_plainly(rows, to),
        }
    }

    #[inline(always)]
    fn add_pair<const N: usize>(
        pair: Pair<Self>,
        panel: &[Vectors<Self, N>],
        sums: &mut [Vectors<Self, N>; 2],
        keep: bool,
    ) {
        match arch() {
            #[cfg(target_arch = "x86_64")]
            pulp::Arch::V4(simd) => add_v4(simd, pair, panel, sums, keep),
            _ => add_plainly(pair, panel, sums, keep),
        }
    }

    #[inline(always)]
    fn dot_pair<const N: usize>(
        pair: Pair<Self>,
        rows: [&Vectors<Self, N>; 2],
        c: &[Vectors<Self, N>],
        products: &mut [[Self; LANES]],
    ) {
        match arch() {
            #[cfg(target_arch = "x86_64")]
            pulp::Arch::V4(simd) => dot_v4(simd, pair, rows, c, products),
            _ => dot_plainly(pair, rows, c, products),
        }
    }

    #[inline(always)]
    fn row_sums(tile: &Tile<Self>) -> [Self; LANES] {
        match arch() {
            #[cfg(target_arch = "x86_64")]
            pulp::Arch::V4(simd) => row_sums_v4(simd, tile),
            _ => row_sums_plainly(tile),
        }
    }

    #[inline(always)]
    fn add_rows<const N: usize>(
        terms: impl Iterator<Item = (u32, Self)>,
        table: &[Self],
        stride: usize,
        sums: &mut Vectors<Self, N>,
    ) {
        match arch() {
            #[cfg(target_arch = "x86_64")]
            pulp::Arch::V4(simd) => add_rows_v4(simd, terms, table, stride, sums),
            _ => add_rows_plainly(terms, table, stride, sums),
        }
    }
}
