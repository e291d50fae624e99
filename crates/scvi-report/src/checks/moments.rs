//! Sums over cells of each gene, and numbers of each cell.

pub(super) struct Moments {
    n_cells: f64,
    /// Σ x: `(genes)`
    sums: Vec<f64>,
    /// Σ x²: `(genes)`
    squares: Vec<f64>,
    /// Cells with x = 0: `(genes)`
    zeros: Vec<f64>,
    /// Coefficient of variation over genes: `(cells)`
    cv_cell: Vec<f64>,
}

impl Moments {
    pub(super) fn new(n_genes: usize) -> Self {
        let zeros = || vec![0.0; n_genes];
        let (sums, squares, zeros) = (zeros(), zeros(), zeros());
        Self { n_cells: 0.0, sums, squares, zeros, cv_cell: Vec::new() }
    }

    /// Takes in one cell: `(genes)`.
    pub(super) fn add(&mut self, row: &[f32]) {
        let (mut sum, mut square) = (0.0, 0.0);
        for (gene, &x) in row.iter().enumerate() {
            if x == 0.0 {
                self.zeros[gene] += 1.0;
                continue;
            }
            let x = f64::from(x);
            self.sums[gene] += x;
            self.squares[gene] += x * x;
            sum += x;
            square += x * x;
        }
        self.n_cells += 1.0;
        self.cv_cell.push(variation(sum, square, row.len() as f64));
    }

    pub(super) fn cv_gene(&self) -> Vec<f64> {
        let pairs = self.sums.iter().zip(&self.squares);
        pairs.map(|(&sum, &square)| variation(sum, square, self.n_cells)).collect()
    }

    pub(super) fn cv_cell(&self) -> Vec<f64> {
        self.cv_cell.clone()
    }

    pub(super) fn zero_fraction(&self) -> Vec<f64> {
        self.zeros.iter().map(|zeros| zeros / self.n_cells).collect()
    }

    pub(super) fn mean(&self) -> Vec<f64> {
        self.sums.iter().map(|sum| sum / self.n_cells).collect()
    }

    pub(super) fn variance(&self) -> Vec<f64> {
        let pairs = self.sums.iter().zip(&self.squares);
        pairs.map(|(&sum, &square)| variance(sum, square, self.n_cells)).collect()
    }
}

fn variance(sum: f64, square: f64, n: f64) -> f64 {
    let mean = sum / n;
    (square / n - mean * mean).max(0.0)
}

/// Standard deviation over mean; NaN where all is zero.
fn variation(sum: f64, square: f64, n: f64) -> f64 {
    variance(sum, square, n).sqrt() / (sum / n)
}
