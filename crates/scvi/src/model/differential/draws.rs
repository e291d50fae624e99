//! Which posterior samples there are: every one has a number, and with it a cell and its noise.

use std::borrow::Cow;
use std::collections::HashMap;

use scvi_kernels::{Philox, Stream};

use super::error::DifferentialError;
use super::options::{Contrast, Group};

/// Least share of cells in a rest that is drawn from all cells.
const LEAST_SHARE: f64 = 1.0 / 16.0;

/// The cells that samples are drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Population {
    /// Every cell. The rest of any group is a part of these samples, and so is shared among groups.
    Everyone,
    /// A group.
    Group(usize),
    /// The cells that are not in a group; drawn from where they are few.
    Rest(usize),
}

impl Population {
    /// One group of a contrast.
    pub(super) fn of(contrast: Contrast, side: usize) -> Self {
        let group = [Some(contrast.group1), contrast.group2][side];
        group.map_or(Self::Rest(contrast.group1), Self::Group)
    }
}

/// A population decoded as one batch, or each cell as its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Source {
    pub(super) population: Population,
    pub(super) batch: Option<u32>,
}

/// Samples of one source by number, in rising order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Draws {
    pub(super) source: Source,
    pub(super) numbers: Vec<u32>,
}

/// Cells of all populations.
pub(super) struct Populations<'a> {
    groups: &'a [Group],
    n_cells: usize,
    philox: Philox,
    /// The cells of populations that were given without their outliers.
    kept: HashMap<Population, Vec<u32>>,
}

impl<'a> Populations<'a> {
    pub(super) fn new(groups: &'a [Group], n_cells: usize, seed: u64) -> Self {
        Self { groups, n_cells, philox: Philox::new(seed), kept: HashMap::new() }
    }

    /// Makes sure that both groups of a contrast have cells.
    pub(super) fn check(&self, contrast: Contrast) -> Result<(), DifferentialError> {
        let n_groups = self.groups.len();
        for group in [Some(contrast.group1), contrast.group2].into_iter().flatten() {
            let found = self.groups.get(group);
            let found = found.ok_or(DifferentialError::NoGroup { found: group, n_groups })?;
            if found.cells.is_empty() {
                return Err(DifferentialError::EmptyGroup { name: found.name.clone() });
            }
        }
        let Contrast { group1, group2 } = contrast;
        if group2.is_none() && self.rest(group1).is_empty() {
            return Err(DifferentialError::NoRest { name: self.groups[group1].name.clone() });
        }
        Ok(())
    }

    /// Whether each cell is one of some: `(cells)`.
    fn is_one_of(&self, cells: &[u32]) -> Vec<bool> {
        let mut is_one = vec![false; self.n_cells];
        cells.iter().for_each(|&cell| is_one[cell as usize] = true);
        is_one
    }

    /// The cells that are not in a group.
    fn rest(&self, group: usize) -> Vec<u32> {
        let is_member = self.is_one_of(&self.groups[group].cells);
        (0..self.n_cells as u32).filter(|&cell| !is_member[cell as usize]).collect()
    }

