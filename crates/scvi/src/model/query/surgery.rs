//! The reference's tensors with places for new categories.

use scvi_kernels::Real;

use super::growth::{Column, Growth, layer_of};
use crate::nn::{StateDict, StateError, Tensor};

/// The grown model's tensors: the reference's numbers where it has them; where it has none, what
/// [`super::load_query_data`] says, random numbers being those of `fresh`, a new model.
pub(super) fn extend<F: Real>(
    mut reference: StateDict<F>,
    fresh: StateDict<F>,
    growth: &Growth,
) -> Result<StateDict<F>, StateError> {
    let mut state = StateDict::new();
    for (name, fresh) in fresh {
        let missing = || StateError::Missing { name: name.clone() };
        let old = reference.remove(&name).ok_or_else(missing)?;
        let tensor = match (layer_of(&name), fresh.shape.len()) {
            (Some((stack, layer, "0.weight")), _) => {
                with_columns(&old, &fresh, &growth.layer(stack, layer), |_, fresh| fresh)
            }
            _ if name == "px_r" && fresh.shape.len() == 2 => {
                with_columns(&old, &fresh, &growth.dispersion(), |row, _| mean(row))
            }
            _ if name == "_embeddings_dict.batch.weight" => with_rows(&old, fresh),
            _ => Some(old.clone()).filter(|old| old.shape == fresh.shape),
        };
        let Some(tensor) = tensor else {
            return Err(StateError::Shape { name, expected: Vec::new(), found: old.shape });
        };
        state.insert(name, tensor);
    }
    Ok(state)
}

/// A matrix with these columns; `new` makes a number of a new one from the reference's row and the
/// fresh number there. `None` where the reference's tensor lacks a column.
fn with_columns<F: Real>(
    old: &Tensor<F>,
    fresh: &Tensor<F>,
    columns: &[Column],
    new: impl Fn(&[F], F) -> F,
) -> Option<Tensor<F>> {
    let (&[rows, width], &[old_rows, old_width]) = (&fresh.shape[..], &old.shape[..]) else {
        return None;
    };
    let known = columns.iter().filter(|c| matches!(c, Column::Own(_) | Column::Known(_))).count();
    if (rows, width, known) != (old_rows, columns.len(), old_width) {
        return None;
    }
    let lines = old.data.chunks_exact(old_width).zip(fresh.data.chunks_exact(width));
    let line = |(old, fresh): (&[F], &[F])| -> Vec<F> {
        let numbers = columns.iter().zip(fresh).map(|(column, &fresh)| match *column {
            Column::Own(k) | Column::Known(k) => old[k],
            Column::Only => F::ZERO,
            Column::New => new(old, fresh),
        });
        numbers.collect()
    };
    Some(Tensor { shape: fresh.shape.clone(), data: lines.flat_map(line).collect() })
}

/// A table whose first rows are the reference's.
fn with_rows<F: Real>(old: &Tensor<F>, mut fresh: Tensor<F>) -> Option<Tensor<F>> {
    let fits = old.shape[1..] == fresh.shape[1..] && old.data.len() <= fresh.data.len();
    fresh.data.get_mut(..old.data.len())?.copy_from_slice(&old.data);
    fits.then_some(fresh)
}

fn mean<F: Real>(row: &[F]) -> F {
    let sum = row.iter().fold(F::ZERO, |sum, &x| sum + x);
    sum / F::of(row.len() as f64)
}
