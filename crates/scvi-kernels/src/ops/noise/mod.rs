//! Noise that belongs to the cell.
//!
//! Element (cell, j) of a minibatch's noise is a function of seed, stream, draw, the cell's number
//! in the data set and j alone (see [`crate::Philox`]). Normal noise comes in pairs, dropout
//! factors in fours: a cell is kept with probability 1 - p and then weighs 1/(1 - p).

mod cpu;

pub(crate) use cpu::*;
