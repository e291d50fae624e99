//! Statistics of raw counts, of all groups in one pass.

use std::io;

use rayon::prelude::*;
use scvi_kernels::CsrRows;

use super::meter::Meter;
use super::options::{Contrast, Group};
use crate::data::CountSource;
use crate::model::error::TaskError;

/// Counts that a cell's are scaled to.
const SCALE: f64 = 1e4;
/// Cells read at a time.
const CELLS: usize = 1024;
/// Cells that a thread adds up at a time; the sums of all parts are held, 24 bytes a gene each.
const PART: usize = 16_384;

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
        let with_rest = contrasts.iter().any(|contrast| contrast.group2.is_none());
        let is_asked_for =
            |group| contrasts.iter().any(|c| c.group1 == group || c.group2 == Some(group));
        // For a rest every group is read, so that its sums do not go by who else is compared.
        let of_group = |(k, group): (usize, &Group)| match with_rest || is_asked_for(k) {
            true => group.cells.clone(),
            false => Vec::new(),
        };
        let mut lists: Vec<Vec<u32>> = groups.iter().enumerate().map(of_group).collect();
        // Of groups without a cell in common, and the cells in none, sums add up to those of all.
        let mut times = vec![0; counts.n_cells()];
        lists.iter().flatten().for_each(|&cell| times[cell as usize] += 1);
        let add_up = times.iter().all(|&n| n < 2);
        let others = (0..).zip(&times).filter(|&(_, &n)| with_rest && (n == 0 || !add_up));
        lists.push(others.map(|(cell, _)| cell).collect());
        let mut groups = sums_of(counts, &lists)?;
        let mut all = groups.pop().unwrap_or_default();
        if with_rest && add_up {
            groups.iter().for_each(|group| all.merge(group));
        }
        meter.add(0)?;
        Ok(Self { groups, all })
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

/// Sums of each list of cells. Parts of the lists are added up in parallel, and their sums in order.
fn sums_of(counts: &dyn CountSource, lists: &[Vec<u32>]) -> Result<Vec<Sums>, TaskError> {
    let parts = lists.iter().enumerate();
    let parts: Vec<(usize, &[u32])> =
        parts.flat_map(|(k, cells)| cells.chunks(PART).map(move |part| (k, part))).collect();
    let of_parts: Vec<io::Result<Sums>> =
        parts.par_iter().map(|&(_, cells)| Sums::of(counts, cells)).collect();
    let mut sums = vec![Sums::default(); lists.len()];
    for ((k, _), part) in parts.into_iter().zip(of_parts) {
        sums[k].merge(&part?);
    }
    // Those of no cells have no genes yet.
    sums.iter_mut().for_each(|sums| sums.genes.resize(counts.n_genes(), [0.0; 3]));
    Ok(sums)
}

impl Sums {
    fn of(counts: &dyn CountSource, cells: &[u32]) -> io::Result<Self> {
        let mut sums = Self { cells: 0, genes: vec![[0.0; 3]; counts.n_genes()] };
        let mut rows = CsrRows::default();
        for cells in cells.chunks(CELLS) {
            rows.clear();
            counts.read(cells, &mut rows)?;
            (0..rows.n_cells()).for_each(|cell| sums.add(rows.row(cell)));
        }
        Ok(sums)
    }

    fn add(&mut self, (genes, counts): (&[u32], &[f32])) {
        let total: f64 = counts.iter().map(|&count| f64::from(count)).sum();
        let factor = if total == 0.0 { 0.0 } else { SCALE / total };
        self.cells += 1;
        for (&gene, &count) in genes.iter().zip(counts) {
            let sums = &mut self.genes[gene as usize];
            let count = f64::from(count);
            *sums = [sums[0] + count, sums[1] + factor * count, sums[2] + 1.0];
        }
    }

    fn merge(&mut self, other: &Self) {
        self.cells += other.cells;
        self.genes.resize(other.genes.len().max(self.genes.len()), [0.0; 3]);
        for (sums, other) in self.genes.iter_mut().zip(&other.genes) {
            *sums = std::array::from_fn(|i| sums[i] + other[i]);
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
            RawStatistics::read(&matrix, &groups, contrasts, &mut Meter::new(0, 1, &mut unwatched))
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
