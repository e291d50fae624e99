//! The layers: parameters, forward, backward, and their names in scvi-tools' state dict.

mod batch_norm;
mod classifier;
mod covariates;
mod decoder;
mod decoder_plan;
mod embedding;
mod embeddings;
mod encoder;
mod fc_layer;
mod fc_layers;
mod fc_plan;
mod gradient_tree;
mod heads;
mod init;
mod layer_norm;
mod leaves;
mod param;
mod reduce;
mod slot;
mod staged;
mod state;
mod tensors;
mod trainable_entries;
mod update;

pub(crate) use batch_norm::BatchNorm;
pub(crate) use classifier::{Classifier, ClassifierActivations, ClassifierPlan};
pub(crate) use covariates::{Covariates, InputGrads, Pass};
pub(crate) use decoder::{Decoder, DecoderActivations, DecoderLeaf};
pub(crate) use decoder_plan::{BodyPlan, DecoderPlan, LinearInput};
pub(crate) use embedding::EmbeddingPlan;
pub use embedding::{Embedding, EmbeddingError, NewRows};
pub(crate) use embeddings::{BATCH, Embeddings};
pub(crate) use encoder::{
    Encoder, EncoderActivations, EncoderInput, EncoderLeaf, EncoderPlan, MomentGrads,
};
pub(crate) use fc_layer::FcInput;
pub(crate) use fc_layers::{FcActivations, FcLayers, FcLeaf};
pub(crate) use fc_plan::FcPlan;
pub use heads::Decoded;
pub(crate) use heads::HeadsPlan;
pub(crate) use init::Init;
pub(crate) use leaves::with_each;
pub(crate) use param::Param;
pub use slot::Slot;
pub(crate) use staged::{apply_staged, keep_staged};
pub use state::{NotFinite, StateDict, StateError, Tensor};
pub(crate) use state::{export, first_not_finite, import, reset_optimizer, set_trained};
pub(crate) use tensors::{NamedTensor, RunningMoment, Tensors, TensorsMut};
pub use trainable_entries::TrainableEntries;
pub(crate) use update::Update;
pub use update::{GradientClip, OptimizerStep};
