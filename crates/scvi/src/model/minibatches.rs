//! A pass over cells in evaluation mode: many minibatches at a time, their results one by one.
//!
//! Nothing is trained, so that no minibatch waits for another. Each thread has a lane, in which
//! minibatches of a wave are read, loaded and evaluated from beginning to end; while the lanes work,
//! the results of the wave before are handed over in order. A minibatch's numbers do not depend on
//! its lane: however many there are, the results are bit-identical.

use scvi_kernels::Backend;

use std::mem::{replace, swap};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::cells::Cells;
use super::error::TaskError;
use super::pass::check_cells;
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

impl Room {
    /// Minibatches of a wave for each lane: threads wait for each other at a wave's end, and whoever
    /// wants to stop the task waits for it. Those of a likelihood may hold thousands of draws.
    fn per_lane(self) -> usize {
        match self {
            Self::Hidden => 8,
            Self::Decoded => 4,
            Self::Likelihood => 1,
        }
    }
}

/// A minibatch of which a task is done.
pub(super) struct Loaded<'a, B: Backend> {
    pub(super) ws: &'a mut Workspace<B>,
    pub(super) batch: &'a Minibatch,
    /// Place of the first cell among those of the task.
    pub(super) first: usize,
    /// Numbers of the draws to make.
    pub(super) draws: Range<u32>,
}

/// What works on one minibatch after the other.
struct Lane<B: Backend> {
    ws: Workspace<B>,
    batch: Minibatch,
    numbers: Vec<u32>,
}

/// What became of a minibatch.
struct Made<T> {
    value: T,
    result: Result<(), TaskError>,
}

/// Calls `work` on every minibatch, several at a time, and `take` in their order with what each
/// made. `work` finds in its last argument what an earlier minibatch left there.
pub(super) fn for_each_minibatch<B: Backend<Elem = f32>, T: Default + Send>(
    vae: &Vae<B>,
    cells: Cells,
    room: Room,
    watch: &mut Watch,
    work: impl Fn(Loaded<B>, &mut T) -> Result<(), TaskError> + Sync,
    take: impl FnMut(&mut T) -> Result<(), TaskError>,
) -> Result<(), TaskError> {
    for_each_draw(vae, cells, (room, 1, true), watch, work, take)
}

/// The same with so many draws of each minibatch: all at a time if `together`, else a few.
pub(super) fn for_each_draw<B: Backend<Elem = f32>, T: Default + Send>(
    vae: &Vae<B>,
    cells: Cells,
    (room, n_draws, together): (Room, u32, bool),
    watch: &mut Watch,
    work: impl Fn(Loaded<B>, &mut T) -> Result<(), TaskError> + Sync,
    take: impl FnMut(&mut T) -> Result<(), TaskError>,
) -> Result<(), TaskError> {
    let at_a_time = if together { n_draws } else { DRAWS };
    let starts = (0..n_draws).step_by(at_a_time.max(1) as usize);
    let groups: Vec<_> = starts.map(|start| start..n_draws.min(start + at_a_time)).collect();
    for_each(vae, cells, (room, &groups), watch, work, take)
}

fn for_each<B: Backend<Elem = f32>, T: Default + Send>(
    vae: &Vae<B>,
    cells: Cells,
    (room, draws): (Room, &[Range<u32>]),
    watch: &mut Watch,
    work: impl Fn(Loaded<B>, &mut T) -> Result<(), TaskError> + Sync,
    mut take: impl FnMut(&mut T) -> Result<(), TaskError>,
) -> Result<(), TaskError> {
    check_cells(vae, cells)?;
    // All draws of the first cells, then those of the next.
    let n_items = cells.len().div_ceil(cells.batch_size) * draws.len();
    let start = |item: usize| item / draws.len() * cells.batch_size;
    let places = |item| start(item)..(start(item) + cells.batch_size).min(cells.len());
    cells.data.expect((0..n_items).flat_map(places).map(|place| cells.number(place)));
    let n_lanes = rayon::current_num_threads().min(n_items);
    let mut lanes: Vec<Lane<B>> = (0..n_lanes).map(|_| Lane::new(vae, cells, room)).collect();
    let per_wave = n_items.min(n_lanes * room.per_lane());
    let places = || (0..per_wave).map(|_| Mutex::new(Made::<T>::default())).collect();
    let [mut made, mut next]: [Vec<_>; 2] = [places(), places()];
    let mut wave = 0..0;
    while wave.end < n_items || !wave.is_empty() {
        let following = wave.end..n_items.min(wave.end + per_wave);
        let (next_item, places) = (AtomicUsize::new(following.start), &next);
        let evaluate = |lane: &mut Lane<B>| {
            loop {
                let item = next_item.fetch_add(1, Ordering::Relaxed);
                if item >= following.end {
                    return;
                }
                let Made { value, result } = &mut *lock(&places[item - following.start]);
                let loaded = lane.load(vae, cells, start(item), draws[item % draws.len()].clone());
                *result = loaded.and_then(|loaded| work(loaded, value));
            }
        };
        rayon::in_place_scope(|scope| {
            for lane in &mut lanes {
                scope.spawn(|_| evaluate(lane));
            }
            made[..wave.len()].iter_mut().try_for_each(|made| take(&mut lock(made).value))
        })?;
        for item in wave {
            let is_last = (item + 1).is_multiple_of(draws.len());
            let done = start(item) + if is_last { cells.batch_size } else { 0 };
            tell(watch, done.min(cells.len()), cells.len())?;
        }
        for made in &next[..following.len()] {
            replace(&mut lock(made).result, Ok(()))?;
        }
        swap(&mut made, &mut next);
        wave = following;
    }
    Ok(())
}

/// A place belongs to one lane, then to the caller: nobody waits here.
fn lock<T>(place: &Mutex<T>) -> MutexGuard<'_, T> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T: Default> Default for Made<T> {
    fn default() -> Self {
        Self { value: T::default(), result: Ok(()) }
    }
}

impl<B: Backend<Elem = f32>> Lane<B> {
    fn new(vae: &Vae<B>, cells: Cells, room: Room) -> Self {
        let max_cells = cells.batch_size.min(cells.len());
        let max_nnz = cells.data.max_nnz(max_cells);
        let ws = match room {
            Room::Hidden => vae.hidden_workspace(max_cells, max_nnz),
            Room::Decoded => vae.decoding_workspace(max_cells, max_nnz),
            Room::Likelihood => vae.workspace(max_cells, max_nnz, false),
        };
        Self { ws, batch: Minibatch::default(), numbers: Vec::new() }
    }

    /// Reads the minibatch that begins at a place.
    fn load(
        &mut self,
        vae: &Vae<B>,
        cells: Cells,
        first: usize,
        draws: Range<u32>,
    ) -> Result<Loaded<'_, B>, TaskError> {
        let Self { ws, batch, numbers, .. } = self;
        cells.minibatch(first, numbers);
        cells.data.fill(numbers, batch)?;
        cells.number_noise(first, batch);
        ws.load(vae.backend(), batch);
        Ok(Loaded { ws, batch, first, draws })
    }
}
