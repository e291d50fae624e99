//! From our registry to scvi-tools'.

use std::collections::BTreeMap;

use scvi::data::{CategoricalField, MatrixKey, Registry};

use super::PREFIX;
use super::categories::mapping;
use crate::convert::extras::{self, ScviToolsExtras};
use crate::convert::model_class::ModelClass;
use crate::scvi_tools::{ArrayData, SaveError, SetupField, SetupRegistry, Value};

/// The version whose registry is written where a model did not come from another one.
const VERSION: &str = "1.4.2";

/// Sizes of a model's data.
pub(in crate::convert) struct Sizes<'a> {
    pub(in crate::convert) n_cells: usize,
    pub(in crate::convert) var_names: &'a [String],
}

/// The registry that `setup_anndata` makes. `LinearSCVI` knows fewer columns.
pub(in crate::convert) fn to_setup(
    registry: &Registry,
    sizes: &Sizes,
    class: ModelClass,
    extras: &ScviToolsExtras,
) -> Result<SetupRegistry, SaveError> {
    let mut fields = BTreeMap::from([
        ("X", counts_field(registry, sizes)),
        ("batch", categorical_field("batch", registry.batch.as_ref())?),
        ("labels", categorical_field("labels", registry.labels.as_ref())?),
    ]);
    let key = |field: &Option<CategoricalField>| text(field.as_ref().map(|f| &f.key));
    let mut args = BTreeMap::from([
        ("layer", text(layer(registry))),
        ("batch_key", key(&registry.batch)),
        ("labels_key", key(&registry.labels)),
    ]);
    if !class.is_linear() {
        let covariates = &registry.categorical_covariates;
        fields.insert("size_factor", size_factor_field(registry.size_factor.as_ref()));
        fields.insert("extra_categorical_covs", categorical_covariates_field(covariates)?);
        let numbers = &registry.continuous_covariates;
        fields.insert("extra_continuous_covs", continuous_covariates_field(numbers));
        args.insert("size_factor_key", text(registry.size_factor.as_ref()));
        let keys = covariates.iter().map(|f| &f.key);
        args.insert("categorical_covariate_keys", list(keys));
        args.insert("continuous_covariate_keys", list(numbers.iter()));
    }
    Ok(SetupRegistry {
        scvi_version: Some(extras.scvi_version.clone().unwrap_or_else(|| VERSION.to_owned())),
        model_name: Some(class.name().to_owned()),
        setup_method_name: Some("setup_anndata".to_owned()),
        setup_args: owned(args),
        fields: owned(fields),
        other: extras::values(&extras.registry),
    })
}

fn owned<T>(entries: BTreeMap<&str, T>) -> BTreeMap<String, T> {
    entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn text(text: Option<&String>) -> Value {
    text.map(String::as_str).into()
}

/// None for no keys, as the default has it.
fn list<'a>(keys: impl ExactSizeIterator<Item = &'a String>) -> Value {
    if keys.len() == 0 {
        return Value::None;
    }
    Value::List(keys.map(|key| key.as_str().into()).collect())
}

fn stats(counts: &[(&str, usize)]) -> BTreeMap<String, i64> {
    counts.iter().map(|&(name, n)| (name.to_owned(), n as i64)).collect()
}

/// The layer that scvi-tools reads. It knows no raw: of a model that was trained on raw it reads X,
/// which is where `adata.raw.to_adata()` has the counts.
fn layer(registry: &Registry) -> Option<&String> {
    match &registry.layer {
        MatrixKey::X | MatrixKey::Raw => None,
        MatrixKey::Layer(name) => Some(name),
    }
}

fn counts_field(registry: &Registry, sizes: &Sizes) -> SetupField {
    let (n_cells, n_vars) = (sizes.n_cells, sizes.var_names.len());
    SetupField {
        attr_name: Some(if layer(registry).is_some() { "layers" } else { "X" }.to_owned()),
        attr_key: layer(registry).cloned(),
        n_obs: Some(n_cells),
        n_vars: Some(n_vars),
        column_names: Some(sizes.var_names.to_vec()),
        summary_stats: stats(&[("n_cells", n_cells), ("n_vars", n_vars)]),
        ..SetupField::default()
    }
}

/// A column of categories; one of zeros where the user named none.
fn categorical_field(
    name: &str,
    field: Option<&CategoricalField>,
) -> Result<SetupField, SaveError> {
    let made = format!("{PREFIX}{name}");
    let mapping = field.map_or(Ok(ArrayData::Int(vec![0])), mapping)?;
    Ok(SetupField {
        attr_name: Some("obs".to_owned()),
        summary_stats: stats(&[(&format!("n_{name}"), mapping.len())]),
        categorical_mapping: Some(mapping),
        original_key: Some(field.map_or_else(|| made.clone(), |f| f.key.clone())),
        attr_key: Some(made),
        ..SetupField::default()
    })
}

fn size_factor_field(key: Option<&String>) -> SetupField {
    SetupField {
        attr_name: key.map(|_| "obs".to_owned()),
        attr_key: key.cloned(),
        ..SetupField::default()
    }
}

/// Names the place where an AnnData says that it is minified: without it `SCVI.load` takes such data
/// for a mistake, with it data of either kind.
pub(in crate::convert) fn allow_minified(setup: &mut SetupRegistry) {
    let field = SetupField {
        attr_name: Some("uns".to_owned()),
        attr_key: Some("_scvi_adata_minify_type".to_owned()),
        ..SetupField::default()
    };
    setup.fields.insert("minify_type".to_owned(), field);
}

/// The place in obsm that scvi-tools gives to covariates, if there are any.
fn made_field(name: &str, n: usize) -> SetupField {
    SetupField {
        attr_name: (n > 0).then(|| "obsm".to_owned()),
        attr_key: (n > 0).then(|| format!("{PREFIX}{name}")),
        summary_stats: stats(&[(&format!("n_{name}"), n)]),
        ..SetupField::default()
    }
}

fn categorical_covariates_field(fields: &[CategoricalField]) -> Result<SetupField, SaveError> {
    let made = made_field("extra_categorical_covs", fields.len());
    if fields.is_empty() {
        return Ok(made);
    }
    let mappings = fields.iter().map(|f| Ok((f.key.clone(), mapping(f)?)));
    Ok(SetupField {
        mappings: Some(mappings.collect::<Result<_, SaveError>>()?),
        field_keys: Some(fields.iter().map(|f| f.key.clone()).collect()),
        n_cats_per_key: Some(fields.iter().map(|f| f.categories.len()).collect()),
        ..made
    })
}

fn continuous_covariates_field(columns: &[String]) -> SetupField {
    let made = made_field("extra_continuous_covs", columns.len());
    SetupField { columns: (!columns.is_empty()).then(|| columns.to_vec()), ..made }
}
