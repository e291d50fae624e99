//! The modules that a model folder holds.

use scvi::DefaultBackend;
use scvi::data::Registry;
use scvi::model::query::Mappable;
use scvi::module::{Inference, Scanvae, ScanvaeConfig, Vae, VaeConfig};
use scvi::nn::StateDict;
use scvi::train::{History, Trainable};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::convert::class_name;
use crate::model_dir::HistoryTable;
use crate::saved_model::{FORMAT_VERSION, ModelMeta, SCANVI_FORMAT_VERSION, SavedModel};
use crate::scanvi::{ScanviMeta, is_of_labels};

/// A module that is trained, mapped and saved: a [`Vae`], and what it has beside.
pub trait SavedModule:
    Trainable<Backend = DefaultBackend, Config: Serialize + DeserializeOwned + Send>
    + Inference<Backend = DefaultBackend>
    + Mappable<Elem = f32, Backend = DefaultBackend>
{
    /// Its Vae, and the tensors that it has beside.
    fn into_parts(self) -> (Vae<DefaultBackend>, StateDict<f32>);

    /// The configuration of its Vae, and what the model's metadata say beside; of a module that
    /// classifies, the last label of the registry is that of cells without one.
    fn described(config: Self::Config, registry: &Registry) -> (VaeConfig, Option<ScanviMeta>);
}

impl SavedModule for Vae<DefaultBackend> {
    fn into_parts(self) -> (Self, StateDict<f32>) {
        (self, StateDict::new())
    }

    fn described(config: VaeConfig, _registry: &Registry) -> (VaeConfig, Option<ScanviMeta>) {
        (config, None)
    }
}

impl SavedModule for Scanvae<DefaultBackend> {
    fn into_parts(self) -> (Vae<DefaultBackend>, StateDict<f32>) {
        let labels = self.state_dict().into_iter().filter(|(name, _)| is_of_labels(name)).collect();
        (self.into_vae(), labels)
    }

    fn described(config: ScanvaeConfig, registry: &Registry) -> (VaeConfig, Option<ScanviMeta>) {
        let ScanvaeConfig { vae, linear_classifier, classifier_parameters, y_prior } = config;
        let labels = registry.labels.as_ref().and_then(|labels| labels.categories.last());
        let unlabeled_category = labels.cloned().unwrap_or_default();
        let meta =
            ScanviMeta { unlabeled_category, linear_classifier, classifier_parameters, y_prior };
        (vae, Some(meta))
    }
}

impl SavedModel {
    /// A model without a history.
    pub fn new<M: SavedModule>(module: M, meta: ModelMeta) -> Self {
        let (vae, labels) = module.into_parts();
        let (history, unused, left_out) = (HistoryTable::default(), StateDict::new(), Vec::new());
        Self { vae, labels, meta, history, unused, left_out }
    }

    /// A model that was just trained.
    pub fn trained<M: SavedModule>(module: M, meta: ModelMeta, history: &History) -> Self {
        Self { history: history.into(), ..Self::new(module, meta) }
    }

    /// Takes a module in, in the place of its own.
    pub fn set_module<M: SavedModule>(&mut self, module: M) {
        (self.vae, self.labels) = module.into_parts();
    }
}

impl ModelMeta {
    /// The same with the name of the class and the format's version that follow from the rest.
    #[must_use]
    pub fn of_class(self) -> Self {
        let format_version = match self.scanvi {
            Some(_) => SCANVI_FORMAT_VERSION,
            None => FORMAT_VERSION,
        };
        Self { model_class: class_name(&self).to_owned(), format_version, ..self }
    }
}
