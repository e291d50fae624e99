//! Which samples each contrast compares, and which contrasts are worked on together.

use scvi_kernels::{Philox, Stream};

use super::draws::{Draws, Populations};
use super::options::{Batches, Contrast, DifferentialOptions};

/// Samples that are kept at a time, unless one contrast needs more.
const MAX_SAMPLES: usize = 1 << 16;

/// Some samples of a set of draws.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// The set, by its place in the round.
    pub(super) set: usize,
    /// Places within the set.
    pub(super) places: Vec<u32>,
}

/// Samples of both groups, and their pairs.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub(super) contrast: Contrast,
    /// Of each group a part for each batch.
    pub(super) sides: [Vec<Part>; 2],
    /// Pairs of samples, by place within each side; the i-th with the i-th where `None`.
    pub(super) pairs: Option<[Vec<u32>; 2]>,
}

/// Contrasts that are worked on together, with the samples that they share.
#[derive(Debug, Clone, Default)]
pub(super) struct Round {
    pub(super) sets: Vec<Draws>,
    pub(super) contrasts: Vec<Planned>,
}

impl Round {
    fn n_samples(&self) -> usize {
        self.sets.iter().map(|set| set.numbers.len()).sum()
    }
}

/// Puts contrasts into rounds, in their order. What a contrast is compared by does not depend on
/// the others.
pub(super) fn rounds(
    contrasts: &[Contrast],
    populations: &Populations,
    options: &DifferentialOptions,
    n_batch: usize,
) -> Vec<Round> {
    let batches = [0, 1].map(|side| batches_of(options, side, n_batch));
    let is_paired_within = batches[0] == batches[1];
    let mut drafts = vec![Draft::default()];
    for &contrast in contrasts {
        let sides = [0, 1].map(|side| {
            let n = samples_of_batch(options.n_samples_overall, batches[side].len());
            let draws = |&batch: &Option<u32>| populations.draws(contrast, side, batch, n);
            batches[side].iter().map(draws).collect::<Vec<_>>()
        });
        let wanted = Wanted { contrast, sides };
        let is_full = |draft: &Draft| {
            !draft.wanted.is_empty() && draft.round.n_samples() + wanted.n_samples() > MAX_SAMPLES
        };
        if drafts.last().is_some_and(is_full) {
            drafts.push(Draft::default());
        }
        if let Some(draft) = drafts.last_mut() {
            wanted.sides.iter().flatten().for_each(|draws| draft.round.want(draws));
            draft.wanted.push(wanted);
        }
    }
    let finish = |Draft { mut round, wanted }: Draft| {
        let plan = |Wanted { contrast, sides }: Wanted| {
            let sides = sides.map(|side| side.iter().map(|draws| round.part(draws)).collect());
            let pairs = options.m_permutation.map(|m| {
                let philox = Philox::new(options.seed);
                random_pairs(philox, contrast, sizes(&sides), m, is_paired_within)
            });
            Planned { contrast, sides, pairs }
        };
        let contrasts = wanted.into_iter().map(plan).collect();
        round.contrasts = contrasts;
        round
    };
    drafts.into_iter().filter(|draft| !draft.wanted.is_empty()).map(finish).collect()
}

/// A round whose samples are not all known yet.
#[derive(Default)]
struct Draft {
    round: Round,
    wanted: Vec<Wanted>,
}

/// The samples that a contrast asks for, of each group a list for each batch.
struct Wanted {
    contrast: Contrast,
    sides: [Vec<Draws>; 2],
}

impl Wanted {
    fn n_samples(&self) -> usize {
        self.sides.iter().flatten().map(|draws| draws.numbers.len()).sum()
    }
}

impl Round {
    fn want(&mut self, draws: &Draws) {
        match self.sets.iter_mut().find(|set| set.source == draws.source) {
            Some(set) => set.join(&draws.numbers),
            None => self.sets.push(draws.clone()),
        }
    }

    fn part(&self, draws: &Draws) -> Part {
        let set = self.sets.iter().position(|set| set.source == draws.source).unwrap_or_default();
        Part { set, places: self.sets[set].places(&draws.numbers) }
    }
}

/// The batches that a side is decoded as, `None` for each cell's own.
fn batches_of(options: &DifferentialOptions, side: usize, n_batch: usize) -> Vec<Option<u32>> {
    let Batches::Corrected(asked) = &options.batches else { return vec![None] };
    let mut batches = asked[side].clone().unwrap_or_else(|| (0..n_batch.max(1) as u32).collect());
    batches.sort_unstable();
    batches.dedup();
    batches.into_iter().map(Some).collect()
}

/// Samples of each of some batches: an equal share, and 2 where that is none.
fn samples_of_batch(n_samples: usize, n_batches: usize) -> usize {
    match n_samples / n_batches.max(1) {
        0 => 2,
        n => n,
    }
}

