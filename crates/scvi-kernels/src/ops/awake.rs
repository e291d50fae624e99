//! Parallel work whose threads stay awake while they wait for one another.
//!
//! An idle thread of the pool falls asleep after some 20 µs, and waking it takes up to 100 µs:
//! longer than a hidden layer takes. Here it looks for other work meanwhile, and for a while only.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::{Duration, Instant};

/// How long a thread that finds nothing to do stays awake.
const PATIENCE: Duration = Duration::from_micros(500);

/// Runs `work` on this thread and `aside` on another, which then stays awake to take parts of
/// `work` until that is over.
pub fn attended<A: Send, B: Send>(
    work: impl FnOnce() -> A + Send,
    aside: impl FnOnce() -> B + Send,
) -> (A, B) {
    let over = AtomicBool::new(false);
    rayon::join(
        || {
            let _set = OnDrop(|| over.store(true, Ordering::Release));
            work()
        },
        || {
            let result = aside();
            stay_awake(|| !over.load(Ordering::Acquire));
            result
        },
    )
}

/// `rayon::join`, but the thread that is done first waits for the other awake.
pub(crate) fn join(first: impl FnOnce() + Send, second: impl FnOnce() + Send) {
    const RUNNING: u8 = 1;
    const OVER: u8 = 2;
    let state = AtomicU8::new(0);
    rayon::join(
        || {
            first();
            // If no thread has taken it, there is none to wait for.
            stay_awake(|| state.load(Ordering::Acquire) == RUNNING);
        },
        || {
            state.store(RUNNING, Ordering::Release);
            let _set = OnDrop(|| state.store(OVER, Ordering::Release));
            second();
        },
    );
}

/// Looks for work of the pool as long as there is reason to.
fn stay_awake(reason: impl Fn() -> bool) {
    let mut idle_since = Instant::now();
    while reason() {
        match rayon::yield_now() {
            Some(rayon::Yield::Executed) => idle_since = Instant::now(),
            _ if idle_since.elapsed() > PATIENCE => return,
            _ => (0..16).for_each(|_| std::hint::spin_loop()),
        }
    }
}

/// Runs an operation at the end of a scope, be it by unwinding.
struct OnDrop<T: Fn()>(T);

impl<T: Fn()> Drop for OnDrop<T> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    fn in_pool<R: Send>(threads: usize, op: impl FnOnce() -> R + Send) -> R {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(op)
    }

    /// The sum of a range, a join for every halving.
    fn sum(range: std::ops::Range<u64>) -> u64 {
        if range.end - range.start < 2 {
            return range.sum();
        }
        let mid = range.start.midpoint(range.end);
        let (mut low, mut high) = (0, 0);
        join(|| low = sum(range.start..mid), || high = sum(mid..range.end));
        low + high
    }

    #[test]
    fn both_sides_run_on_any_number_of_threads() {
        for threads in [1, 2, 5] {
            let both = in_pool(threads, || attended(|| sum(0..1000), || sum(1000..2000)));
            assert_eq!(both, (499_500, 1_499_500), "{threads} threads");
        }
    }

    #[test]
    fn patience_ends_where_the_work_takes_long() {
        let slow = || std::thread::sleep(4 * PATIENCE);
        let both = in_pool(2, || attended(|| (slow(), sum(0..100)).1, || 7));
        assert_eq!(both, (4950, 7));
        in_pool(2, || join(|| (), slow));
    }

    #[test]
    fn a_panic_on_either_side_comes_through_and_nobody_waits_for_ever() {
        let oh_no = || panic!("oh no");
        for threads in [1, 2] {
            in_pool(threads, || {
                let attempts: [&dyn Fn(); 4] = [
                    &|| join(oh_no, || ()),
                    &|| join(|| (), oh_no),
                    &|| _ = attended(oh_no, || ()),
                    &|| _ = attended(|| (), oh_no),
                ];
                for attempt in attempts {
                    assert!(catch_unwind(AssertUnwindSafe(attempt)).is_err());
                }
            });
        }
    }
}
