//! Statistics of raw counts, of all groups in one pass.

use scvi_kernels::CsrRows;

use super::options::{Contrast, Group};
use super::run::Meter;
use crate::data::CountSource;
use crate::model::pass::TaskError;

/// Counts that a cell's are scaled to.
const SCALE: f64 = 1e4;
/// Cells read at a time.
const CELLS: usize = 4096;

/// Means over the cells of a group, a number a gene.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct RawMeans {
    /// Of the counts.
    pub(super) mean: Vec<f64>,
    /// Of whether there is a count: the share of cells that have one.
    pub(super) non_zeros: Vec<f64>,
    /// Of the counts scaled to 10,000 a cell.
    pub(super) normalized: Vec<f64>,
}

/// What is added up over cells.
#[derive(Debug, Clone, Default, PartialEq)]
struct Sums {
    cells: usize,
    genes: Vec<[f64; 3]>, // (genes): counts, scaled counts, cells with a count
}

/// Sums of the groups in use and, where a rest is asked for, of all cells.
pub(super) struct RawStatistics {
    groups: Vec<Sums>,
    all: Sums,
}

impl RawStatistics {
    /// Reads the cells that the contrasts are about, once.
    ///
    /// Source: scvi-tools 1.4.2, `model/_utils.py`, `scrna_raw_counts_properties`.
    pub(super) fn read(
        counts: &dyn CountSource,
        groups: &[Group],
        contrasts: &[Contrast],
        meter: &mut Meter,
    ) -> Result<Self, TaskError> {
        let mut used = vec![false; groups.len()];
        for contrast in contrasts {
            for group in [Some(contrast.group1), contrast.group2].into_iter().flatten() {
                used[group] = true;
            }
        }
        let with_rest = contrasts.iter().any(|contrast| contrast.group2.is_none());
        let zeros = |wanted: bool| Sums {
            cells: 0,
            genes: vec![[0.0; 3]; if wanted { counts.n_genes() } else { 0 }],
        };
        let mut statistics =
            Self { groups: used.iter().map(|&used| zeros(used)).collect(), all: zeros(with_rest) };
        let members = Members::new(counts.n_cells(), groups, &used);
        let cells: Vec<u32> = (0..counts.n_cells() as u32)
            .filter(|&cell| with_rest || !members.of(cell).is_empty())
            .collect();
        let mut rows = CsrRows::default();
        for chunk in cells.chunks(CELLS) {
            rows.clear();
            counts.read(chunk, &mut rows)?;
            statistics.add(&rows, chunk, &members, with_rest);
            meter.add(0)?;
        }
        Ok(statistics)
    }

    fn add(&mut self, rows: &CsrRows, cells: &[u32], members: &Members, with_rest: bool) {
        for (&cell, ends) in cells.iter().zip(rows.indptr.windows(2)) {
            let (genes, counts) = (&rows.genes[ends[0]..ends[1]], &rows.counts[ends[0]..ends[1]]);
            let total: f64 = counts.iter().map(|&count| f64::from(count)).sum();
            let factor = if total == 0.0 { 0.0 } else { SCALE / total };
            if with_rest {
                self.all.add(genes, counts, factor);
            }
            for &group in members.of(cell) {
                self.groups[group as usize].add(genes, counts, factor);
            }
        }
    }

    /// Of both groups of a contrast.
    pub(super) fn of(&self, contrast: Contrast) -> [RawMeans; 2] {
        let first = &self.groups[contrast.group1];
        let second = match contrast.group2 {
            Some(group) => self.groups[group].means(),
            None => self.all.without(first).means(),
        };
        [first.means(), second]
    }
}

impl Sums {
    fn add(&mut self, genes: &[u32], counts: &[f32], factor: f64) {
        self.cells += 1;
        for (&gene, &count) in genes.iter().zip(counts) {
            let sums = &mut self.genes[gene as usize];
            let count = f64::from(count);
            *sums = [sums[0] + count, sums[1] + factor * count, sums[2] + 1.0];
        }
    }

