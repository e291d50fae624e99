//! A pass over cells in evaluation mode: many minibatches at a time, their results one by one.
//!
//! Nothing is trained, so that no minibatch waits for another. Each thread has a lane, in which a
//! minibatch is read, loaded and evaluated from beginning to end; while the lanes work, the results
//! of the wave before are handed over in order. A minibatch's numbers do not depend on its lane:
//! however many there are, the results are the same to the bit.

use std::mem::{replace, swap};
use std::ops::Range;

use scvi_kernels::Cpu;

use super::cells::Cells;
use super::pass::{TaskError, check_cells};
use super::watch::{Watch, tell};
use crate::module::{Minibatch, Vae, Workspace};

/// Draws that are handed over at a time where each is given for itself: the encoder runs once for
/// them, and memory does not grow with their number.
const DRAWS: u32 = 4;

/// What is computed of a minibatch.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// The posterior, and the decoder's hidden state.
    Hidden,
    /// What the decoder says of every gene.
    Decoded,
    /// The likelihood of its counts.
    Likelihood,
}

/// A minibatch of which a task is done.
pub(super) struct Loaded<'a> {
    pub(super) ws: &'a mut Workspace<Cpu<f32>>,
    pub(super) batch: &'a Minibatch,
    /// Place of the first cell among those of the task.
    pub(super) first: usize,
    /// Numbers of the draws to make.
    pub(super) draws: Range<u32>,
}

/// What works on one minibatch after the other.
struct Lane {
    ws: Workspace<Cpu<f32>>,
    batch: Minibatch,
    numbers: Vec<u32>,
    result: Result<(), TaskError>,
}

/// Calls `work` on every minibatch, several at a time, and `take` in their order with what each
/// made. `work` finds in its last argument what an earlier minibatch left there.
pub(super) fn for_each_minibatch<T: Default + Send>(
    vae: &Vae<Cpu<f32>>,
    cells: Cells,
    room: Room,
    watch: &mut Watch,
    work: impl Fn(Loaded, &mut T) -> Result<(), TaskError> + Sync,
    take: impl FnMut(&mut T) -> Result<(), TaskError>,
) -> Result<(), TaskError> {
    let groups = vec![0..1];
    for_each(vae, cells, (room, &groups), watch, work, take)
}

/// The same with so many draws of each minibatch: all at a time if `together`, else a few.
pub(super) fn for_each_draw<T: Default + Send>(
    vae: &Vae<Cpu<f32>>,
    cells: Cells,
    (room, n_draws, together): (Room, u32, bool),
    watch: &mut Watch,
    work: impl Fn(Loaded, &mut T) -> Result<(), TaskError> + Sync,
    take: impl FnMut(&mut T) -> Result<(), TaskError>,
) -> Result<(), TaskError> {
    let at_a_time = if together { n_draws } else { DRAWS };
    let starts = (0..n_draws).step_by(at_a_time.max(1) as usize);
    let groups: Vec<_> = starts.map(|start| start..n_draws.min(start + at_a_time)).collect();
    for_each(vae, cells, (room, &groups), watch, work, take)
}

fn for_each<T: Default + Send>(
    vae: &Vae<Cpu<f32>>,
    cells: Cells,
    (room, draws): (Room, &[Range<u32>]),
    watch: &mut Watch,
    work: impl Fn(Loaded, &mut T) -> Result<(), TaskError> + Sync,
    mut take: impl FnMut(&mut T) -> Result<(), TaskError>,
) -> Result<(), TaskError> {
    check_cells(vae, cells)?;
    // All draws of the first cells, then those of the next.
    let n_items = cells.len().div_ceil(cells.batch_size) * draws.len();
    let start = |item: usize| item / draws.len() * cells.batch_size;
    let n_lanes = rayon::current_num_threads().min(n_items);
    let mut lanes: Vec<Lane> = (0..n_lanes).map(|_| Lane::new(vae, cells, room)).collect();
    let results = || (0..n_lanes).map(|_| T::default()).collect();
    let (mut made, mut next): (Vec<T>, Vec<T>) = (results(), results());
    let mut wave = 0..0;
    while wave.end < n_items || !wave.is_empty() {
        let following = wave.end..n_items.min(wave.end + n_lanes);
        rayon::in_place_scope(|scope| {
            for ((lane, result), item) in lanes.iter_mut().zip(&mut next).zip(following.clone()) {
                let (work, draws) = (&work, draws[item % draws.len()].clone());
                scope.spawn(move |_| {
                    let loaded = lane.load(vae, cells, start(item), draws);
                    lane.result = loaded.and_then(|loaded| work(loaded, result));
                });
            }
            made[..wave.len()].iter_mut().try_for_each(&mut take)
        })?;
        for item in wave {
            let is_last = (item + 1).is_multiple_of(draws.len());
            let done = start(item) + if is_last { cells.batch_size } else { 0 };
            tell(watch, done.min(cells.len()), cells.len())?;
        }
        for lane in &mut lanes[..following.len()] {
            replace(&mut lane.result, Ok(()))?;
        }
        swap(&mut made, &mut next);
        wave = following;
    }
    Ok(())
}

impl Lane {
    fn new(vae: &Vae<Cpu<f32>>, cells: Cells, room: Room) -> Self {
        let max_cells = cells.batch_size.min(cells.len());
        let max_nnz = cells.data.max_nnz(max_cells);
        let ws = match room {
            Room::Hidden => vae.hidden_workspace(max_cells, max_nnz),
            Room::Decoded => vae.decoding_workspace(max_cells, max_nnz),
            Room::Likelihood => vae.workspace(max_cells, max_nnz, false),
        };
        Self { ws, batch: Minibatch::default(), numbers: Vec::new(), result: Ok(()) }
    }

    /// Reads the minibatch that begins at a place.
    fn load(
        &mut self,
        vae: &Vae<Cpu<f32>>,
        cells: Cells,
        first: usize,
        draws: Range<u32>,
    ) -> Result<Loaded<'_>, TaskError> {
        let Self { ws, batch, numbers, .. } = self;
        cells.minibatch(first, numbers);
        cells.data.fill(numbers, batch)?;
        cells.number_noise(first, batch);
        ws.load(vae.backend(), batch);
        Ok(Loaded { ws, batch, first, draws })
    }
}
