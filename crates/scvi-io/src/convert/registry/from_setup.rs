//! From scvi-tools' registry to ours.

use scvi::data::{CategoricalField, MatrixKey, Registry};

use super::PREFIX;
use super::categories::kind;
use crate::scvi_tools::{ArrayData, SaveError, SetupField, SetupRegistry};

/// Layer and columns of a registry.
pub(in crate::convert) fn from_setup(setup: &SetupRegistry) -> Result<Registry, SaveError> {
    let field = |name: &str| Field { name: name.to_owned(), field: setup.fields.get(name) };
    Ok(Registry {
        layer: field("X").layer()?,
        batch: field("batch").categorical()?,
        labels: field("labels").categorical()?,
        categorical_covariates: field("extra_categorical_covs").covariates()?,
        continuous_covariates: field("extra_continuous_covs").columns(),
        size_factor: field("size_factor").key(),
    })
}

/// A field of the registry, if it is there.
struct Field<'a> {
    name: String,
    field: Option<&'a SetupField>,
}

impl Field<'_> {
    fn fault(&self, part: &str, expected: &str, found: impl Into<String>) -> SaveError {
        let place = format!("registry_['field_registries']['{}']['{part}']", self.name);
        SaveError::Structure { place, expected: expected.into(), found: found.into() }
    }

    fn layer(&self) -> Result<MatrixKey, SaveError> {
        let place = self.field.map(|f| (f.attr_name.as_deref(), f.attr_key.clone()));
        match place {
            Some((Some("X"), _)) => Ok(MatrixKey::X),
            Some((Some("layers"), Some(layer))) => Ok(MatrixKey::Layer(layer)),
            other => {
                let found = other.and_then(|(name, _)| name).unwrap_or("nothing");
                Err(self.fault("data_registry", "counts in X or in a layer", found))
            }
        }
    }

    /// A column of the user's; none where scvi-tools made one of zeros.
    fn categorical(&self) -> Result<Option<CategoricalField>, SaveError> {
        let Some(field) = self.field else { return Ok(None) };
        let Some(mapping) = &field.categorical_mapping else { return Ok(None) };
        match field.original_key.as_deref().or(field.attr_key.as_deref()) {
            Some(key) if key != self.made_column() => self.with_categories(key, mapping).map(Some),
            Some(_) if mapping.len() == 1 => Ok(None),
            found => {
                let expected = "the name of a column";
                Err(self.fault("state_registry", expected, found.unwrap_or("none")))
            }
        }
    }

    fn with_categories(
        &self,
        key: &str,
        mapping: &ArrayData,
    ) -> Result<CategoricalField, SaveError> {
        let kind = kind(mapping).ok_or_else(|| {
            let expected = "categories that are all texts, or all numbers";
            self.fault("state_registry", expected, "others")
        })?;
        Ok(CategoricalField { key: key.to_owned(), categories: mapping.to_strings(), kind })
    }

    fn covariates(&self) -> Result<Vec<CategoricalField>, SaveError> {
        let Some(mappings) = self.field.and_then(|f| f.mappings.as_ref()) else {
            return Ok(Vec::new());
        };
        let keys = self.field.and_then(|f| f.field_keys.clone());
        let keys = keys.unwrap_or_else(|| mappings.iter().map(|(key, _)| key.clone()).collect());
        keys.iter()
            .map(|key| match mappings.iter().find(|(name, _)| name == key) {
                Some((_, mapping)) => self.with_categories(key, mapping),
                None => {
                    Err(self.fault("state_registry", &format!("categories of '{key}'"), "none"))
                }
            })
            .collect()
    }

    fn columns(&self) -> Vec<String> {
        self.field.and_then(|f| f.columns.clone()).unwrap_or_default()
    }

    fn key(&self) -> Option<String> {
        self.field.filter(|f| f.attr_name.is_some())?.attr_key.clone()
    }

    fn made_column(&self) -> String {
        format!("{PREFIX}{}", self.name)
    }
}
