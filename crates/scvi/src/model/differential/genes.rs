//! Every gene of every contrast, from the samples of a round: 128 genes at a time.

use rayon::prelude::*;
use scvi_kernels::Backend;
use scvi_kernels::ops::pairs::gather;

use super::meter::Meter;
use super::plan::{Part, Planned};
use super::round::DecodedRound;
use crate::model::error::TaskError;
use crate::module::Vae;

/// Genes that a thread decodes at a time.
const BLOCK: usize = 128;
/// Blocks between two looks at whoever watches.
const BLOCKS: usize = 16;

/// One gene of one contrast.
pub(super) struct Case<'a> {
    /// Place of the contrast in the round.
    pub(super) contrast: usize,
    /// px_scale of each group's samples.
    pub(super) samples: [&'a [f32]; 2],
    /// The same as pairs, of equal length.
    pub(super) pairs: [&'a [f32]; 2],
}

/// Calls `task` with each of `genes` of each contrast; gives its answers by contrast, genes in
/// their order.
///
/// px_scale of a set is decoded when a contrast first asks for it, and dropped after the last one.
pub(super) fn for_each_gene<B: Backend<Elem = f32>, T: Send>(
    vae: &Vae<B>,
    round: &DecodedRound<B>,
    genes: &[u32],
    meter: &mut Meter,
    task: &(dyn Fn(Case) -> T + Sync),
) -> Result<Vec<Vec<T>>, TaskError> {
    let uses = Uses::new(round);
    let mut answers: Vec<Vec<T>> = round.contrasts.iter().map(|_| Vec::new()).collect();
    for genes in genes.chunks(BLOCK * BLOCKS) {
        let blocks: Vec<Vec<Vec<T>>> =
            genes.par_chunks(BLOCK).map(|block| of_block(vae, round, block, &uses, task)).collect();
        for block in blocks {
            answers.iter_mut().zip(block).for_each(|(all, some)| all.extend(some));
        }
        meter.add(genes.len() * round.contrasts.len())?;
    }
    Ok(answers)
}

/// How contrasts read sets, which is the same for every gene.
struct Uses {
    /// The last contrast that reads each set.
    last: Vec<usize>,
    /// Of each contrast's sides, whether it is the first samples of one set.
    is_front: Vec<[bool; 2]>,
}

impl Uses {
    fn new<B: Backend>(round: &DecodedRound<B>) -> Self {
        let mut last = vec![0; round.sets.len()];
        for (k, planned) in round.contrasts.iter().enumerate() {
            planned.sides.iter().flatten().for_each(|part| last[part.set] = k);
        }
        let of = |planned: &Planned| planned.sides.each_ref().map(|parts| is_front(parts));
        Self { last, is_front: round.contrasts.iter().map(of).collect() }
    }
}

fn of_block<B: Backend<Elem = f32>, T>(
    vae: &Vae<B>,
    round: &DecodedRound<B>,
    genes: &[u32],
    uses: &Uses,
    task: &(dyn Fn(Case) -> T + Sync),
) -> Vec<Vec<T>> {
    let mut rows =
        Rows { sets: round.sets.iter().map(|_| Vec::new()).collect(), spare: Vec::new() };
    let mut gathered = Gathered::default();
    let of_contrast = |(k, planned): (usize, &Planned)| {
        for part in planned.sides.iter().flatten() {
            rows.decode(vae, round, part.set, genes);
        }
        let answers = (0..genes.len()).map(|i| {
            let [first, second] = &planned.sides;
            let Gathered { sides: [of_first, of_second], pairs: [firsts, seconds] } = &mut gathered;
            let a = side(first, uses.is_front[k][0], round, &rows, i, of_first);
            let b = side(second, uses.is_front[k][1], round, &rows, i, of_second);
            let pairs = match &planned.pairs {
                None => {
                    let n = a.len().min(b.len());
                    [&a[..n], &b[..n]]
                }
                Some(places) => {
                    gather(a, &places[0], firsts);
                    gather(b, &places[1], seconds);
                    [&firsts[..], &seconds[..]]
                }
            };
            task(Case { contrast: k, samples: [a, b], pairs })
        });
        let answers = answers.collect();
        rows.forget(|set| uses.last[set] <= k);
        answers
    };
    round.contrasts.iter().enumerate().map(of_contrast).collect()
}

/// px_scale of a block of genes.
struct Rows {
    sets: Vec<Vec<f32>>, // of each set (genes, stride), empty where not decoded
    spare: Vec<Vec<f32>>,
}

impl Rows {
    fn decode<B: Backend<Elem = f32>>(
        &mut self,
        vae: &Vae<B>,
        round: &DecodedRound<B>,
        set: usize,
        genes: &[u32],
    ) {
        if self.sets[set].is_empty() {
            let samples = &round.sets[set];
            let mut rows = self.spare.pop().unwrap_or_default();
            rows.resize(genes.len() * samples.stride(), 0.0);
            vae.px_scale_by_gene(samples, genes, &mut rows);
            self.sets[set] = rows;
        }
    }

    fn forget(&mut self, is_done: impl Fn(usize) -> bool) {
        for (set, rows) in self.sets.iter_mut().enumerate() {
            if is_done(set) && !rows.is_empty() {
                self.spare.push(std::mem::take(rows));
            }
        }
    }
}

/// Buffer for samples that do not stand side by side.
#[derive(Default)]
struct Gathered {
    sides: [Vec<f32>; 2],
    pairs: [Vec<f32>; 2],
}

/// One gene's px_scale of all samples of a side.
fn side<'a, B: Backend>(
    parts: &[Part],
    is_front: bool,
    round: &DecodedRound<B>,
    rows: &'a Rows,
    gene: usize,
    gathered: &'a mut Vec<f32>,
) -> &'a [f32] {
    let row = |part: &Part| {
        let stride = round.sets[part.set].stride();
        &rows.sets[part.set][gene * stride..][..stride]
    };
    if is_front {
        return &row(&parts[0])[..parts[0].places.len()];
    }
    gathered.clear();
    for part in parts {
        let row = row(part);
        gathered.extend(part.places.iter().map(|&place| row[place as usize]));
    }
    gathered
}

/// Whether the parts are one, of the first samples in their order.
fn is_front(parts: &[Part]) -> bool {
    matches!(parts, [part] if part.places.iter().enumerate().all(|(i, &place)| i == place as usize))
}