    /// The cells of a population, with its outliers.
    pub(super) fn all_cells(&self, population: Population) -> Cow<'_, [u32]> {
        match population {
            Population::Everyone => (0..self.n_cells as u32).collect(),
            Population::Group(group) => Cow::Borrowed(&self.groups[group].cells),
            Population::Rest(group) => Cow::Owned(self.rest(group)),
        }
    }

    /// Draws from some cells of a population only.
    pub(super) fn keep(&mut self, population: Population, cells: Vec<u32>) {
        self.kept.insert(population, cells);
    }

    /// The cells of a population that are drawn from.
    pub(super) fn cells(&self, population: Population) -> Cow<'_, [u32]> {
        let kept = self.kept.get(&population);
        kept.map_or_else(|| self.all_cells(population), |cells| Cow::Borrowed(&cells[..]))
    }

    /// How many cells were left out of a population, where outliers could be told.
    pub(super) fn n_left_out(&self, population: Population) -> Option<usize> {
        let kept = self.kept.get(&population)?;
        Some(self.all_cells(population).len() - kept.len())
    }

    /// The groups as they are drawn from, and behind them the rests that contrasts ask for: group
    /// g's at the number of groups + g.
    pub(super) fn drawn_groups(&self, contrasts: &[Contrast]) -> Vec<Group> {
        let drawn =
            |population| Group { name: String::new(), cells: self.cells(population).into() };
        let n = self.groups.len();
        let mut groups: Vec<Group> = (0..n).map(|k| drawn(Population::Group(k))).collect();
        groups.resize(2 * n, Group { name: String::new(), cells: Vec::new() });
        for contrast in contrasts.iter().filter(|contrast| contrast.group2.is_none()) {
            groups[n + contrast.group1] = drawn(Population::Rest(contrast.group1));
        }
        groups
    }

    /// A contrast of [`Self::drawn_groups`].
    pub(super) fn of_drawn(&self, Contrast { group1, group2 }: Contrast) -> Contrast {
        Contrast { group1, group2: Some(group2.unwrap_or(self.groups.len() + group1)) }
    }

    /// The first `n` samples of one group of a contrast.
    pub(super) fn draws(
        &self,
        contrast: Contrast,
        side: usize,
        batch: Option<u32>,
        n: usize,
    ) -> Draws {
        let of = |population| Source { population, batch };
        let first = (0..n as u32).collect();
        let population = Population::of(contrast, side);
        if let Population::Rest(_) = population {
            let rest = self.cells(population);
            if rest.len() as f64 >= LEAST_SHARE * self.n_cells as f64 {
                let is_in_rest = self.is_one_of(&rest);
                let source = of(Population::Everyone);
                let is_rest = |&number: &u32| is_in_rest[self.draw_of_all(source, number) as usize];
                return Draws { source, numbers: (0..u32::MAX).filter(is_rest).take(n).collect() };
            }
        }
        Draws { source: of(population), numbers: first }
    }

    /// The cell of each sample.
    pub(super) fn cells_of(&self, draws: &Draws) -> Vec<u32> {
        let Draws { source, numbers } = draws;
        if source.population == Population::Everyone {
            return numbers.iter().map(|&number| self.draw_of_all(*source, number)).collect();
        }
        let cells = self.cells(source.population);
        numbers.iter().map(|&number| cells[self.place(*source, number, cells.len())]).collect()
    }

    fn draw_of_all(&self, source: Source, number: u32) -> u32 {
        self.place(source, number, self.n_cells) as u32
    }

    fn place(&self, source: Source, number: u32, n: usize) -> usize {
        let u = self.philox.uniform(Stream::Select as u32, self.stream(source), number, 0);
        // u < 1, so the product is below n.
        (u * n as f64) as usize
    }

    /// Tells the noise of sources apart.
    pub(super) fn stream(&self, Source { population, batch }: Source) -> u32 {
        let n_groups = self.groups.len();
        let population = match population {
            Population::Everyone => 0,
            Population::Group(group) => 1 + group,
            Population::Rest(group) => 1 + n_groups + group,
        };
        let batch = batch.map_or(0, |batch| 1 + batch as usize);
        (population + batch * (1 + 2 * n_groups)) as u32
    }
}

impl Draws {
    /// Adds samples of the same source.
    pub(super) fn join(&mut self, numbers: &[u32]) {
        self.numbers.extend_from_slice(numbers);
        self.numbers.sort_unstable();
        self.numbers.dedup();
    }

