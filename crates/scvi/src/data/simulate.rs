//! Simulated counts with cell types and batches: for demonstrations, tests and benchmarks.
//!
//! ```text
//! profile_tg ∝ exp(a_g + b_tg)     a ~ N(0, 1.5²); b ~ N(0, 1) in a tenth of the genes, else 0
//! μ_cg       = s l_c profile_tg exp(d_bg)      ln l ~ N(0, 0.3²), d ~ N(0, 0.3²)
//! x_cg       ~ NB(mean μ_cg, inverse dispersion θ_g)      ln θ ~ N(0.7, 0.5²)
//! ```
//! The factor s is chosen so that the expected share of non-zero counts is the density asked for.
//! Each cell's numbers come from a stream of its own: the same seed gives the same cell whatever
//! the number of cells, and of threads.

use std::ops::Range;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, Gamma, Normal};
use rayon::prelude::*;

use super::CsrMatrix;
use super::poisson::poisson;

/// Draws (a cell's gene is one) that make a block, and a thread's part of it.
const BLOCK_DRAWS: usize = 1 << 22;
const PART_DRAWS: usize = 1 << 16;

/// What to simulate.
#[derive(Debug, Clone, PartialEq)]
pub struct SimulateConfig {
    /// Cells.
    pub n_cells: usize,
    /// Genes.
    pub n_genes: usize,
    /// Batches; cells take turns.
    pub n_batches: usize,
    /// Cell types; cells take turns.
    pub n_cell_types: usize,
    /// Expected share of non-zero counts, over 0 and under 1.
    pub density: f64,
    /// Seed.
    pub seed: u64,
}

impl Default for SimulateConfig {
    fn default() -> Self {
        Self { n_cells: 3000, n_genes: 2000, n_batches: 2, n_cell_types: 5, density: 0.08, seed: 0 }
    }
}

/// Counts and the truth behind them.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulated {
    /// `(cells, genes)`; no cell is empty.
    pub counts: CsrMatrix,
    /// Batch of each cell.
    pub batch: Vec<u32>,
    /// Type of each cell.
    pub cell_type: Vec<u32>,
}

/// A population to draw cells from.
pub struct Simulator {
    config: SimulateConfig,
    profiles: Vec<f64>,      // (cell types, genes), each row of mean 1
    batch_effects: Vec<f64>, // (batches, genes)
    theta: Vec<f64>,         // (genes)
    scale: f64,
}

impl Simulator {
    /// Draws genes, types and batches. Counts of zero for types or batches mean one.
    pub fn new(config: &SimulateConfig) -> Self {
        let mut config = config.clone();
        config.n_batches = config.n_batches.max(1);
        config.n_cell_types = config.n_cell_types.max(1);
        // Cells use the streams from 0 on; the population takes the last one.
        let mut rng = stream(config.seed, u64::MAX);
        let unit = Normal::new(0.0, 1.0).expect("a standard normal");
        let mut normal = |sd: f64| sd * unit.sample(&mut rng);
        let genes = config.n_genes;
        let base: Vec<f64> = (0..genes).map(|_| normal(1.5)).collect();
        let theta = (0..genes).map(|_| (0.7 + normal(0.5)).exp()).collect();
        let mut profiles = Vec::with_capacity(config.n_cell_types * genes);
        for _ in 0..config.n_cell_types {
            let row: Vec<f64> = base
                .iter()
                .map(|a| {
                    // The tenth of the genes with the lowest of these draws marks the type.
                    let marks = normal(1.0) < -1.2816;
                    let effect = normal(1.0);
                    (a + if marks { effect } else { 0.0 }).exp()
                })
                .collect();
            let mean = row.iter().sum::<f64>() / genes as f64;
            profiles.extend(row.iter().map(|v| v / mean));
        }
        let effects = config.n_batches * genes;
        let batch_effects = (0..effects).map(|_| normal(0.3).exp()).collect();
        let mut simulator = Self { config, profiles, batch_effects, theta, scale: 1.0 };
        simulator.scale = simulator.scale_for_density();
        simulator
    }

