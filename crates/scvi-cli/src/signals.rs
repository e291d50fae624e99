//! Ctrl-C and SIGTERM: the first asks, the second ends.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

const CAUGHT: [i32; 2] = [SIGINT, SIGTERM];

/// The signals that ask a run to stop, from here on.
pub struct Signals {
    /// Which of them came.
    received: [Arc<AtomicBool>; 2],
}

impl Signals {
    /// Catches the first; a second ends the program at once, with the same exit code.
    pub fn install() -> io::Result<Self> {
        let received = CAUGHT.map(|_| Arc::new(AtomicBool::new(false)));
        let again = Arc::new(AtomicBool::new(false));
        for (signal, received) in CAUGHT.into_iter().zip(&received) {
            // In this order: the first signal sets what the second finds.
            flag::register_conditional_shutdown(signal, exit_code(signal).into(), again.clone())?;
            flag::register(signal, again.clone())?;
            flag::register(signal, received.clone())?;
        }
        Ok(Self { received })
    }

    /// The exit code to end with, if there was a signal.
    ///
    /// Two that came in the same instant, in two threads, did not find each other: that ends the
    /// program here.
    pub fn received(&self) -> Option<u8> {
        let received = CAUGHT.into_iter().zip(&self.received);
        let mut codes = received
            .filter(|(_, received)| received.load(Ordering::Relaxed))
            .map(|(signal, _)| exit_code(signal));
        match (codes.next(), codes.next()) {
            (Some(code), Some(_)) => low_level::exit(code.into()),
            (code, _) => code,
        }
    }
}

/// What a shell says of a program that the signal ended.
fn exit_code(signal: i32) -> u8 {
    128 + signal as u8
}
