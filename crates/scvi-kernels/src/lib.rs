//! Fused numerical kernels of scVI.
