//! The layers: parameters, forward, backward, and their names in scvi-tools' state dict.

mod batch_norm;
mod decoder;
mod encoder;
mod fc_layers;
mod init;
mod param;
mod state;

pub(crate) use batch_norm::BatchNorm;
pub(crate) use decoder::{Decoder, HeadActivations};
pub(crate) use encoder::{Encoder, EncoderActivations};
pub(crate) use fc_layers::{FcActivations, FcInput, FcLayers, FcPlan, Pass};
pub(crate) use init::Init;
pub(crate) use param::{Param, Update};
pub(crate) use state::{Export as StateExport, Import as StateImport, StateVisitor};
pub use state::{Slot, StateDict, StateError, Tensor};