    /// Where the given samples stand among these, which hold them all.
    pub(super) fn places(&self, numbers: &[u32]) -> Vec<u32> {
        let place = |number| self.numbers.partition_point(|n| n < number) as u32;
        numbers.iter().map(place).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups() -> Vec<Group> {
        let group = |name: &str, cells: Vec<u32>| Group { name: name.into(), cells };
        vec![
            group("a", (0..30).collect()),
            group("most", (2..100).collect()),
            group("none", vec![]),
            group("all", (0..100).collect()),
        ]
    }

    const REST_OF_A: Contrast = Contrast { group1: 0, group2: None };

    #[test]
    fn samples_come_evenly_from_their_group_alone() {
        let groups = groups();
        let populations = Populations::new(&groups, 100, 3);
        let counts = |contrast, side| {
            let cells = populations.cells_of(&populations.draws(contrast, side, None, 7000));
            let mut counts = vec![0; 100];
            cells.iter().for_each(|&cell| counts[cell as usize] += 1);
            assert_eq!(cells.len(), 7000);
            counts
        };
        let most = Contrast { group1: 1, group2: None };
        for (contrast, side, range) in
            [(REST_OF_A, 0, 0..30), (REST_OF_A, 1, 30..100), (most, 0, 2..100), (most, 1, 0..2)]
        {
            let want = 7000.0 / range.len() as f64;
            for (cell, n) in counts(contrast, side).into_iter().enumerate() {
                let want = if range.contains(&cell) { want } else { 0.0 };
                // five standard errors
                assert!((f64::from(n) - want).abs() <= 5.0 * want.sqrt(), "{cell}: {n}, {want}");
            }
        }
    }

    /// A group's samples do not depend on what else is asked for.
    #[test]
    fn fewer_samples_are_the_first_of_more() {
        let groups = groups();
        let populations = Populations::new(&groups, 100, 3);
        for side in [0, 1] {
            let few = populations.draws(REST_OF_A, side, Some(1), 10);
            let mut many = populations.draws(REST_OF_A, side, Some(1), 50);
            assert_eq!(many.numbers[..10], few.numbers);
            assert_eq!(populations.cells_of(&many)[..10], populations.cells_of(&few));
            many.join(&few.numbers);
            assert_eq!(many.numbers.len(), 50);
            assert_eq!(many.places(&few.numbers), (0..10).collect::<Vec<_>>());
        }
    }

    /// What is left out of a group is not left out of the rest of another.
    #[test]
    fn cells_that_are_left_out_are_not_drawn() {
        let groups = groups();
        let mut populations = Populations::new(&groups, 100, 3);
        populations.keep(Population::Group(0), (3..30).collect());
        populations.keep(Population::Rest(0), (30..95).collect());
        let drawn = |contrast, side| {
            let mut cells = populations.cells_of(&populations.draws(contrast, side, None, 7000));
            cells.sort_unstable();
            cells.dedup();
            cells
        };
        assert_eq!(drawn(REST_OF_A, 0), (3..30).collect::<Vec<_>>());
        assert_eq!(drawn(REST_OF_A, 1), (30..95).collect::<Vec<_>>());
        assert_eq!(drawn(Contrast { group1: 1, group2: None }, 1), [0, 1]);
        let left_out = [Population::Group(0), Population::Rest(0), Population::Group(1)];
        assert_eq!(left_out.map(|p| populations.n_left_out(p)), [Some(3), Some(5), None]);
        let listed = populations.drawn_groups(&[REST_OF_A]);
        let Contrast { group1, group2 } = populations.of_drawn(REST_OF_A);
        let sizes = [group1, group2.unwrap()].map(|group| listed[group].cells.len());
        assert_eq!(sizes, [27, 65]);
    }

    #[test]
    fn groups_without_cells_or_rest_are_refused_by_name() {
        let groups = groups();
        let populations = Populations::new(&groups, 100, 3);
        let told = |group1, group2| {
            populations.check(Contrast { group1, group2 }).unwrap_err().to_string()
        };
        assert!(told(2, None).contains("'none' has no cells"));
        assert!(told(0, Some(2)).contains("'none'"));
        assert!(told(3, None).contains("'all' holds every cell"));
        assert!(told(0, Some(9)).contains("number 9"));
        assert!(populations.check(REST_OF_A).is_ok());
    }
}
