//! Counts that are read from a file while they are needed.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use scvi_kernels::CsrRows;

use super::{CountSource, CsrMatrix, RowBlocks};

/// Threads that read ahead.
const READERS: usize = 2;

/// Counts in a file as a [`CountSource`] of bounded memory.
///
/// Cells are read in blocks of neighbours. Where the order of reading was announced
/// ([`CountSource::expect`]), threads of its own read ahead of it, and a block is kept from then
/// until the last cell that is expected of it was read; at most `capacity` cells are held like that.
/// What was not announced is read when it is asked for. The rows are the same either way.
pub struct StreamedCounts {
    shared: Arc<Shared>,
    max_nnz_per_cell: usize,
    readers: Vec<JoinHandle<()>>,
}

struct Shared {
    source: Box<dyn RowBlocks>,
    block_size: usize,
    /// blocks held at a time
    capacity: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// cells that will be read of a block
    expected: HashMap<u32, usize>,
    /// blocks in the order in which they will be needed
    queue: VecDeque<u32>,
    held: HashMap<u32, Held>,
    /// the last block that nobody had expected
    last: Option<(u32, Arc<CsrMatrix>)>,
    is_closing: bool,
}

enum Held {
    Loading,
    Ready(Arc<CsrMatrix>),
}

impl StreamedCounts {
    /// Starts the threads that read ahead.
    ///
    /// No cell has more than `max_nnz_per_cell` counts; `block_size` neighbours are read together,
    /// and `capacity` cells held at a time (at least a block for each thread).
    pub fn new(
        source: Box<dyn RowBlocks>,
        max_nnz_per_cell: usize,
        block_size: usize,
        capacity: usize,
    ) -> Self {
        let block_size = block_size.max(1);
        let shared = Arc::new(Shared {
            source,
            block_size,
            capacity: (capacity / block_size).max(READERS),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let reader = |_| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.read_ahead())
        };
        let readers = (0..READERS).map(reader).collect();
        Self { shared, max_nnz_per_cell, readers }
    }
}

impl CountSource for StreamedCounts {
    fn n_cells(&self) -> usize {
        self.shared.source.n_cells()
    }

    fn n_genes(&self) -> usize {
        self.shared.source.n_genes()
    }

    fn max_nnz_per_cell(&self) -> usize {
        self.max_nnz_per_cell
    }

    fn read(&self, cells: &[u32], rows: &mut CsrRows) -> io::Result<()> {
        let block_size = self.shared.block_size as u32;
        for run in cells.chunk_by(|a, b| a / block_size == b / block_size) {
            let block = run[0] / block_size;
            let counts = self.shared.block(block, run.len())?;
            for &cell in run {
                let (genes, counts) = counts.row((cell - block * block_size) as usize);
                if genes.len() > self.max_nnz_per_cell {
                    let told = format!("cell {cell} has more counts than when it was first read");
                    return Err(io::Error::new(io::ErrorKind::InvalidData, told));
                }
                rows.push(genes, counts);
            }
        }
        Ok(())
    }

    fn expect(&self, cells: &mut dyn Iterator<Item = u32>) {
        let mut state = self.shared.lock();
        state.expected.clear();
        state.queue.clear();
        let State { expected, queue, .. } = &mut *state;
        for cell in cells {
            let block = cell / self.shared.block_size as u32;
            let reads = expected.entry(block).or_insert(0);
            if *reads == 0 {
                queue.push_back(block);
            }
            *reads += 1;
        }
        let State { expected, held, .. } = &mut *state;
        held.retain(|block, held| matches!(held, Held::Loading) || expected.contains_key(block));
        self.shared.changed.notify_all();
    }
}

