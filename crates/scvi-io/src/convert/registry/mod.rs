//! How the data were set up, in scvi-tools' form and ours.

mod categories;
mod from_setup;
mod to_setup;

pub(super) use from_setup::from_setup;
pub(super) use to_setup::{Sizes, allow_minified, to_setup};

/// The beginning of the names that scvi-tools gives to what it makes of a column.
const PREFIX: &str = "_scvi_";

#[cfg(test)]
mod tests {
    use scvi::data::{CategoricalField, CategoryKind, MatrixKey, Registry};

    use super::*;
    use crate::convert::ScviToolsExtras;
    use crate::convert::model_class::ModelClass;
    use crate::scvi_tools::{ArrayData, SetupField, SetupRegistry, Value};

    fn field(key: &str, kind: CategoryKind, categories: &[&str]) -> CategoricalField {
        let categories = categories.iter().map(|&c| c.to_owned()).collect();
        CategoricalField { key: key.to_owned(), categories, kind }
    }

    fn setup(registry: &Registry, linear: bool) -> SetupRegistry {
        let var_names = ["a".to_owned(), "b".to_owned()];
        let sizes = Sizes { n_cells: 9, var_names: &var_names };
        let class = if linear { ModelClass::LinearScvi } else { ModelClass::Scvi };
        to_setup(registry, &sizes, class, &ScviToolsExtras::default()).unwrap()
    }

    #[test]
    fn every_kind_of_category_there_and_back() {
        let registry = Registry {
            layer: MatrixKey::Layer("counts".to_owned()),
            batch: Some(field("batch", CategoryKind::Text, &["10", "2"])),
            labels: Some(field("type", CategoryKind::Bool, &["False", "True"])),
            categorical_covariates: vec![
                field("plate", CategoryKind::Integer, &["-3", "12"]),
                field("dose", CategoryKind::Float, &["0.1", "1e-05"]),
                field("site", CategoryKind::Single, &["0.1", "1.0"]),
            ],
            continuous_covariates: vec!["age".to_owned()],
            size_factor: Some("size".to_owned()),
        };
        let made = setup(&registry, false);
        assert_eq!(from_setup(&made).unwrap(), registry);
        assert_eq!(made.fields["batch"].summary_stats["n_batch"], 2);
        let dose = &made.fields["extra_categorical_covs"].mappings.as_ref().unwrap()[1].1;
        assert_eq!(dose, &ArrayData::Float64(vec![0.1, 1e-5]));
    }

    #[test]
    fn columns_that_nobody_named() {
        for linear in [false, true] {
            let made = setup(&Registry::default(), linear);
            assert_eq!(from_setup(&made).unwrap(), Registry::default());
            assert_eq!(made.fields["labels"].original_key.as_deref(), Some("_scvi_labels"));
            assert_eq!(made.fields.len(), if linear { 3 } else { 6 });
        }
    }

    #[test]
    fn raw_becomes_x() {
        let raw = Registry { layer: MatrixKey::Raw, ..Registry::default() };
        let made = setup(&raw, false);
        assert_eq!(made.fields["X"].attr_name.as_deref(), Some("X"));
        assert_eq!(made.setup_args["layer"], Value::None);
        assert_eq!(from_setup(&made).unwrap(), Registry::default());
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let refused = |change: &dyn Fn(&mut SetupRegistry), parts: &[&str]| {
            let batch = Some(field("donor", CategoryKind::Text, &["a", "b"]));
            let mut made = setup(&Registry { batch, ..Registry::default() }, false);
            change(&mut made);
            let error = from_setup(&made).unwrap_err().to_string();
            assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        };
        let batch = |made: &mut SetupRegistry| made.fields.remove("batch").unwrap();
        refused(&|made| _ = made.fields.remove("X"), &["['X']", "found nothing"]);
        refused(
            &|made| {
                let key = Some("_scvi_batch".to_owned());
                let changed = SetupField { original_key: key, ..batch(made) };
                made.fields.insert("batch".to_owned(), changed);
            },
            &["['batch']", "the name of a column", "_scvi_batch"],
        );
        refused(
            &|made| {
                let mixed = ArrayData::Object(vec![Value::Int(1), "a".into()]);
                let changed = SetupField { categorical_mapping: Some(mixed), ..batch(made) };
                made.fields.insert("batch".to_owned(), changed);
            },
            &["['batch']", "all texts, or all numbers"],
        );
        let wrong = field("plate", CategoryKind::Integer, &["1", "x"]);
        let error = categories::mapping(&wrong).unwrap_err().to_string();
        assert!(error.contains("'plate'") && error.contains("1, x"), "{error}");
    }
}
