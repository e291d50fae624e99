//! Workers in one process.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};

use super::Comm;

/// A worker among others in the same process, each in a thread of its own.
///
/// Workers wait for each other: each needs a rayon pool of its own.
pub struct Threads {
    rank: usize,
    /// To each worker.
    to: Vec<Sender<Vec<u8>>>,
    /// From each worker.
    from: Vec<Mutex<Receiver<Vec<u8>>>>,
}

impl Threads {
    /// So many workers.
    pub fn workers(size: usize) -> Vec<Self> {
        let none = |rank| Self { rank, to: Vec::new(), from: Vec::new() };
        let mut workers: Vec<_> = (0..size).map(none).collect();
        for from in 0..size {
            for to in 0..size {
                let (sender, receiver) = channel();
                workers[from].to.push(sender);
                workers[to].from.push(Mutex::new(receiver));
            }
        }
        workers
    }
}

impl Comm for Threads {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.to.len()
    }

    fn exchange(&self, sent: &[&[u8]], received: &mut [&mut [u8]]) {
        for (to, bytes) in self.to.iter().zip(sent) {
            to.send(bytes.to_vec()).expect(ENDED);
        }
        for (from, bytes) in self.from.iter().zip(received) {
            let from = from.lock().unwrap_or_else(PoisonError::into_inner);
            bytes.copy_from_slice(&from.recv().expect(ENDED));
        }
    }
}

const ENDED: &str = "another worker has ended";

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn each_worker_receives_what_was_sent_to_it() {
        let workers = Threads::workers(3);
        thread::scope(|scope| {
            for worker in workers {
                scope.spawn(move || {
                    let rank = worker.rank() as u8;
                    let sent = [0, 1, 2].map(|to| vec![10 * rank + to; 1 + to as usize]);
                    let mut received = [(); 3].map(|()| vec![0; 1 + rank as usize]);
                    let sent = sent.each_ref().map(|bytes| &bytes[..]);
                    worker.exchange(&sent, &mut received.each_mut().map(|bytes| &mut bytes[..]));
                    let want = [0, 10, 20].map(|from| vec![from + rank; 1 + rank as usize]);
                    assert_eq!(received, want);
                });
            }
        });
    }

    #[test]
    #[should_panic(expected = "another worker has ended")]
    fn nobody_waits_for_a_worker_that_has_ended() {
        let mut workers = Threads::workers(2);
        drop(workers.pop());
        workers[0].exchange(&[&[], &[]], &mut [&mut [], &mut []]);
    }
}