    /// Bisection: the share of non-zero counts grows with the scale.
    fn scale_for_density(&self) -> f64 {
        let density = |scale: f64| {
            let genes = self.config.n_genes;
            let zero = |(i, &profile): (usize, &f64)| {
                let theta = self.theta[i % genes];
                (-theta * (scale * profile / theta).ln_1p()).exp()
            };
            1.0 - self.profiles.iter().enumerate().map(zero).sum::<f64>()
                / self.profiles.len() as f64
        };
        let (mut low, mut high) = (1e-6f64, 1e6f64);
        for _ in 0..60 {
            let middle = (low * high).sqrt();
            if density(middle) < self.config.density {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The batch of a cell.
    pub fn batch(&self, cell: usize) -> u32 {
        (cell % self.config.n_batches) as u32
    }

    /// The type of a cell.
    pub fn cell_type(&self, cell: usize) -> u32 {
        (cell / self.config.n_batches % self.config.n_cell_types) as u32
    }

    /// Adds one cell's genes and counts.
    pub fn cell(&self, cell: usize, indices: &mut Vec<u32>, values: &mut Vec<f32>) {
        let genes = self.config.n_genes;
        let mut rng = stream(self.config.seed, cell as u64);
        let unit = Normal::new(0.0, 1.0).expect("a standard normal");
        let library = self.scale * (0.3f64 * unit.sample(&mut rng)).exp();
        let profile = &self.profiles[self.cell_type(cell) as usize * genes..][..genes];
        let effects = &self.batch_effects[self.batch(cell) as usize * genes..][..genes];
        let start = indices.len();
        for g in 0..genes {
            let mean = library * profile[g] * effects[g];
            let gamma = Gamma::new(self.theta[g], mean / self.theta[g]).expect("positive");
            let rate: f64 = gamma.sample(&mut rng);
            let count = poisson(rate, &mut rng);
            if count > 0.0 {
                indices.push(g as u32);
                values.push(count as f32);
            }
        }
        if indices.len() == start && genes > 0 {
            // A cell without a count could not be used: it gets one where it expects most.
            let most = (0..genes).max_by(|&a, &b| profile[a].total_cmp(&profile[b]));
            indices.push(most.unwrap_or(0) as u32);
            values.push(1.0);
        }
    }

    /// The counts of some cells, simulated on all threads.
    pub fn counts(&self, cells: Range<usize>) -> CsrMatrix {
        let n_genes = self.config.n_genes;
        let parts: Vec<_> = pieces(cells, cells_of(PART_DRAWS, n_genes)).collect();
        let parts: Vec<Part> = parts.into_par_iter().map(|cells| self.part(cells)).collect();
        let n = parts.iter().map(|part| part.values.len()).sum();
        let (mut indices, mut values) = (Vec::with_capacity(n), Vec::with_capacity(n));
        let mut indptr = vec![0];
        for part in parts {
            let start = values.len() as u64;
            indptr.extend(part.ends.iter().map(|end| start + end));
            indices.extend(part.indices);
            values.extend(part.values);
        }
        CsrMatrix::new(n_genes, indptr, indices, values)
            .expect("simulated rows are sorted and positive")
    }

    fn part(&self, cells: Range<usize>) -> Part {
        let mut part = Part::default();
        for cell in cells {
            self.cell(cell, &mut part.indices, &mut part.values);
            part.ends.push(part.values.len() as u64);
        }
        part
    }

    /// Gives `sink` the counts of all cells, block by block in their order, and simulates the next
    /// block on the other threads meanwhile: no more than two are in memory.
    ///
    /// # Errors
    /// The first of `sink`.
    pub fn for_each_block<E>(
        &self,
        mut sink: impl FnMut(CsrMatrix) -> Result<(), E>,
    ) -> Result<(), E> {
        let len = cells_of(BLOCK_DRAWS, self.config.n_genes);
        let mut blocks = pieces(0..self.config.n_cells, len);
        let mut ready = blocks.next().map(|cells| self.counts(cells));
        while let Some(counts) = ready {
            let mut next = None;
            rayon::in_place_scope(|scope| {
                if let Some(cells) = blocks.next() {
                    scope.spawn(|_| next = Some(self.counts(cells)));
                }
                sink(counts)
            })?;
            ready = next;
        }
        Ok(())
    }
}

/// Some cells' rows.
#[derive(Default)]
struct Part {
    /// Where each row ends.
    ends: Vec<u64>,
    indices: Vec<u32>,
    values: Vec<f32>,
}

/// Cells with so many draws in all, at least one.
fn cells_of(draws: usize, n_genes: usize) -> usize {
    (draws / n_genes.max(1)).max(1)
}

/// The range in pieces of a length; the last may be shorter.
fn pieces(range: Range<usize>, len: usize) -> impl Iterator<Item = Range<usize>> {
    let end = range.end;
    range.step_by(len).map(move |start| start..end.min(start + len))
}

fn stream(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

/// Simulates a data set in memory.
pub fn simulate(config: &SimulateConfig) -> Simulated {
    let simulator = Simulator::new(config);
    let cells = 0..config.n_cells;
    Simulated {
        counts: simulator.counts(cells.clone()),
        batch: cells.clone().map(|c| simulator.batch(c)).collect(),
        cell_type: cells.map(|c| simulator.cell_type(c)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Survey;
    use super::*;

    #[test]
    fn density_is_what_was_asked_for() {
        for density in [0.02, 0.08, 0.3] {
            let config =
                SimulateConfig { n_cells: 400, n_genes: 500, density, ..Default::default() };
            let sim = simulate(&config);
            let found = sim.counts.nnz() as f64 / (400.0 * 500.0);
            assert!((found / density - 1.0).abs() < 0.15, "{found} for {density}");
            assert!(Survey::of(&sim.counts).empty_cells.is_empty());
        }
    }

    #[test]
    fn a_cell_does_not_depend_on_the_number_of_cells() {
        let small = simulate(&SimulateConfig { n_cells: 5, ..Default::default() });
        let large = simulate(&SimulateConfig { n_cells: 9, ..Default::default() });
        assert_eq!(small.counts.row(4), large.counts.row(4));
        let other = simulate(&SimulateConfig { n_cells: 5, seed: 1, ..Default::default() });
        assert_ne!(small.counts, other.counts);
    }

    /// FNV-1a over the words of the three arrays.
    fn hash(counts: &CsrMatrix) -> u64 {
        let indices = counts.indices().iter().map(|&i| i.into());
        let values = counts.values().iter().map(|v| v.to_bits().into());
        let words = counts.indptr().iter().copied().chain(indices).chain(values);
        words.fold(0xcbf2_9ce4_8422_2325, |h, w: u64| (h ^ w).wrapping_mul(0x0100_0000_01b3))
    }

    #[test]
    fn a_seed_gives_the_counts_that_it_always_gave() {
        let sparse = SimulateConfig { n_cells: 60, n_genes: 300, ..Default::default() };
        // Rates up to hundreds, and θ on both sides of 1.
        let dense = SimulateConfig {
            n_cells: 40,
            n_genes: 100,
            n_batches: 3,
            n_cell_types: 4,
            density: 0.8,
            seed: 7,
        };
        assert_eq!(hash(&simulate(&sparse).counts), 0x8549_3d0d_4b23_abe5);
        assert_eq!(hash(&simulate(&dense).counts), 0x1c9f_0b39_6904_bc61);
    }

    #[test]
    fn blocks_are_the_whole_for_any_number_of_threads() {
        // Two blocks and a bit, of many parts each.
        let n_genes = BLOCK_DRAWS / 16;
        let config = SimulateConfig { n_cells: 35, n_genes, density: 1e-3, ..Default::default() };
        let whole = simulate(&config).counts;
        let simulator = Simulator::new(&config);
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut rows = Vec::new();
            let sink = |block: CsrMatrix| {
                rows.push(block.n_cells());
                let start = rows[..rows.len() - 1].iter().sum::<usize>();
                (0..block.n_cells()).for_each(|i| assert_eq!(block.row(i), whole.row(start + i)));
                Ok::<(), ()>(())
            };
            let done = pool.install(|| simulator.for_each_block(sink));
            assert_eq!((done, rows), (Ok(()), vec![16, 16, 3]));
        }
    }

    #[test]
    fn an_error_of_the_sink_ends_it() {
        let config = SimulateConfig { n_cells: 2, n_genes: BLOCK_DRAWS, ..Default::default() };
        let mut blocks = 0;
        let result = Simulator::new(&config).for_each_block(|_| {
            blocks += 1;
            Err("no more")
        });
        assert_eq!((result, blocks), (Err("no more"), 1));
    }
}
