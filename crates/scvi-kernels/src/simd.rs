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
    arch().dispatch(op)
}

/// The instruction set.
#[inline(always)]
pub(crate) fn arch() -> Arch {
    static ARCH: OnceLock<Arch> = OnceLock::new();
    *ARCH.get_or_init(Arch::new)
}

/// The name of the instruction set that the loops run with: `avx512`, `avx2`, `neon`, or `scalar` for
/// the baseline of the target.
pub fn instruction_set() -> &'static str {
    match arch() {
        #[cfg(target_arch = "x86_64")]
        Arch::V4(_) => "avx512",
        #[cfg(target_arch = "x86_64")]
        Arch::V3(_) => "avx2",
        #[cfg(target_arch = "aarch64")]
        Arch::Neon(_) => "neon",
        _ => "scalar",
    }
}

/// Whether products that skip zeros are faster than those of the library, where half is zero: so it
/// was measured with AVX-512. Without a fused multiply-add they would take an age.
pub(crate) fn skips_zeros() -> bool {
    match arch() {
        #[cfg(target_arch = "x86_64")]
        Arch::V4(_) => true,
        _ => false,
    }
}
