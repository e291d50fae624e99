//! Run-time choice of the instruction set.

use std::sync::OnceLock;

use pulp::Arch;

/// Runs `op` compiled for the best instruction set of this machine: AVX-512, AVX2 with FMA, NEON,
/// or the baseline of the target.
///
/// The loops inside are plain Rust over slices and vectorise by themselves; every function they
/// call must be `#[inline(always)]`, or it keeps the baseline's instructions.
#[inline(always)]
pub(crate) fn vectorised<R>(op: impl FnOnce() -> R) -> R {
    static ARCH: OnceLock<Arch> = OnceLock::new();
    ARCH.get_or_init(Arch::new).dispatch(op)
}
