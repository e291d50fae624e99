//! What a query's training may move.

use serde::{Deserialize, Serialize};

use super::growth::{Column, Growth, Stack, layer_of, second_level_layer};
use crate::module::{ConfigError, ScanvaeConfig, ScanvaeSpec, VaeConfig, VaeSpec};
use crate::nn::TrainableEntries;

/// Switches of what stays as the reference has it; names and defaults are those of scvi-tools'
/// `load_query_data`, but for the last.
///
/// | Name | Default | What it freezes |
/// |---|---|---|
/// | `unfrozen` | false | true: nothing, whatever the others say |
/// | `freeze_dropout` | false | dropout of the encoders: there is none while the query trains |
/// | `freeze_expression` | true | the genes' weights in the encoder's first layer |
/// | `freeze_decoder_first_layer` | true | the latent dimensions' weights in the decoder's first layer |
/// | `freeze_batchnorm_encoder` | true | scale, shift and running moments in z's encoder |
/// | `freeze_batchnorm_decoder` | false | the same in the decoder |
/// | `freeze_classifier` | true | the classifier of a SCANVI |
/// | `freeze_reference_categories` | true | columns and vectors of categories that the reference knows |
///
/// Trained are always the columns of new categories in every hidden layer, the dispersion and the
/// embedding of new batches or labels, and the encoder of an inferred library, all of it, as in
/// scvi-tools. The heads of encoder and decoder never are, unless `unfrozen`; nor are the second
/// level's networks of a SCANVI, but for their batch normalization, which follows that of encoder
/// and decoder.
///
/// With the defaults the latent posterior of a reference cell is bit-identical. What is
/// decoded of one does not either where the decoder's batch normalisation is frozen too (or there
/// is none) and the library is not inferred.
///
/// scvi-tools has no `freeze_reference_categories`: it trains the columns of all categories, so that
/// query cells of a batch that the reference knows move that batch's. Of a frozen classifier it
/// trains the batch normalization, which here is frozen too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Freeze {
    /// Train everything.
    pub unfrozen: bool,
    /// No dropout while the query trains.
    pub freeze_dropout: bool,
    /// Keep the encoder's first layer.
    pub freeze_expression: bool,
    /// Keep the decoder's first layer.
    pub freeze_decoder_first_layer: bool,
    /// Keep the batch normalisation of z's encoder.
    pub freeze_batchnorm_encoder: bool,
    /// Keep the batch normalisation of the decoder.
    pub freeze_batchnorm_decoder: bool,
    /// Keep the classifier of a SCANVI; other models have none.
    #[serde(skip_serializing_if = "is_true")]
    pub freeze_classifier: bool,
    /// Keep what belongs to categories that the reference knows.
    pub freeze_reference_categories: bool,
}

/// The default stays unwritten, so that programs that know no classifier read mapped models of
/// other classes.
fn is_true(value: &bool) -> bool {
    *value
}

impl Default for Freeze {
    fn default() -> Self {
        Self {
            unfrozen: false,
            freeze_dropout: false,
            freeze_expression: true,
            freeze_decoder_first_layer: true,
            freeze_batchnorm_encoder: true,
            freeze_batchnorm_decoder: false,
            freeze_classifier: true,
            freeze_reference_categories: true,
        }
    }
}

impl Freeze {
    /// The specification to train with: dropout is part of it.
    pub(super) fn trained_with(&self, grown: &VaeSpec) -> Result<VaeSpec, ConfigError> {
        if !self.leaves_out_dropout() {
            return Ok(grown.clone());
        }
        VaeConfig { dropout_rate: 0.0, ..grown.config().clone() }.validate()
    }

