//! What a SCANVI has beside an SCVI: arguments, the unlabelled category, its prior of labels.

use std::collections::BTreeMap;

use scvi::data::Registry;
use scvi::module::ClassifierParameters;
use scvi::nn::StateDict;

use super::arguments::Arguments;
use super::functions::{ACTIVATION_NAMES, activation, activation_class};
use crate::scanvi::ScanviMeta;
use crate::scvi_tools::{Array, ArrayData, SaveError, SetupRegistry, Value};

/// The arguments that `SCANVI` has and `SCVI` has not.
const OWN: [&str; 6] = [
    "linear_classifier",
    "classifier_parameters",
    "y_prior",
    "use_labels_groups",
    "labels_groups",
    "datamodule",
];

/// Attributes that follow from the data.
const DERIVED: [&str; 2] = ["labels_", "unlabeled_category_"];

/// Takes what is SCANVI's own out of the arguments and attributes of a save.
pub(super) fn take(
    params: &mut BTreeMap<String, Value>,
    attributes: &mut BTreeMap<String, Value>,
    scvi_version: Option<&str>,
) -> Result<ScanviMeta, SaveError> {
    DERIVED.iter().for_each(|name| _ = attributes.remove(*name));
    let own = OWN.iter().filter_map(|name| params.remove_entry(*name)).collect();
    let mut args = Arguments::new(own, "attr_dict['init_params_']");
    let mut meta = ScanviMeta::default();
    args.bool("linear_classifier", &mut meta.linear_classifier)?;
    // The tensor of that name has the numbers.
    args.ignore("y_prior");
    args.set("use_labels_groups", &mut (), "False", |v| {
        (v.as_bool() == Some(false)).then_some(())
    })?;
    // Without their use, groups have no effect.
    args.ignore("labels_groups");
    args.set("datamodule", &mut (), "None", |v| (*v == Value::None).then_some(()))?;
    let logits = gives_logits(scvi_version);
    let given = args.kwargs("classifier_parameters")?;
    meta.classifier_parameters = classifier_parameters(given, logits)?;
    args.finish()?;
    Ok(meta)
}

/// Whether classifiers give logits unless they are asked otherwise: before scvi-tools 1.1 they gave
/// probabilities.
fn gives_logits(scvi_version: Option<&str>) -> bool {
    let mut parts = scvi_version.unwrap_or_default().split('.').map(str::parse::<u32>);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= (1, 1),
        _ => true,
    }
}

fn classifier_parameters(
    mut args: Arguments,
    logits: bool,
) -> Result<ClassifierParameters, SaveError> {
    let mut k = ClassifierParameters { logits, ..ClassifierParameters::default() };
    let size = |v: &Value| usize::try_from(v.as_i64()?).ok().map(Some);
    args.set("n_layers", &mut k.n_layers, "a size", size)?;
    args.set("n_hidden", &mut k.n_hidden, "a size", size)?;
    args.set("dropout_rate", &mut k.dropout_rate, "a number", |v| v.as_f64().map(Some))?;
    args.bool("logits", &mut k.logits)?;
    args.bool("bias", &mut k.bias)?;
    args.bool("use_activation", &mut k.use_activation)?;
    args.set("activation_fn", &mut k.activation_fn, ACTIVATION_NAMES, activation)?;
    args.finish()?;
    Ok(k)
}

/// Completes it by what the data decided: the category of unlabelled cells, which stands behind all
/// labels, and the prior of labels among the tensors.
pub(super) fn with_data(
    mut meta: ScanviMeta,
    registry: &Registry,
    state: &StateDict<f32>,
) -> Result<ScanviMeta, SaveError> {
    let fault = |problem: &str| SaveError::Model { problem: problem.to_owned() };
    let labels = registry.labels.as_ref().ok_or_else(|| fault("a SCANVI without labels"))?;
    let last = labels.categories.last().ok_or_else(|| fault("a SCANVI without labels"))?;
    meta.unlabeled_category.clone_from(last);
    let prior = state.get("y_prior").ok_or_else(|| fault("a SCANVI without y_prior"))?;
    let is_uniform = prior.data.windows(2).all(|pair| pair[0] == pair[1]);
    meta.y_prior = (!is_uniform).then(|| prior.data.iter().map(|&p| f64::from(p)).collect());
    Ok(meta)
}

