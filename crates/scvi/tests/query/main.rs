//! Queries mapped onto a reference: what scvi-tools makes of them, and what must stay as it was.

#[path = "../common/mod.rs"]
mod common;
mod fixtures;
mod reference_is_kept;
mod resume;
mod scanvae;

use scvi::Backend;
use scvi::model::query::{Freeze, load_query_data};
use scvi::module::{Vae, VaeConfig};
use scvi::nn::StateDict;

/// The grown model of a reference.
fn mapped<B: Backend + Clone>(
    reference: &mut Vae<B>,
    grown: &VaeConfig,
    freeze: &Freeze,
) -> Vae<B> {
    load_query_data(reference, &grown.validate().unwrap(), freeze, 7).unwrap()
}

/// Places in which two tensors of a name and shape are not bit-identical.
fn moved(name: &str, before: &StateDict<f32>, after: &StateDict<f32>) -> Vec<usize> {
    let (before, after) = (&before[name], &after[name]);
    assert_eq!(before.shape, after.shape, "{name}");
    let numbers = before.data.iter().zip(&after.data).enumerate();
    numbers.filter(|(_, (a, b))| a.to_bits() != b.to_bits()).map(|(i, _)| i).collect()
}
