//! `get_normalized_expression`.

use scvi_kernels::Backend;

use std::io;

use super::cells::Cells;
use super::draws::Posterior;
use super::error::TaskError;
use super::mean::MeanRows;
use super::minibatches::{Loaded, Room, for_each_draw};
use super::pass::{check_genes, decode_as};
use super::watch::Watch;
use crate::module::{Inference, Vae, Workspace};
use crate::nn::Decoded;

/// The size that every cell is scaled to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LibrarySize {
    /// A number of counts; 1 leaves shares of the whole.
    Fixed(f64),
    /// The cell's own, as the model sees it: the expected counts px_rate.
    Latent,
}

/// How to decode normalised expression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExpressionOptions<'a> {
    /// The size that every cell is scaled to.
    pub library_size: LibrarySize,
    /// Decodes every cell as if it came from each of these batches, and takes the mean; the cell's
    /// own batch where there is none.
    pub transform_batch: &'a [u32],
    /// The genes to give, in this order; all where `None`.
    pub genes: Option<&'a [u32]>,
    /// Which z a cell is decoded at.
    pub posterior: Posterior,
    /// Whether the mean over draws is given, or each draw.
    pub return_mean: bool,
}

impl Default for ExpressionOptions<'_> {
    fn default() -> Self {
        Self {
            library_size: LibrarySize::Fixed(1.0),
            transform_batch: &[],
            genes: None,
            posterior: Posterior::default(),
            return_mean: true,
        }
    }
}

/// Takes the rows of a result as they come: the number of the draw, 0 for means, and the values of
/// the next cells in order, `(cells, genes)`. What it fails with ends the task
/// ([`TaskError::Write`]).
pub type Rows<'a> = dyn FnMut(u32, &[f32]) -> io::Result<()> + 'a;

/// Normalised expression of every cell: the mean over draws z ~ q(z|x) and over batches b of
///
/// ```text
/// ρ(z, b) · library_size,  or  px_rate = e^library ρ(z, b)
/// ```
///
/// Rows are handed over minibatch by minibatch: memory does not grow with cells. All batches of a
/// cell are decoded at the same z; scvi-tools draws one for each. A draw depends on the seed, its
/// cell and its number alone.
///
/// Source: Lopez et al. 2018; scvi-tools 1.4.2, `model/base/_rnamixin.py`,
/// `get_normalized_expression`.
///
/// # Errors
/// [`TaskError`] where the data does not fit the model or cannot be read, a batch or a gene is none
/// of the model's, no draw is asked for, or `rows` fails.
pub fn normalized_expression(
    model: &impl Inference,
    cells: Cells,
    options: &ExpressionOptions,
    watch: &mut Watch,
    rows: &mut Rows,
) -> Result<(), TaskError> {
    let vae = model.vae();
    let batches = decode_as(vae, options.transform_batch)?;
    check_genes(vae, options.genes)?;
    let n_draws = options.posterior.n_draws()?;
    let n_genes = options.genes.map_or(cells.data.n_genes(), <[u32]>::len);
    let terms = batches.len() * if options.return_mean { n_draws as usize } else { 1 };
    // The number of the first draw, and each one's values or their mean.
    let work = |loaded: Loaded<_>, (number, values): &mut (u32, Vec<MeanRows>)| {
        let Loaded { ws, batch, draws, .. } = loaded;
        let n = ws.n_cells() * n_genes;
        *number = draws.start;
        values.resize_with(if options.return_mean { 1 } else { draws.len() }, MeanRows::default);
        for (k, draw) in draws.enumerate() {
            options.posterior.draw(vae, ws, batch, draw, k == 0);
            for &transform in &batches {
                vae.decode(ws, transform, Decoded::Scale);
                let mean = &mut values[if options.return_mean { 0 } else { k }];
                mean.add(n, terms, |out| read(vae, ws, options, out));
            }
        }
        Ok(())
    };
    let draws = (Room::Decoded, n_draws, options.return_mean);
    for_each_draw(vae, cells, draws, watch, work, |(number, values)| {
        let mut values = (*number..).zip(values);
        values.try_for_each(|(draw, mean)| rows(draw, mean.rows()).map_err(TaskError::Write))
    })
}

/// What was decoded, scaled: `(cells, genes)`.
fn read<B: Backend<Elem = f32>>(
    vae: &Vae<B>,
    ws: &Workspace<B>,
    options: &ExpressionOptions,
    out: &mut [f32],
) {
    match options.library_size {
        LibrarySize::Latent => vae.px_rate_into(ws, options.genes, out),
        LibrarySize::Fixed(size) => {
            vae.px_scale_into(ws, options.genes, out);
            if size != 1.0 {
                out.iter_mut().for_each(|v| *v *= size as f32);
            }
        }
    }
}
