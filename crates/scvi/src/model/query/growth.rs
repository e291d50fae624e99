//! How a model grows: which of its numbers are the reference's, and which are new.

use super::error::QueryError;
use crate::module::{BatchRepresentation, Dispersion, OneHotPlan, VaeConfig, VaeSpec};
use crate::nn::FcPlan;

/// A reference's specification and the one it grows to.
pub(super) struct Growth<'a> {
    reference: &'a VaeSpec,
    grown: &'a VaeSpec,
}

/// Where a column of a grown tensor comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    /// What a layer reads beside categories: this column of the reference's tensor.
    Own(usize),
    /// A category that the reference has a column of, this one.
    Known(usize),
    /// The only category that the reference had, which had no column.
    Only,
    /// A category that the reference does not know.
    New,
}

/// A stack of hidden layers, by its name in the state dict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stack {
    /// Of z's encoder.
    Encoder,
    /// Of the library's encoder.
    Library,
    /// Of the decoder.
    Decoder,
}

/// The layer that a tensor belongs to, and its name there: `0.weight`, `1.running_mean`.
pub(super) fn layer_of(name: &str) -> Option<(Stack, usize, &str)> {
    layer_in(
        name,
        &[
            ("z_encoder.encoder.fc_layers.Layer ", Stack::Encoder),
            ("l_encoder.encoder.fc_layers.Layer ", Stack::Library),
            ("decoder.px_decoder.fc_layers.Layer ", Stack::Decoder),
        ],
    )
}

/// The same of a layer between both latent levels of a SCANVI: the part whose rules it follows, and
/// the tensor's name in the layer.
pub(super) fn second_level_layer(name: &str) -> Option<(Stack, &str)> {
    let stacks = [
        ("encoder_z2_z1.encoder.fc_layers.Layer ", Stack::Encoder),
        ("decoder_z1_z2.decoder.fc_layers.Layer ", Stack::Decoder),
    ];
    layer_in(name, &stacks).map(|(stack, _, part)| (stack, part))
}

/// The layer of one of the stacks, by the beginnings of their tensors' names.
fn layer_in<'n>(name: &'n str, stacks: &[(&str, Stack)]) -> Option<(Stack, usize, &'n str)> {
    stacks.iter().find_map(|&(prefix, stack)| {
        let (layer, part) = name.strip_prefix(prefix)?.split_once('.')?;
        Some((stack, layer.parse().ok()?, part))
    })
}

impl<'a> Growth<'a> {
    /// # Errors
    /// [`QueryError`] where one is not the other with more categories.
    pub(super) fn new(reference: &'a VaeSpec, grown: &'a VaeSpec) -> Result<Self, QueryError> {
        let (old, new) = (reference.config(), grown.config());
        if old.linear_decoder {
            return Err(QueryError::LinearDecoder);
        }
        if fixed_part(old) != fixed_part(new)
            || old.n_cats_per_cov.len() != new.n_cats_per_cov.len()
        {
            return Err(QueryError::OtherModel);
        }
        let covariates = old.n_cats_per_cov.iter().zip(&new.n_cats_per_cov);
        let covariates = covariates.map(|(&old, &new)| ("categories of a covariate", old, new));
        let counts =
            [("batches", old.n_batch, new.n_batch), ("labels", old.n_labels, new.n_labels)];
        for (what, reference, found) in counts.into_iter().chain(covariates) {
            if found < reference {
                return Err(QueryError::Fewer { what, reference, found });
            }
        }
        Ok(Self { reference, grown })
    }

    /// The columns of a layer's weight, in torch's order.
    pub(super) fn layer(&self, stack: Stack, layer: usize) -> Vec<Column> {
        let plan = |spec: &VaeSpec| -> FcPlan {
            match stack {
                Stack::Encoder => spec.encoder_plan().fc,
                Stack::Library => spec.library_encoder_plan().fc,
                Stack::Decoder => spec.decoder_layers(),
            }
        };
        let [n_in, continuous, embedded, categories] = plan(self.grown).parts(layer);
        let own = n_in + continuous + embedded;
        let mut columns: Vec<Column> = (0..own).map(Column::Own).collect();
        if categories > 0 {
            columns.extend(self.one_hot(own));
        }
        columns
    }

    /// One-hot columns, the reference's beginning at `first`.
    fn one_hot(&self, mut first: usize) -> Vec<Column> {
        let counts = |spec: &VaeSpec| OneHotPlan::category_counts(spec.config());
        let mut columns = Vec::new();
        for (old, new) in counts(self.reference).into_iter().zip(counts(self.grown)) {
            let column = |category: usize| match old {
                0 | 1 if category == 0 => Column::Only,
                0 | 1 => Column::New,
                _ if category < old => Column::Known(first + category),
                _ => Column::New,
            };
            // A covariate with one category has no column.
            if new > 1 {
                columns.extend((0..new).map(column));
            }
            if old > 1 {
                first += old;
            }
        }
        columns
    }

    /// The columns of px_r, a batch or label each.
    pub(super) fn dispersion(&self) -> Vec<Column> {
        let (old, new) = (self.reference.config(), self.grown.config());
        match new.dispersion {
            Dispersion::GeneBatch => known_then_new(old.n_batch, new.n_batch),
            Dispersion::GeneLabel => known_then_new(old.n_labels, new.n_labels),
            Dispersion::Gene | Dispersion::GeneCell => Vec::new(),
        }
    }

