//! `get_likelihood_parameters`.

use std::io;

use super::cells::Cells;
use super::draws::Posterior;
use super::error::TaskError;
use super::mean::MeanRows;
use super::minibatches::{Loaded, Room, for_each_draw};
use super::watch::Watch;
use crate::module::{Dispersion, GeneLikelihood, Inference};
use crate::nn::Decoded;

/// Parameters of p(x|z) of some cells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameters<'a> {
    /// Number of the draw; 0 for means.
    pub draw: u32,
    /// μ, in counts: `(cells, genes)`. Zero-inflation is not in it.
    pub mean: &'a [f32],
    /// Inverse dispersion θ, with the normal likelihood the standard deviation: `(cells, genes)`;
    /// `(genes)` where it is the same for every cell; `None` where the likelihood has none.
    pub dispersions: Option<&'a [f32]>,
    /// Probability π of an excess zero: `(cells, genes)`; `None` where the likelihood has none.
    pub dropout: Option<&'a [f32]>,
}

/// Which parameters a model has: those that [`likelihood_parameters`] hands over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParameterKinds {
    /// Whether there is a dispersion.
    pub dispersions: bool,
    /// Whether it is the same for every cell.
    pub dispersion_is_of_gene: bool,
    /// Whether there is a probability of excess zeros.
    pub dropout: bool,
}

impl ParameterKinds {
    /// Those of a model.
    pub fn of(model: &impl Inference) -> Self {
        let vae = model.vae();
        let config = vae.spec().config();
        let dispersions = config.gene_likelihood != GeneLikelihood::Poisson;
        Self {
            dispersions,
            dispersion_is_of_gene: dispersions && config.dispersion == Dispersion::Gene,
            dropout: config.gene_likelihood == GeneLikelihood::Zinb,
        }
    }
}

/// Takes the parameters of the next cells in order.
pub type ParameterRows<'a> = dyn FnMut(Parameters) -> io::Result<()> + 'a;

/// The likelihood's parameters of every cell, minibatch by minibatch: the mean over draws with
/// `give_mean`, else those of each draw in turn.
///
/// Probabilities of excess zeros are those of scvi-tools' `zi_probs`, not their logits. Models
/// without a dispersion, and those with the normal likelihood, are served as well; scvi-tools fails
/// on both.
///
/// Source: scvi-tools 1.4.2, `model/base/_rnamixin.py`, `get_likelihood_parameters`.
///
/// # Errors
/// [`TaskError`] where the data does not fit the model or cannot be read, no draw is asked for, or
/// `rows` fails.
pub fn likelihood_parameters(
    model: &impl Inference,
    cells: Cells,
    posterior: Posterior,
    give_mean: bool,
    watch: &mut Watch,
    rows: &mut ParameterRows,
) -> Result<(), TaskError> {
    let vae = model.vae();
    let n_draws = posterior.n_draws()?;
    let terms = if give_mean { n_draws as usize } else { 1 };
    let kinds = ParameterKinds::of(vae);
    let n_genes = cells.data.n_genes();
    // The number of the first draw, and means, dispersions and dropouts of each, or their means.
    let work = |loaded: Loaded<_>, (number, values): &mut (u32, Vec<[MeanRows; 3]>)| {
        let Loaded { ws, batch, draws, .. } = loaded;
        let n = ws.n_cells() * n_genes;
        let n_dispersions = if kinds.dispersion_is_of_gene { n_genes } else { n };
        *number = draws.start;
        values.resize_with(if give_mean { 1 } else { draws.len() }, Default::default);
        for (k, draw) in draws.enumerate() {
            posterior.draw(vae, ws, batch, draw, k == 0);
            vae.decode(ws, None, Decoded::All);
            let [means, dispersions, dropouts] = &mut values[if give_mean { 0 } else { k }];
            means.add(n, terms, |out| vae.px_rate_into(ws, None, out));
            if let Some(theta) = vae.px_r(ws) {
                dispersions.add(n_dispersions, terms, |out| out.copy_from_slice(&theta));
            }
            if let Some(logits) = vae.px_dropout(ws) {
                dropouts.add(n, terms, |out| {
                    out.iter_mut().zip(&logits).for_each(|(p, &logit)| *p = sigmoid(logit));
                });
            }
        }
        Ok(())
    };
    let draws = (Room::Decoded, n_draws, give_mean);
    for_each_draw(vae, cells, draws, watch, work, |(number, values)| {
        for (draw, [means, dispersions, dropouts]) in (*number..).zip(values) {
            let mean = means.rows();
            let dispersions = kinds.dispersions.then(|| dispersions.rows());
            let dropout = kinds.dropout.then(|| dropouts.rows());
            rows(Parameters { draw, mean, dispersions, dropout }).map_err(TaskError::Write)?;
        }
        Ok(())
    })
}

/// 1 / (1 + e^-x), without overflow.
fn sigmoid(x: f32) -> f32 {
    let e = (-x.abs()).exp();
    if x >= 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) }
}