    /// The same of a SCANVI whose Vae is trained with `vae`. A classifier that is trained keeps its
    /// dropout, as in scvi-tools.
    pub(super) fn scanvae_trained_with(
        &self,
        reference: &ScanvaeSpec,
        vae: VaeSpec,
    ) -> Result<ScanvaeSpec, ConfigError> {
        let mut config = ScanvaeConfig { vae: vae.config().clone(), ..reference.config().clone() };
        if self.leaves_out_dropout() {
            let own = &mut config.classifier_parameters.dropout_rate;
            *own = Some(match self.freeze_classifier {
                true => 0.0,
                false => own.unwrap_or(reference.config().vae.dropout_rate),
            });
        }
        config.validate()
    }

    fn leaves_out_dropout(&self) -> bool {
        !self.unfrozen && self.freeze_dropout
    }

    /// Which numbers of a tensor training moves.
    pub(super) fn trained(&self, name: &str, shape: &[usize], growth: &Growth) -> TrainableEntries {
        match (layer_of(name), name) {
            _ if self.unfrozen || name.starts_with("l_encoder.") => TrainableEntries::All,
            (None, _) if name.starts_with("classifier.") => all_if(!self.freeze_classifier),
            (Some((stack, layer, "0.weight")), _) if !self.trains_whole(stack, layer) => {
                self.categories(1, &growth.layer(stack, layer))
            }
            (Some((stack, _, part)), _) if part.starts_with("1.") => {
                all_if(!self.freezes_batch_norm(stack))
            }
            (Some((stack, layer, _)), _) => all_if(self.trains_whole(stack, layer)),
            (None, "px_r") if shape.len() == 2 => {
                // scvi-tools never trains the reference's.
                only(1, &growth.dispersion(), |column| *column == Column::New)
            }
            (None, "_embeddings_dict.batch.weight") => self.categories(0, &growth.embedding()),
            // Labels do not grow, so that no column of theirs is new.
            (None, _) => match second_level_layer(name) {
                Some((stack, part)) => {
                    all_if(part.starts_with("1.") && !self.freezes_batch_norm(stack))
                }
                None => TrainableEntries::Nothing,
            },
        }
    }

    /// Whether training reaches any number of z's encoder.
    pub(super) fn moves_encoder(&self, growth: &Growth) -> bool {
        let columns =
            |columns: Vec<Column>| self.categories(1, &columns) != TrainableEntries::Nothing;
        self.unfrozen
            || !self.freeze_expression
            || (!self.freeze_batchnorm_encoder && growth.encoder_is_batch_normalised())
            || growth.encoder_layers().any(columns)
            || (growth.encoder_reads_embedding()
                && self.categories(0, &growth.embedding()) != TrainableEntries::Nothing)
    }

    /// Whether the map of a layer is trained with all its inputs, not with new categories alone.
    fn trains_whole(&self, stack: Stack, layer: usize) -> bool {
        layer == 0
            && match stack {
                Stack::Encoder => !self.freeze_expression,
                Stack::Decoder => !self.freeze_decoder_first_layer,
                Stack::Library => true,
            }
    }

    fn freezes_batch_norm(&self, stack: Stack) -> bool {
        match stack {
            Stack::Encoder => self.freeze_batchnorm_encoder,
            Stack::Decoder => self.freeze_batchnorm_decoder,
            Stack::Library => false,
        }
    }

    /// New categories, and known ones where they are not frozen.
    fn categories(&self, dim: usize, columns: &[Column]) -> TrainableEntries {
        let known = |column: &Column| matches!(column, Column::Known(_));
        let moves = |column: &Column| {
            *column == Column::New || (known(column) && !self.freeze_reference_categories)
        };
        only(dim, columns, moves)
    }
}

fn all_if(trained: bool) -> TrainableEntries {
    if trained { TrainableEntries::All } else { TrainableEntries::Nothing }
}

fn only(dim: usize, columns: &[Column], moves: impl Fn(&Column) -> bool) -> TrainableEntries {
    let indices: Vec<usize> =
        columns.iter().enumerate().filter(|(_, c)| moves(c)).map(|(i, _)| i).collect();
    if indices.is_empty() {
        TrainableEntries::Nothing
    } else {
        TrainableEntries::Only { dim, indices }
    }
}
