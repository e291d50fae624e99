//! The layers: parameters, forward, backward, and their names in scvi-tools' state dict.

mod batch_norm;
mod clip;
mod covariates;
mod decoder;
mod embedding;
mod embeddings;
mod encoder;
mod fc_layer;
mod fc_layers;
mod fc_plan;
mod heads;
mod init;
mod layer_norm;
mod param;
mod state;

pub(crate) use batch_norm::BatchNorm;
pub use clip::GradientClip;
pub(crate) use clip::{ClipAndStep, SumSquares};
pub(crate) use covariates::{Covariates, InputGrads, Pass};
pub use decoder::Decoded;
pub(crate) use decoder::{BodyPlan, Decoder, DecoderActivations, DecoderPlan, LinearInput};
pub(crate) use embedding::EmbeddingPlan;
pub use embedding::{Embedding, EmbeddingError, NewRows};
pub(crate) use embeddings::{BATCH, Embeddings};
pub(crate) use encoder::{Encoder, EncoderActivations, EncoderInput, EncoderPlan};
pub(crate) use fc_layer::FcInput;
pub(crate) use fc_layers::{FcActivations, FcLayers};
pub(crate) use fc_plan::FcPlan;
pub(crate) use heads::HeadsPlan;
pub(crate) use init::Init;
pub(crate) use param::{Param, Update};
pub(crate) use state::{
    Export as StateExport, FindNotFinite, ForgetMoments, Import as StateImport, SetTrained,
    StateVisitor,
};
pub use state::{NotFinite, Slot, StateDict, StateError, Tensor, Trained};
