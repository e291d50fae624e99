//! Which posterior samples there are: every one has a number, and with it a cell and its noise.

use scvi_kernels::{Philox, Stream};

use super::error::DifferentialError;
use super::options::{Contrast, Group};

/// Least share of cells in a rest that is drawn from all cells.
const LEAST_SHARE: f64 = 1.0 / 16.0;

/// The cells that samples are drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Population {
    /// Every cell. The rest of any group is a part of these samples, and so is shared among groups.
    Everyone,
    /// A group.
    Group(usize),
    /// The few cells that are not in a large group.
    Rest(usize),
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
}

impl<'a> Populations<'a> {
    pub(super) fn new(groups: &'a [Group], n_cells: usize, seed: u64) -> Self {
        Self { groups, n_cells, philox: Philox::new(seed) }
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

    /// Whether each cell is in a group: `(cells)`.
    fn members(&self, group: usize) -> Vec<bool> {
        let mut is_member = vec![false; self.n_cells];
        self.groups[group].cells.iter().for_each(|&cell| is_member[cell as usize] = true);
        is_member
    }

    /// The cells that are not in a group.
    fn rest(&self, group: usize) -> Vec<u32> {
        let is_member = self.members(group);
        (0..self.n_cells as u32).filter(|&cell| !is_member[cell as usize]).collect()
    }

    /// The cells of one group of a contrast.
    pub(super) fn cells(&self, contrast: Contrast, side: usize) -> Vec<u32> {
        match [Some(contrast.group1), contrast.group2][side] {
            Some(group) => self.groups[group].cells.clone(),
            None => self.rest(contrast.group1),
        }
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
        let Some(group) = [Some(contrast.group1), contrast.group2][side] else {
            let group = contrast.group1;
            let is_member = self.members(group);
            let n_rest = is_member.iter().filter(|&&member| !member).count();
            if (n_rest as f64) < LEAST_SHARE * self.n_cells as f64 {
                return Draws { source: of(Population::Rest(group)), numbers: first };
            }
            let source = of(Population::Everyone);
            let is_rest = |&number: &u32| !is_member[self.draw_of_all(source, number) as usize];
            return Draws { source, numbers: (0..u32::MAX).filter(is_rest).take(n).collect() };
        };
        Draws { source: of(Population::Group(group)), numbers: first }
    }

    /// The cell of each sample.
    pub(super) fn cells_of(&self, draws: &Draws) -> Vec<u32> {
        let Draws { source, numbers } = draws;
        let pick = |cells: &[u32]| {
            let pick = |&number: &u32| cells[self.place(*source, number, cells.len())];
            numbers.iter().map(pick).collect()
        };
        match source.population {
            Population::Everyone => {
                numbers.iter().map(|&number| self.draw_of_all(*source, number)).collect()
            }
            Population::Group(group) => pick(&self.groups[group].cells),
            Population::Rest(group) => pick(&self.rest(group)),
        }
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
