//! Results that come minibatch by minibatch, each with every draw in turn.

/// A result of several draws, `(draws, cells, genes)`.
pub struct Filling {
    values: Vec<f32>,
    /// Numbers of a draw.
    per_draw: usize,
    filled: Vec<usize>,
}

impl Filling {
    /// A result with a buffer for so many draws of so many numbers.
    pub fn new(draws: usize, per_draw: usize) -> Self {
        Self { values: vec![0.0; draws * per_draw], per_draw, filled: vec![0; draws] }
    }

    /// Takes the next rows of a draw.
    pub fn add(&mut self, draw: u32, rows: &[f32]) {
        let draw = draw as usize;
        let start = draw * self.per_draw + self.filled[draw];
        self.values[start..][..rows.len()].copy_from_slice(rows);
        self.filled[draw] += rows.len();
    }

    /// The whole result.
    pub fn values(self) -> Vec<f32> {
        self.values
    }
}