impl Drop for StreamedCounts {
    fn drop(&mut self) {
        self.shared.lock().is_closing = true;
        self.shared.changed.notify_all();
        for reader in self.readers.drain(..) {
            // A panic of a reader was told where it happened.
            let _ = reader.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// The work of a reader: block after block of the queue, as long as there is room.
    fn read_ahead(&self) {
        let mut state = self.lock();
        while !state.is_closing {
            match state.next(self.capacity) {
                None => state = self.wait(state),
                Some(block) => {
                    drop(state);
                    // Whoever needs the block tries once more, and has the error.
                    let _ = self.load(block);
                    state = self.lock();
                }
            }
        }
    }

    /// A block of which `reads` cells are about to be read.
    fn block(&self, block: u32, reads: usize) -> io::Result<Arc<CsrMatrix>> {
        let mut state = self.lock();
        loop {
            match state.held.get(&block) {
                Some(Held::Loading) => state = self.wait(state),
                Some(Held::Ready(counts)) => {
                    let counts = Arc::clone(counts);
                    if state.used(block, reads) {
                        self.changed.notify_all();
                    }
                    return Ok(counts);
                }
                None => break,
            }
        }
        if let Some((_, counts)) = state.last.as_ref().filter(|(last, _)| *last == block) {
            return Ok(Arc::clone(counts));
        }
        state.held.insert(block, Held::Loading);
        drop(state);
        let counts = self.load(block)?;
        self.lock().used(block, reads);
        Ok(counts)
    }

    /// Reads a block that stands as being loaded, and hands it to whoever waits for it.
    fn load(&self, block: u32) -> io::Result<Arc<CsrMatrix>> {
        let mut claim = Claim { shared: self, block, counts: None };
        let start = block as usize * self.block_size;
        let end = (start + self.block_size).min(self.source.n_cells());
        let counts = Arc::new(self.source.read(start..end)?);
        claim.counts = Some(Arc::clone(&counts));
        Ok(counts)
    }
}

impl State {
    /// The next block to read ahead, which then stands as being loaded.
    fn next(&mut self, capacity: usize) -> Option<u32> {
        while self.held.len() < capacity {
            let block = self.queue.pop_front()?;
            if self.expected.contains_key(&block) && !self.held.contains_key(&block) {
                self.held.insert(block, Held::Loading);
                return Some(block);
            }
        }
        None
    }

    /// Notes that cells of a block were read; whether it is thereby done with.
    fn used(&mut self, block: u32, reads: usize) -> bool {
        let Some(expected) = self.expected.get_mut(&block) else { return false };
        *expected = expected.saturating_sub(reads);
        if *expected > 0 {
            return false;
        }
        self.expected.remove(&block);
        self.held.remove(&block).is_some()
    }
}

/// A block that stands as being loaded, until this is dropped: on an error or a panic as well.
struct Claim<'a> {
    shared: &'a Shared,
    block: u32,
    counts: Option<Arc<CsrMatrix>>,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        match self.counts.take() {
            Some(counts) if state.expected.contains_key(&self.block) => {
                state.held.insert(self.block, Held::Ready(counts));
            }
            counts => {
                state.held.remove(&self.block);
                state.last = counts.map(|counts| (self.block, counts)).or(state.last.take());
            }
        }
        self.shared.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::Shuffling;
    use super::super::simulate::{SimulateConfig, simulate};
    use super::*;

    /// A matrix that counts how often it is read, and by how many at a time.
    struct Watched {
        counts: CsrMatrix,
        reads: Arc<AtomicUsize>,
        /// fails with an error, or a panic, at this cell
        bad: Option<(usize, bool)>,
    }

    impl RowBlocks for Watched {
        fn n_cells(&self) -> usize {
            RowBlocks::n_cells(&self.counts)
        }

        fn n_genes(&self) -> usize {
            RowBlocks::n_genes(&self.counts)
        }

        fn read(&self, cells: std::ops::Range<usize>) -> io::Result<CsrMatrix> {
            self.reads.fetch_add(1, Ordering::SeqCst);
            match self.bad {
                Some((cell, true)) if cells.contains(&cell) => panic!("as the test wants it"),
                Some((cell, false)) if cells.contains(&cell) => Err(io::Error::other("bad block")),
                _ => RowBlocks::read(&self.counts, cells),
            }
        }
    }

    fn streamed(
        n_cells: usize,
        capacity: usize,
        bad: Option<(usize, bool)>,
    ) -> (CsrMatrix, StreamedCounts, Arc<AtomicUsize>) {
        let config = SimulateConfig { n_cells, n_genes: 30, density: 0.3, ..Default::default() };
        let counts = simulate(&config).counts;
        let reads = Arc::new(AtomicUsize::new(0));
        let source = Watched { counts: counts.clone(), reads: Arc::clone(&reads), bad };
        let max_nnz = counts.max_nnz_per_cell();
        (counts, StreamedCounts::new(Box::new(source), max_nnz, 8, capacity), reads)
    }

    fn read(source: &dyn CountSource, cells: &[u32]) -> io::Result<CsrRows> {
        let mut rows = CsrRows::default();
        rows.clear();
        cells.chunks(10).try_for_each(|cells| source.read(cells, &mut rows)).map(|()| rows)
    }

    fn same(a: &CsrRows, b: &CsrRows) -> bool {
        (&a.indptr, &a.genes, &a.counts) == (&b.indptr, &b.genes, &b.counts)
    }

    #[test]
    fn any_order_gives_the_rows_of_the_matrix() {
        let (counts, streamed, reads) = streamed(101, 32, None);
        let mut cells: Vec<u32> = (0..101).chain([3, 3, 100, 0]).collect();
        for (epoch, announced) in [true, false, true].into_iter().enumerate() {
            let shuffling = Shuffling::Blocks { block_size: 8, buffer_size: 16 };
            shuffling.shuffle(1, epoch as u32, &mut cells);
            let before = reads.load(Ordering::SeqCst);
            if announced {
                streamed.expect(&mut cells.iter().copied());
            }
            let rows = read(&streamed, &cells).unwrap();
            assert!(same(&rows, &read(&counts, &cells).unwrap()));
            // Announced, each of the 13 blocks is read once, if it is not the last one read before.
            let blocks = reads.load(Ordering::SeqCst) - before;
            assert!(if announced { (12..=13).contains(&blocks) } else { blocks > 13 }, "{blocks}");
        }
        assert!(streamed.shared.lock().held.is_empty());
    }

    #[test]
    fn what_is_held_stays_within_the_capacity() {
        let (_, streamed, reads) = streamed(400, 40, None);
        let all: Vec<u32> = (0..400).collect();
        streamed.expect(&mut all.iter().copied());
        // Readers stop where the room ends, and go on when a block was read to its end.
        while reads.load(Ordering::SeqCst) < 5 {
            thread::yield_now();
        }
        let held = || streamed.shared.lock().held.len();
        assert_eq!(held(), 5);
        for start in (0..400).step_by(8) {
            read(&streamed, &all[start..start + 8]).unwrap();
            assert!(held() <= 5);
        }
        assert_eq!(reads.load(Ordering::SeqCst), 50);
    }

    #[test]
    fn another_announcement_replaces_the_first() {
        let (counts, streamed, _) = streamed(80, 24, None);
        streamed.expect(&mut (0..80));
        let _ = read(&streamed, &[0, 1]).unwrap();
        let back: Vec<u32> = (0..80).rev().collect();
        streamed.expect(&mut back.iter().copied());
        assert!(same(&read(&streamed, &back).unwrap(), &read(&counts, &back).unwrap()));
        assert!(streamed.shared.lock().held.is_empty());
    }

    #[test]
    fn several_threads_read_at_once() {
        let (counts, streamed, _) = streamed(200, 32, None);
        let all: Vec<u32> = (0..200).collect();
        streamed.expect(&mut all.iter().copied());
        thread::scope(|scope| {
            for part in all.chunks(37) {
                let (streamed, counts) = (&streamed, &counts);
                scope.spawn(move || {
                    let rows = read(streamed, part).unwrap();
                    assert!(same(&rows, &read(counts, part).unwrap()));
                });
            }
        });
    }

    #[test]
    fn errors_and_panics_of_a_reader_reach_whoever_needs_the_block() {
        let all: Vec<u32> = (0..80).collect();
        let (_, failing, _) = streamed(80, 32, Some((20, false)));
        failing.expect(&mut all.iter().copied());
        assert_eq!(read(&failing, &all).unwrap_err().to_string(), "bad block");
        assert!(read(&failing, &all[40..]).is_ok());
        let (_, panicking, _) = streamed(80, 32, Some((20, true)));
        panicking.expect(&mut all.iter().copied());
        thread::scope(|scope| {
            let reader = scope.spawn(|| read(&panicking, &all));
            assert!(reader.join().is_err());
        });
        assert!(read(&panicking, &all[40..]).is_ok());
    }

    #[test]
    fn a_cell_that_has_grown_is_an_error() {
        let (counts, _, reads) = streamed(20, 32, None);
        let most = counts.max_nnz_per_cell();
        let source = Watched { counts, reads, bad: None };
        let streamed = StreamedCounts::new(Box::new(source), most - 1, 8, 32);
        let told = read(&streamed, &(0..20).collect::<Vec<_>>()).unwrap_err().to_string();
        assert!(told.contains("more counts than when it was first read"), "{told}");
    }
}
