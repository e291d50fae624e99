//! The command `scvi`.

fn main() {}
