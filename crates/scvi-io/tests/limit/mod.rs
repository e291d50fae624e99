//! What a reader may allocate: twice the file and 64 MiB.

use std::alloc::System;
use std::sync::{Mutex, MutexGuard, PoisonError};

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The allocator counts for the whole process: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// Held by a test that measures.
pub fn alone() -> MutexGuard<'static, ()> {
    let guard = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let region = Region::new(ALLOCATOR);
    drop(std::hint::black_box(vec![0u8; 1000]));
    assert!(region.change().bytes_allocated >= 1000, "the allocator does not count");
    guard
}

/// Runs `op`; all it allocates, even what it gave back, must be within twice the file and 64 MiB.
pub fn within_limit<T>(file: usize, what: &str, op: impl FnOnce() -> T) -> T {
    let region = Region::new(ALLOCATOR);
    let result = op();
    let allocated = region.change().bytes_allocated;
    let limit = 2 * file + (64 << 20);
    assert!(allocated <= limit, "{what}: {allocated} bytes allocated, {limit} allowed");
    result
}
