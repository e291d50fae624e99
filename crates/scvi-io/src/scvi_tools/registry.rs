//! How the data were set up: what `setup_anndata` was told and what it found.

use std::collections::BTreeMap;

use super::SaveError;
use super::parse::{Entries, Path, Place};
use super::value::{Array, ArrayData, Value};

/// The registry of scvi-tools (`registry_`). What a version does not write is `None` or empty.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SetupRegistry {
    /// The version of scvi-tools that set up the data.
    pub scvi_version: Option<String>,
    /// The model's class: `SCVI`, `LinearSCVI`.
    pub model_name: Option<String>,
    /// `setup_anndata`; written since 1.0.
    pub setup_method_name: Option<String>,
    /// The arguments: `layer`, `batch_key`, `labels_key`, `size_factor_key`,
    /// `categorical_covariate_keys`, `continuous_covariate_keys`.
    pub setup_args: BTreeMap<String, Value>,
    /// The fields: `X`, `batch`, `labels`, `size_factor`, `extra_categorical_covs`,
    /// `extra_continuous_covs`.
    pub fields: BTreeMap<String, SetupField>,
    /// Whatever else there is.
    pub other: BTreeMap<String, Value>,
}

/// One field of the data. Which parts there are depends on its kind; a field that was not asked
/// for has none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SetupField {
    /// The part of the AnnData: `X`, `layers`, `obs`, `obsm`.
    pub attr_name: Option<String>,
    /// The key in that part; for `layers`, the layer.
    pub attr_key: Option<String>,
    /// Cells (counts).
    pub n_obs: Option<usize>,
    /// Genes (counts).
    pub n_vars: Option<usize>,
    /// Names of the genes (counts).
    pub column_names: Option<Vec<String>>,
    /// Categories by code (a categorical column): texts, or numbers where the column holds some.
    pub categorical_mapping: Option<ArrayData>,
    /// The column that the user named (a categorical column).
    pub original_key: Option<String>,
    /// Categories by code for each column (categorical covariates).
    pub mappings: Option<Vec<(String, ArrayData)>>,
    /// The columns in order (categorical covariates).
    pub field_keys: Option<Vec<String>>,
    /// Numbers of categories in that order (categorical covariates).
    pub n_cats_per_key: Option<Vec<usize>>,
    /// The columns in order (continuous covariates).
    pub columns: Option<Vec<String>>,
    /// Counts: `n_cells`, `n_vars`, `n_batch`, `n_labels`, `n_extra_categorical_covs`,
    /// `n_extra_continuous_covs`.
    pub summary_stats: BTreeMap<String, i64>,
    /// What else `data_registry` holds: `mod_key`.
    pub other_data: BTreeMap<String, Value>,
    /// What else `state_registry` holds.
    pub other_state: BTreeMap<String, Value>,
}

impl SetupRegistry {
    pub(super) fn parse(value: Value, path: Path<'_>) -> Result<Self, SaveError> {
        let mut parts = Taker::new(value, path)?;
        let mut fields = BTreeMap::new();
        for (key, value) in parts.map("field_registries", |p| p.entries())?.unwrap_or_default() {
            let path = Path::Key(&path, &key);
            fields.insert(key.clone(), SetupField::parse(value, path)?);
        }
        Ok(Self {
            scvi_version: parts.text("scvi_version")?,
            model_name: parts.text("model_name")?,
            setup_method_name: parts.text("setup_method_name")?,
            setup_args: parts.map("setup_args", |p| p.entries())?.unwrap_or_default(),
            fields,
            other: parts.entries,
        })
    }

    pub(super) fn to_value(&self) -> Value {
        let mut parts = Vec::new();
        let texts = [
            ("scvi_version", &self.scvi_version),
            ("model_name", &self.model_name),
            ("setup_method_name", &self.setup_method_name),
        ];
        for (key, text) in texts {
            if let Some(text) = text {
                parts.push((key.into(), text.as_str().into()));
            }
        }
        parts.push(("setup_args".into(), dict(&self.setup_args)));
        let fields = self.fields.iter().map(|(key, f)| (key.as_str().into(), f.to_value()));
        parts.push(("field_registries".into(), Value::Dict(fields.collect())));
        parts.extend(pairs(&self.other));
        Value::Dict(parts)
    }
}