fn sizes(sides: &[Vec<Part>; 2]) -> [Vec<usize>; 2] {
    sides.each_ref().map(|side| side.iter().map(|part| part.places.len()).collect())
}

/// Pairs with replacement, `m` of all samples, or an equal share of them within each batch.
fn random_pairs(
    philox: Philox,
    contrast: Contrast,
    sizes: [Vec<usize>; 2],
    m: usize,
    is_paired_within: bool,
) -> [Vec<u32>; 2] {
    let total = |side: &Vec<usize>| vec![side.iter().sum()];
    let sizes = if is_paired_within { sizes } else { sizes.each_ref().map(total) };
    let share = (m / sizes[0].len().max(1)).max(1);
    let second = contrast.group2.map_or(0, |group| group as u32 + 1);
    let mut pairs = [Vec::new(), Vec::new()];
    let mut first = [0; 2];
    for (part, (&a, &b)) in sizes[0].iter().zip(&sizes[1]).enumerate() {
        for k in 0..share {
            let item = (part * share + k) as u32;
            let words = philox.block(Stream::Pairs as u32, contrast.group1 as u32, item, second);
            let place = |word: u32, n: usize| ((u64::from(word) * n as u64) >> 32) as u32;
            pairs[0].push(first[0] + place(words[0], a));
            pairs[1].push(first[1] + place(words[1], b));
        }
        first = [first[0] + a as u32, first[1] + b as u32];
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::super::options::Group;
    use super::*;

    fn plan(contrasts: &[Contrast], options: &DifferentialOptions) -> Vec<Round> {
        let groups: Vec<Group> = (0..4)
            .map(|k| Group { name: k.to_string(), cells: (25 * k..25 * (k + 1)).collect() })
            .collect();
        rounds(contrasts, &Populations::new(&groups, 100, options.seed), options, 3)
    }

    fn one_against_rest() -> Vec<Contrast> {
        (0..4).map(|group1| Contrast { group1, group2: None }).collect()
    }

    /// All rests are parts of the samples of all cells.
    #[test]
    fn rests_share_their_samples() {
        let rounds = plan(&one_against_rest(), &DifferentialOptions::default());
        assert_eq!(rounds.len(), 1);
        assert_eq!(rounds[0].sets.len(), 5);
        assert!(rounds[0].n_samples() < 4 * 5000 + 8000, "{}", rounds[0].n_samples());
        for planned in &rounds[0].contrasts {
            assert_eq!(sizes(&planned.sides), [vec![5000], vec![5000]]);
            assert_ne!(planned.sides[0][0].set, planned.sides[1][0].set);
        }
    }

    #[test]
    fn many_samples_take_several_rounds_of_the_same_samples() {
        let options = DifferentialOptions { n_samples_overall: 30_000, ..Default::default() };
        let rounds = plan(&one_against_rest(), &options);
        assert!(rounds.len() > 1);
        assert!(rounds.iter().all(|round| round.n_samples() <= MAX_SAMPLES));
        let alone = plan(&one_against_rest()[3..], &options);
        let numbers = |round: &Round| {
            let planned = round.contrasts.last().unwrap();
            planned.sides.clone().map(|side| {
                let Part { set, places } = &side[0];
                let set = &round.sets[*set];
                (set.source, places.iter().map(|&i| set.numbers[i as usize]).collect::<Vec<_>>())
            })
        };
        assert_eq!(numbers(rounds.last().unwrap()), numbers(&alone[0]));
    }

    #[test]
    fn batches_share_the_samples_and_pairs_stay_within_them() {
        let options = DifferentialOptions {
            batches: Batches::Corrected([None, Some(vec![2, 0, 1, 2])]),
            m_permutation: Some(1000),
            ..Default::default()
        };
        let rounds = plan(&[Contrast { group1: 0, group2: Some(1) }], &options);
        let planned = &rounds[0].contrasts[0];
        assert_eq!(sizes(&planned.sides), [vec![1666; 3], vec![1666; 3]]);
        let [a, b] = planned.pairs.as_ref().unwrap();
        assert_eq!((a.len(), b.len()), (999, 999));
        assert!(a.iter().zip(b).all(|(a, b)| a / 1666 == b / 1666 && a / 1666 < 3));
        assert_ne!(a, b);
        // Other batches: pairs of all samples.
        let batches = Batches::Corrected([Some(vec![0]), Some(vec![1, 2])]);
        let options = DifferentialOptions { batches, ..options };
        let rounds = plan(&[Contrast { group1: 0, group2: Some(1) }], &options);
        let pairs = rounds[0].contrasts[0].pairs.clone().unwrap();
        assert_eq!(pairs.each_ref().map(Vec::len), [1000, 1000]);
        assert!(pairs[1].iter().any(|&b| b >= 2500));
        assert_eq!([samples_of_batch(3, 4), samples_of_batch(9, 4)], [2, 2]);
    }
}
