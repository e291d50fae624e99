//! Rectifier and dropout in one pass.
//!
//! y = max(x, 0) · m with m the dropout factors, 0 or 1/(1-p) (1 without dropout).
//! Kept for the gradient: gate = m where x > 0, else 0, so that dx = gate · dy.

mod cpu;
#[cfg(test)]
mod tests;

pub(crate) use cpu::*;
