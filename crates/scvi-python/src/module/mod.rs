//! The passes of the module over one minibatch, as methods of [`Model`].

mod embeddings;
mod labels;
mod passes;

use scvi::Cpu;
use scvi::data::Dataset;
use scvi::model::TaskError;
use scvi::module::{Minibatch, Vae, Workspace};

/// All cells of the data as one minibatch, loaded.
fn load(
    vae: &Vae<Cpu<f32>>,
    data: &Dataset,
    training: bool,
) -> Result<(Workspace<Cpu<f32>>, Minibatch), TaskError> {
    data.check_fits(vae.spec())?;
    let cells: Vec<u32> = (0..data.n_cells() as u32).collect();
    let mut batch = Minibatch::default();
    data.fill(&cells, &mut batch)?;
    let mut ws = vae.workspace(cells.len(), batch.rows.counts.len(), training);
    ws.load(vae.backend(), &batch);
    Ok((ws, batch))
}
