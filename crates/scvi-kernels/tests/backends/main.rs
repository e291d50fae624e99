//! Every operation of every backend against the reference, on random shapes.
//!
//! An operation is a function over any backend that draws its inputs from a seed and returns all
//! that it wrote. Buffers are longer than the operation needs, and what lies behind must stay.

#[macro_use]
mod common;
mod device;
mod heads;
mod hidden;
mod labels;
mod latent;
mod linear;
mod optimizer;
