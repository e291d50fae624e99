//! Simulated counts with cell types and batches: for demonstrations, tests and benchmarks.
//!
//! ```text
//! profile_tg ∝ exp(a_g + b_tg)     a ~ N(0, 1.5²); b ~ N(0, 1) in a tenth of the genes, else 0
//! μ_cg       = s l_c profile_tg exp(d_bg)      ln l ~ N(0, 0.3²), d ~ N(0, 0.3²)
//! x_cg       ~ NB(mean μ_cg, inverse dispersion θ_g)      ln θ ~ N(0.7, 0.5²)
//! ```
//! The factor s is chosen so that the expected share of non-zero counts is the density asked for.
//! Each cell's numbers come from a stream of its own: the same seed gives the same cell whatever
//! the number of cells.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, Gamma, Normal, Poisson};

use super::CsrMatrix;

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
            let count = if rate > 0.0 {
                Poisson::new(rate).map_or(0.0, |p| p.sample(&mut rng))
            } else {
                0.0
            };
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
}

fn stream(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

/// Simulates a data set in memory.
pub fn simulate(config: &SimulateConfig) -> Simulated {
    let simulator = Simulator::new(config);
    let (mut indptr, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
    for cell in 0..config.n_cells {
        simulator.cell(cell, &mut indices, &mut values);
        indptr.push(indices.len() as u64);
    }
    let cells = 0..config.n_cells;
    Simulated {
        counts: CsrMatrix::new(config.n_genes, indptr, indices, values)
            .expect("simulated rows are sorted and positive"),
        batch: cells.clone().map(|c| simulator.batch(c)).collect(),
        cell_type: cells.map(|c| simulator.cell_type(c)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn density_is_what_was_asked_for() {
        for density in [0.02, 0.08, 0.3] {
            let config =
                SimulateConfig { n_cells: 400, n_genes: 500, density, ..Default::default() };
            let sim = simulate(&config);
            let found = sim.counts.nnz() as f64 / (400.0 * 500.0);
            assert!((found / density - 1.0).abs() < 0.15, "{found} for {density}");
            assert!(sim.counts.empty_cells().is_empty());
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
}