    /// What is left without some of the cells.
    fn without(&self, some: &Self) -> Self {
        let left = |(all, some): (&[f64; 3], &[f64; 3])| match all[2] - some[2] {
            // Of no counts the sums are zero, and not what rounding makes of it.
            0.0 => [0.0; 3],
            cells => [all[0] - some[0], all[1] - some[1], cells],
        };
        let genes = self.genes.iter().zip(&some.genes).map(left).collect();
        Self { cells: self.cells - some.cells, genes }
    }

    fn means(&self) -> RawMeans {
        let n = self.cells as f64;
        let of = |which: usize| self.genes.iter().map(|sums| sums[which] / n).collect();
        RawMeans { mean: of(0), normalized: of(1), non_zeros: of(2) }
    }
}

/// Which groups each cell is in.
struct Members {
    first: Vec<u32>, // (cells + 1)
    groups: Vec<u32>,
}

impl Members {
    fn new(n_cells: usize, groups: &[Group], used: &[bool]) -> Self {
        let in_use = || groups.iter().enumerate().filter(|&(k, _)| used[k]);
        let mut first = vec![0; n_cells + 1];
        for (_, group) in in_use() {
            group.cells.iter().for_each(|&cell| first[cell as usize + 1] += 1);
        }
        for cell in 0..n_cells {
            first[cell + 1] += first[cell];
        }
        let mut next = first.clone();
        let mut places = vec![0; first[n_cells] as usize];
        for (k, group) in in_use() {
            for &cell in &group.cells {
                places[next[cell as usize] as usize] = k as u32;
                next[cell as usize] += 1;
            }
        }
        Self { first, groups: places }
    }

    fn of(&self, cell: u32) -> &[u32] {
        let cell = cell as usize;
        &self.groups[self.first[cell] as usize..self.first[cell + 1] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::CsrMatrix;
    use crate::model::unwatched;

    #[test]
    fn are_the_means_of_dense_rows() {
        let rows = [[1.0, 0.0, 3.0], [0.0, 0.0, 0.0], [2.0, 2.0, 0.0], [0.0, 5.0, 0.0]];
        let (mut indptr, mut genes, mut counts) = (vec![0], vec![], vec![]);
        for row in rows {
            for (gene, count) in row.into_iter().enumerate().filter(|&(_, count)| count != 0.0) {
                genes.push(gene as u32);
                counts.push(count);
            }
            indptr.push(genes.len() as u64);
        }
        let matrix = CsrMatrix::new(3, indptr, genes, counts).unwrap();
        let group = |name: &str, cells: &[u32]| Group { name: name.into(), cells: cells.to_vec() };
        // They overlap, and one is not asked for.
        let groups = [group("a", &[0, 2]), group("b", &[1, 2, 3]), group("unused", &[0])];
        let pair = Contrast { group1: 0, group2: Some(1) };
        let rest = Contrast { group1: 0, group2: None };
        let of = |cells: &[usize]| {
            let mean = |f: &dyn Fn(usize, usize) -> f64| -> Vec<f64> {
                let over = |g| cells.iter().map(|&c| f(c, g)).sum::<f64>() / cells.len() as f64;
                (0..3).map(over).collect()
            };
            let x = |c: usize, g: usize| f64::from(rows[c][g]);
            let total = |c: usize| (0..3).map(|g| x(c, g)).sum::<f64>().max(1.0);
            RawMeans {
                mean: mean(&x),
                non_zeros: mean(&|c, g| f64::from(x(c, g) != 0.0)),
                normalized: mean(&|c, g| x(c, g) * 1e4 / total(c)),
            }
        };
        let near = |a: &RawMeans, b: &RawMeans| {
            let all = |m: &RawMeans| [&m.mean[..], &m.non_zeros, &m.normalized].concat();
            assert_eq!(all(a).len(), 9);
            for (a, b) in all(a).iter().zip(all(b)) {
                assert!((a - b).abs() < 1e-9, "{a} {b}");
            }
        };
        let read = |contrasts: &[Contrast]| {
            RawStatistics::read(&matrix, &groups, contrasts, &mut Meter::new(0, &mut unwatched))
                .unwrap()
        };
        for contrasts in [&[pair, rest][..], &[pair]] {
            let [a, b] = read(contrasts).of(pair);
            near(&a, &of(&[0, 2]));
            near(&b, &of(&[1, 2, 3]));
        }
        near(&read(&[rest]).of(rest)[1], &of(&[1, 3]));
    }
}
