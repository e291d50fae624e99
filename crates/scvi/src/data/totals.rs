//! Sizes of cells.

use std::io;

use scvi_kernels::CsrRows;

use super::CountSource;

/// Cells that are read at a time.
const AT_A_TIME: usize = 512;

/// Sum of the counts of each cell, Σ_g x: `(cells)`.
///
/// # Errors
/// Where the counts cannot be read.
pub fn totals(counts: &dyn CountSource) -> io::Result<Vec<f64>> {
    let all: Vec<u32> = (0..counts.n_cells() as u32).collect();
    let (mut totals, mut rows) = (Vec::with_capacity(all.len()), CsrRows::default());
    counts.expect(&mut all.iter().copied());
    for cells in all.chunks(AT_A_TIME) {
        rows.clear();
        counts.read(cells, &mut rows)?;
        let total = |cell| rows.row(cell).1.iter().map(|&x| f64::from(x)).sum::<f64>();
        totals.extend((0..cells.len()).map(total));
    }
    Ok(totals)
}