impl SetupField {
    fn parse(value: Value, path: Path<'_>) -> Result<Self, SaveError> {
        let mut parts = Taker::new(value, path)?;
        let mut part = |key| parts.entries.remove(key).unwrap_or(Value::Dict(Vec::new()));
        let (data, state, stats) =
            (part("data_registry"), part("state_registry"), part("summary_stats"));
        let mut data = Taker::new(data, Path::Key(&path, "data_registry"))?;
        let state_path = Path::Key(&path, "state_registry");
        let mut state = Taker::new(state, state_path)?;
        let stats_path = Path::Key(&path, "summary_stats");
        let mut summary_stats = BTreeMap::new();
        for (key, value) in Place::new(stats, stats_path).entries()? {
            let count = Place::new(value, Path::Key(&stats_path, &key)).int()?;
            summary_stats.insert(key, count);
        }
        let mappings = match state.map("mappings", |p| p.pairs())? {
            Some(pairs) => Some(
                pairs
                    .into_iter()
                    .map(|(key, value)| {
                        let values = Place::new(value, Path::Key(&state_path, &key)).values()?;
                        Ok((key, values))
                    })
                    .collect::<Result<_, SaveError>>()?,
            ),
            None => None,
        };
        let n_vars = state.map("n_vars", |p| p.size())?;
        // Other fields have numbers there: those of minified data.
        let names = n_vars.map(|_| state.map("column_names", |p| p.texts())).transpose()?;
        Ok(Self {
            attr_name: data.text("attr_name")?,
            attr_key: data.text("attr_key")?,
            n_obs: state.map("n_obs", |p| p.size())?,
            n_vars,
            column_names: names.flatten(),
            categorical_mapping: state.map("categorical_mapping", |p| p.values())?,
            original_key: state.text("original_key")?,
            mappings,
            field_keys: state.map("field_keys", |p| p.texts())?,
            n_cats_per_key: state.map("n_cats_per_key", |p| p.sizes())?,
            columns: state.map("columns", |p| p.texts())?,
            summary_stats,
            other_data: data.entries,
            other_state: state.entries,
        })
    }

    fn to_value(&self) -> Value {
        let stats = self.summary_stats.iter().map(|(k, &n)| (k.as_str().into(), Value::Int(n)));
        Value::Dict(vec![
            ("data_registry".into(), self.data_to_value()),
            ("state_registry".into(), self.state_to_value()),
            ("summary_stats".into(), Value::Dict(stats.collect())),
        ])
    }

    fn data_to_value(&self) -> Value {
        let mut data = Vec::new();
        if let Some(name) = &self.attr_name {
            data.push(("attr_name".into(), name.as_str().into()));
            // scvi-tools looks for the key even where it is None, as for X.
            data.push(("attr_key".into(), self.attr_key.as_deref().into()));
        }
        data.extend(pairs(&self.other_data));
        Value::Dict(data)
    }

    fn state_to_value(&self) -> Value {
        let size = |n: &usize| Value::Int(*n as i64);
        let texts = |t: &Vec<String>| one_axis(ArrayData::Str(t.clone()));
        let list = |t: &Vec<String>| Value::List(t.iter().map(|t| t.as_str().into()).collect());
        let mappings = |m: &Vec<(String, ArrayData)>| {
            Value::Dict(m.iter().map(|(k, v)| (k.as_str().into(), one_axis(v.clone()))).collect())
        };
        let parts = [
            ("n_obs", self.n_obs.as_ref().map(size)),
            ("n_vars", self.n_vars.as_ref().map(size)),
            ("column_names", self.column_names.as_ref().map(texts)),
            ("categorical_mapping", self.categorical_mapping.clone().map(one_axis)),
            ("original_key", self.original_key.as_deref().map(Value::from)),
            ("mappings", self.mappings.as_ref().map(mappings)),
            ("field_keys", self.field_keys.as_ref().map(list)),
            (
                "n_cats_per_key",
                self.n_cats_per_key.as_ref().map(|n| Value::List(n.iter().map(size).collect())),
            ),
            ("columns", self.columns.as_ref().map(texts)),
        ];
        let parts = parts.into_iter().filter_map(|(key, value)| Some((key.into(), value?)));
        Value::Dict(parts.chain(pairs(&self.other_state)).collect())
    }
}

/// Takes the known entries out of a dictionary; what is left is unknown.
pub(super) struct Taker<'p> {
    pub(super) entries: Entries,
    path: Path<'p>,
}

impl<'p> Taker<'p> {
    pub(super) fn new(value: Value, path: Path<'p>) -> Result<Self, SaveError> {
        Ok(Self { entries: Place::new(value, path).entries()?, path })
    }

    pub(super) fn map<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(Place<'_>) -> Result<T, SaveError>,
    ) -> Result<Option<T>, SaveError> {
        let Some(value) = self.entries.remove(key) else { return Ok(None) };
        read(Place::new(value, Path::Key(&self.path, key))).map(Some)
    }

    pub(super) fn text(&mut self, key: &str) -> Result<Option<String>, SaveError> {
        self.map(key, |p| p.optional_text()).map(Option::flatten)
    }
}

/// A dictionary with text keys.
pub(super) fn dict(entries: &Entries) -> Value {
    Value::Dict(pairs(entries).collect())
}

pub(super) fn pairs(entries: &Entries) -> impl Iterator<Item = (Value, Value)> {
    entries.iter().map(|(key, value)| (key.as_str().into(), value.clone()))
}

pub(super) fn one_axis(data: ArrayData) -> Value {
    Value::Array(Array { shape: vec![data.len()], data })
}
