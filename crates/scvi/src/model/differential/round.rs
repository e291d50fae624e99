//! The samples of a round, decoded as far as the heads' input.

use scvi_kernels::Backend;

use super::context::{Context, Latent};
use super::draws::Draws;
use super::importance;
use super::meter::Meter;
use super::plan::{Planned, Round};
use crate::model::cells::Cells;
use crate::model::error::TaskError;
use crate::model::importance::Weights;
use crate::model::minibatches::{Loaded, Room, for_each_minibatch};
use crate::model::pass::infer;
use crate::module::{DecodedSamples, Noise};

/// A round whose samples can be read gene by gene.
pub(super) struct DecodedRound<B: Backend> {
    pub(super) sets: Vec<DecodedSamples<B>>,
    pub(super) contrasts: Vec<Planned>,
}

/// Encodes the drawn cells, draws a z of each, and decodes them.
pub(super) fn decode<B: Backend<Elem = f32>>(
    context: &Context<B>,
    round: Round,
    meter: &mut Meter,
) -> Result<DecodedRound<B>, TaskError> {
    let Round { sets: draws, mut contrasts } = round;
    let mut sets = Vec::with_capacity(draws.len());
    let mut latent = Vec::with_capacity(draws.len());
    let keep_z = context.options.weights != Weights::Uniform;
    for draws in &draws {
        let (hidden, z) = sample(context, draws, keep_z, meter)?;
        sets.push(context.vae.decoded_samples(&hidden));
        latent.push(z);
    }
    if let Weights::Importance(options) = context.options.weights {
        for planned in &mut contrasts {
            importance::resample(context, options, planned, &draws, &latent, meter)?;
        }
    }
    Ok(DecodedRound { sets, contrasts })
}

/// Hidden states of the samples of one source, `(samples, hidden_width)`, and their z.
fn sample<B: Backend<Elem = f32>>(
    context: &Context<B>,
    draws: &Draws,
    keep_z: bool,
    meter: &mut Meter,
) -> Result<(Vec<f32>, Latent), TaskError> {
    let Context { vae, data, populations, options } = context;
    let cells = populations.cells_of(draws);
    let cells =
        Cells::chosen(data, &cells, options.batch_size).with_noise_by_number(&draws.numbers);
    let mut hidden = Vec::with_capacity(cells.len() * vae.hidden_width());
    let mut latent = Latent::default();
    let noise = Noise::Seeded { seed: options.seed, draw: populations.stream(draws.source) };
    let work = |Loaded { ws, batch, .. }: Loaded<_>, (hidden, latent): &mut (Vec<f32>, Latent)| {
        infer(vae, ws, batch, Some(noise));
        *hidden = vae.hidden(ws, draws.source.batch);
        if keep_z {
            latent.z = ws.z(vae.backend());
            latent.untransformed = ws.untransformed_z(vae.backend());
        }
        Ok(())
    };
    let told = &mut |_| meter.told();
    for_each_minibatch(vae, cells, Room::Hidden, told, work, |(some, of_some)| {
        hidden.append(some);
        latent.z.append(&mut of_some.z);
        latent.untransformed.append(&mut of_some.untransformed);
        Ok(())
    })?;
    Ok((hidden, latent))
}