    /// The rows of the batch's embedding.
    pub(super) fn embedding(&self) -> Vec<Column> {
        known_then_new(self.reference.config().n_batch, self.grown.config().n_batch)
    }

    pub(super) fn encoder_is_batch_normalised(&self) -> bool {
        self.grown.encoder_plan().fc.batch_norm
    }

    pub(super) fn encoder_reads_embedding(&self) -> bool {
        self.grown.encoder_plan().fc.n_embedded > 0
    }

    /// Every layer of z's encoder.
    pub(super) fn encoder_layers(&self) -> impl Iterator<Item = Vec<Column>> {
        (0..self.grown.config().n_layers).map(|layer| self.layer(Stack::Encoder, layer))
    }
}

fn known_then_new(old: usize, new: usize) -> Vec<Column> {
    (0..new).map(|i| if i < old { Column::Known(i) } else { Column::New }).collect()
}

/// What a query cannot change.
fn fixed_part(config: &VaeConfig) -> VaeConfig {
    let embedding = config.batch_representation == BatchRepresentation::Embedding;
    let mut fixed = VaeConfig {
        n_batch: 0,
        n_labels: 0,
        n_cats_per_cov: Vec::new(),
        library_log_means: None,
        library_log_vars: None,
        // A query that trains without dropout (`Freeze::freeze_dropout`) has the same tensors.
        dropout_rate: 0.0,
        ..config.clone()
    };
    if embedding {
        // Only written in another way.
        fixed.batch_embedding_kwargs.padding_idx = None;
    }
    fixed
}

#[cfg(test)]
mod tests {
    use super::Column::{Known, New, Only, Own};
    use super::*;

    fn spec(n_batch: usize, cats: &[usize]) -> VaeSpec {
        let config = VaeConfig {
            n_input: 3,
            n_hidden: 2,
            n_latent: 1,
            n_layers: 2,
            n_batch,
            n_cats_per_cov: cats.to_vec(),
            ..VaeConfig::default()
        };
        config.validate().unwrap()
    }

    #[test]
    fn each_category_keeps_its_column() {
        let (old, new) = (spec(2, &[1, 3, 1]), spec(3, &[2, 4, 1]));
        let growth = Growth::new(&old, &new).unwrap();
        let expected =
            [Own(0), Known(1), Known(2), New, Only, New, Known(3), Known(4), Known(5), New];
        assert_eq!(growth.layer(Stack::Decoder, 0), expected);
        // The encoder reads no covariates.
        assert_eq!(growth.layer(Stack::Encoder, 0), [Own(0), Own(1), Own(2)]);
        assert_eq!(growth.layer(Stack::Decoder, 1)[..3], [Own(0), Own(1), Known(2)]);
    }

    #[test]
    fn a_layer_without_categories_has_none() {
        let shallow = |n_batch| {
            let config = VaeConfig {
                deeply_inject_covariates: false,
                ..spec(n_batch, &[]).config().clone()
            };
            config.validate().unwrap()
        };
        let (old, new) = (shallow(1), shallow(2));
        let growth = Growth::new(&old, &new).unwrap();
        assert_eq!(growth.layer(Stack::Decoder, 0), [Own(0), Only, New]);
        assert_eq!(growth.layer(Stack::Decoder, 1), [Own(0), Own(1)]);
    }

    #[test]
    fn other_models_are_refused() {
        let refused = |old: &VaeSpec, new: &VaeSpec| Growth::new(old, new).err().unwrap();
        let old = spec(3, &[2]);
        let fewer = refused(&old, &spec(2, &[2]));
        assert!(matches!(fewer, QueryError::Fewer { what: "batches", reference: 3, found: 2 }));
        assert!(matches!(refused(&old, &spec(3, &[1])), QueryError::Fewer { reference: 2, .. }));
        assert_eq!(refused(&old, &spec(3, &[])), QueryError::OtherModel);
        let without_dropout = VaeConfig { dropout_rate: 0.0, ..old.config().clone() };
        assert!(Growth::new(&old, &without_dropout.validate().unwrap()).is_ok());
        let wider = VaeConfig { n_hidden: 5, ..old.config().clone() };
        assert_eq!(refused(&old, &wider.validate().unwrap()), QueryError::OtherModel);
        let linear = VaeConfig { n_input: 3, use_observed_lib_size: true, ..VaeConfig::linear() };
        let linear = linear.validate().unwrap();
        assert_eq!(refused(&linear, &linear), QueryError::LinearDecoder);
    }

    #[test]
    fn names_of_layers() {
        let name = "decoder.px_decoder.fc_layers.Layer 1.0.weight";
        assert_eq!(layer_of(name), Some((Stack::Decoder, 1, "0.weight")));
        let name = "z_encoder.encoder.fc_layers.Layer 0.1.running_var";
        assert_eq!(layer_of(name), Some((Stack::Encoder, 0, "1.running_var")));
        assert_eq!(layer_of("decoder.px_scale_decoder.0.weight"), None);
        let name = "decoder_z1_z2.decoder.fc_layers.Layer 0.1.bias";
        assert_eq!(layer_of(name), None);
        assert_eq!(second_level_layer(name), Some((Stack::Decoder, "1.bias")));
        assert_eq!(layer_of("z_encoder.mean_encoder.weight"), None);
    }
}
