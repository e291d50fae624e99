//! Simulated cells as files, with columns of one's choice.

use std::path::Path;

use scvi::data::CsrMatrix;
use scvi::data::simulate::{SimulateConfig, simulate};
use scvi_io::anndata::Column;
use scvi_io::h5ad::{NewAnnData, write_h5ad};

use super::names;

/// A file in the making.
pub struct Cells {
    pub counts: CsrMatrix,
    pub genes: Vec<String>,
    pub obs: Vec<(String, Column)>,
    pub var: Vec<(String, Column)>,
}

impl Cells {
    /// Cells of simulated types, with genes `gene_0` and so on.
    pub fn new(n_cells: usize, n_genes: usize, seed: u64) -> Self {
        let config =
            SimulateConfig { n_cells, n_genes, density: 0.3, seed, ..SimulateConfig::default() };
        let (counts, genes) = (simulate(&config).counts, names("gene", n_genes));
        Self { counts, genes, obs: Vec::new(), var: Vec::new() }
    }

    /// Adds a column of obs whose values take turns.
    pub fn column(mut self, key: &str, values: &[&str]) -> Self {
        let value = |cell: usize| Some(values[cell % values.len()].to_owned());
        let column = Column::Strings((0..self.counts.n_cells()).map(value).collect());
        self.obs.push((key.to_owned(), column));
        self
    }

    /// Puts the genes of these numbers in this order, and leaves out the others.
    pub fn with_genes(mut self, order: &[usize]) -> Self {
        let mut places = vec![None; self.genes.len()];
        order.iter().zip(0..).for_each(|(&gene, place)| places[gene] = Some(place));
        self.counts = self.counts.place_genes(&places, order.len());
        self.genes = order.iter().map(|&gene| self.genes[gene].clone()).collect();
        self
    }

    /// Takes every count from these cells.
    pub fn empty(&mut self, cells: &[usize]) {
        let mut counts = CsrMatrix::empty(self.counts.n_genes());
        for cell in 0..self.counts.n_cells() {
            let row = match cells.contains(&cell) {
                true => CsrMatrix::new(self.counts.n_genes(), vec![0, 0], vec![], vec![]).unwrap(),
                false => self.counts.select_cells(&[cell]),
            };
            counts.append(&row);
        }
        self.counts = counts;
    }

    pub fn write(self, path: &Path) {
        let cells = names("cell", self.counts.n_cells());
        let mut data = NewAnnData::new(&self.counts, cells, self.genes);
        (data.obs, data.var) = (self.obs, self.var);
        write_h5ad(path, &data, true).unwrap();
    }
}