/// The arguments that say what differs from the defaults.
pub(super) fn to_arguments(
    meta: &ScanviMeta,
    scvi_version: Option<&str>,
) -> BTreeMap<String, Value> {
    let mut arguments = vec![("linear_classifier", Value::Bool(meta.linear_classifier))];
    let (k, default) = (&meta.classifier_parameters, ClassifierParameters::default());
    let size = |n: usize| Value::Int(n as i64);
    let differing =
        |name: &'static str, differs: bool, value: Value| differs.then_some((name, value));
    // A save that is marked as one of before 1.1 gets its softmax when it is loaded.
    let logits = gives_logits(scvi_version);
    let parameters = [
        k.n_layers.map(|n| ("n_layers", size(n))),
        k.n_hidden.map(|n| ("n_hidden", size(n))),
        k.dropout_rate.map(|rate| ("dropout_rate", Value::Float(rate))),
        differing("logits", k.logits != logits, Value::Bool(k.logits)),
        differing("bias", k.bias != default.bias, Value::Bool(k.bias)),
        differing(
            "use_activation",
            k.use_activation != default.use_activation,
            Value::Bool(k.use_activation),
        ),
        differing(
            "activation_fn",
            k.activation_fn != default.activation_fn,
            activation_class(k.activation_fn),
        ),
    ];
    let parameters: Vec<_> =
        parameters.into_iter().flatten().map(|(name, value)| (name.into(), value)).collect();
    if !parameters.is_empty() {
        arguments.push(("classifier_parameters", Value::Dict(parameters)));
    }
    if let Some(prior) = &meta.y_prior {
        let data = ArrayData::Float32(prior.iter().map(|&p| p as f32).collect());
        let tensor = Array { shape: vec![1, prior.len()], data };
        arguments.push(("y_prior", Value::Tensor(tensor)));
    }
    arguments.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Says in a registry which label stands for none.
pub(super) fn name_unlabeled(setup: &mut SetupRegistry, meta: &ScanviMeta) {
    let category = || Value::Str(meta.unlabeled_category.clone());
    setup.setup_args.insert("unlabeled_category".to_owned(), category());
    if let Some(labels) = setup.fields.get_mut("labels") {
        labels.other_state.insert("unlabeled_category".to_owned(), category());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(params: &[(&str, Value)], version: &str) -> Result<ScanviMeta, SaveError> {
        let mut params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
        take(&mut params, &mut BTreeMap::new(), Some(version))
    }

    #[test]
    fn classifiers_of_before_1_1_give_probabilities() {
        let logits = |params: &[(&str, Value)], version| {
            taken(params, version).unwrap().classifier_parameters.logits
        };
        for version in ["0.20.3", "1.0.4"] {
            assert!(!logits(&[], version), "{version}");
        }
        for version in ["1.1.0", "1.4.2", "2.0", "unknown"] {
            assert!(logits(&[], version), "{version}");
        }
        let asked = Value::Dict(vec![("logits".into(), Value::Bool(false))]);
        assert!(!logits(&[("classifier_parameters", asked)], "1.4.2"));
    }

    #[test]
    fn groups_of_labels_are_refused_where_they_are_used() {
        let unused = [("use_labels_groups", Value::Bool(false)), ("labels_groups", Value::None)];
        taken(&unused, "1.4.2").unwrap();
        let error = taken(&[("use_labels_groups", Value::Bool(true))], "1.4.2").unwrap_err();
        assert!(error.to_string().contains("use_labels_groups"), "{error}");
    }
}
