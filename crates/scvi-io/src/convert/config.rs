//! The arguments of `SCVI` and `LinearSCVI`, and the configuration they make.

use std::collections::BTreeMap;

use scvi::module::{
    Choice, DecoderKwargs, EmbeddingKwargs, EncoderKwargs, NormPlacement, VaeConfig,
};

use super::arguments::Arguments;
use super::functions::{
    ACTIVATION_NAMES, VAR_ACTIVATION_NAMES, activation, activation_class, var_activation,
    var_activation_function,
};
use crate::scvi_tools::{SaveError, Value};

/// The configuration that the arguments of a constructor describe, without what the data decides.
pub(super) fn from_arguments(
    params: BTreeMap<String, Value>,
    linear: bool,
) -> Result<VaeConfig, SaveError> {
    let mut args = Arguments::new(params, "attr_dict['init_params_']");
    // scvi-tools drops it, too: saves of before 0.8 have it.
    args.ignore("use_cuda");
    let mut c = if linear { VaeConfig::linear() } else { VaeConfig::default() };
    args.size("n_hidden", &mut c.n_hidden)?;
    args.size("n_latent", &mut c.n_latent)?;
    args.set("n_layers", &mut c.n_layers, "a whole number", hidden_layers)?;
    args.number("dropout_rate", &mut c.dropout_rate)?;
    args.choice("dispersion", &mut c.dispersion)?;
    args.choice("gene_likelihood", &mut c.gene_likelihood)?;
    args.bool("use_observed_lib_size", &mut c.use_observed_lib_size)?;
    args.choice("latent_distribution", &mut c.latent_distribution)?;
    args.bool("log_variational", &mut c.log_variational)?;
    args.bool("encode_covariates", &mut c.encode_covariates)?;
    args.bool("deeply_inject_covariates", &mut c.deeply_inject_covariates)?;
    args.choice("batch_representation", &mut c.batch_representation)?;
    args.choice("use_layer_norm", &mut c.use_layer_norm)?;
    args.bool("extra_payload_autotune", &mut c.extra_payload_autotune)?;
    args.set("var_activation", &mut c.var_activation, VAR_ACTIVATION_NAMES, var_activation)?;
    c.extra_encoder_kwargs = encoder_kwargs(args.kwargs("extra_encoder_kwargs")?)?;
    c.batch_embedding_kwargs = embedding_kwargs(args.kwargs("batch_embedding_kwargs")?)?;
    if linear {
        let mut norm = true;
        args.bool("use_batch_norm", &mut norm)?;
        c.use_batch_norm = if norm { NormPlacement::Both } else { NormPlacement::Encoder };
        args.bool("bias", &mut c.extra_decoder_kwargs.bias)?;
    } else {
        args.choice("use_batch_norm", &mut c.use_batch_norm)?;
        c.extra_decoder_kwargs = decoder_kwargs(args.kwargs("extra_decoder_kwargs")?)?;
    }
    args.finish()?;
    Ok(c)
}

/// Hidden layers that scvi-tools makes of `n_layers`: one at least, whatever is less.
///
/// Source: scvi-tools 1.4.2, `nn/_base_components.py`, `FCLayers`.
fn hidden_layers(n_layers: &Value) -> Option<usize> {
    n_layers.as_i64().map(|n| usize::try_from(n).unwrap_or(0).max(1))
}

fn encoder_kwargs(mut args: Arguments) -> Result<EncoderKwargs, SaveError> {
    let mut k = EncoderKwargs::default();
    args.bool("bias", &mut k.bias)?;
    args.bool("use_activation", &mut k.use_activation)?;
    args.set("activation_fn", &mut k.activation_fn, ACTIVATION_NAMES, activation)?;
    args.number("var_eps", &mut k.var_eps)?;
    args.size("n_cont", &mut k.n_cont)?;
    args.finish()?;
    Ok(k)
}

fn decoder_kwargs(mut args: Arguments) -> Result<DecoderKwargs, SaveError> {
    let mut k = DecoderKwargs::default();
    args.bool("bias", &mut k.bias)?;
    args.bool("use_activation", &mut k.use_activation)?;
    args.set("activation_fn", &mut k.activation_fn, ACTIVATION_NAMES, activation)?;
    args.size("n_cont", &mut k.n_cont)?;
    args.finish()?;
    Ok(k)
}

fn embedding_kwargs(mut args: Arguments) -> Result<EmbeddingKwargs, SaveError> {
    fn optional<T>(read: impl Fn(&Value) -> Option<T>) -> impl Fn(&Value) -> Option<Option<T>> {
        move |v| if *v == Value::None { Some(None) } else { read(v).map(Some) }
    }
    let mut k = EmbeddingKwargs::default();
    args.size("embedding_dim", &mut k.embedding_dim)?;
    let (row, norm) = ("a row or None", "a number or None");
    args.set("padding_idx", &mut k.padding_idx, row, optional(Value::as_i64))?;
    args.set("max_norm", &mut k.max_norm, norm, optional(Value::as_f64))?;
    args.number("norm_type", &mut k.norm_type)?;
    args.bool("scale_grad_by_freq", &mut k.scale_grad_by_freq)?;
    args.bool("sparse", &mut k.sparse)?;
    args.finish()?;
    Ok(k)
}

/// The arguments that make a configuration: those that the constructors name, and of all others
/// those that differ from their default.
pub(super) fn to_arguments(c: &VaeConfig) -> BTreeMap<String, Value> {
    let default = if c.linear_decoder { VaeConfig::linear() } else { VaeConfig::default() };
    let further = differing(further(c), further(&default));
    named(c).into_iter().chain(further).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Arguments by name.
type Named = Vec<(&'static str, Value)>;

/// Those that differ from their default.
fn differing(values: Named, defaults: Named) -> impl Iterator<Item = (&'static str, Value)> {
    values.into_iter().zip(defaults).filter(|(value, default)| value != default).map(|(v, _)| v)
}

/// A dictionary of those that differ from their default.
fn kwargs(values: Named, defaults: Named) -> Value {
    Value::Dict(differing(values, defaults).map(|(name, value)| (name.into(), value)).collect())
}

fn size(n: usize) -> Value {
    Value::Int(n as i64)
}

fn named(c: &VaeConfig) -> Named {
    vec![
        ("n_hidden", size(c.n_hidden)),
        ("n_latent", size(c.n_latent)),
        ("n_layers", size(c.n_layers)),
        ("dropout_rate", Value::Float(c.dropout_rate)),
        ("dispersion", c.dispersion.name().into()),
        ("gene_likelihood", c.gene_likelihood.name().into()),
        ("use_observed_lib_size", Value::Bool(c.use_observed_lib_size)),
        ("latent_distribution", c.latent_distribution.name().into()),
    ]
}

fn further(c: &VaeConfig) -> Named {
    let encoder = kwargs(of_encoder(&c.extra_encoder_kwargs), of_encoder(&Default::default()));
    let embedding =
        kwargs(of_embedding(&c.batch_embedding_kwargs), of_embedding(&Default::default()));
    let mut arguments = vec![
        ("log_variational", Value::Bool(c.log_variational)),
        ("encode_covariates", Value::Bool(c.encode_covariates)),
        ("deeply_inject_covariates", Value::Bool(c.deeply_inject_covariates)),
        ("batch_representation", c.batch_representation.name().into()),
        ("use_layer_norm", c.use_layer_norm.name().into()),
        ("extra_payload_autotune", Value::Bool(c.extra_payload_autotune)),
        ("var_activation", var_activation_function(c.var_activation)),
        ("extra_encoder_kwargs", encoder),
        ("batch_embedding_kwargs", embedding),
    ];
    let decoder = &c.extra_decoder_kwargs;
    if c.linear_decoder {
        let norm = Value::Bool(c.use_batch_norm.in_decoder());
        arguments.extend([("use_batch_norm", norm), ("bias", Value::Bool(decoder.bias))]);
    } else {
        let decoder = kwargs(of_decoder(decoder), of_decoder(&Default::default()));
        let norm = c.use_batch_norm.name().into();
        arguments.extend([("use_batch_norm", norm), ("extra_decoder_kwargs", decoder)]);
    }
    arguments
}

fn of_encoder(k: &EncoderKwargs) -> Named {
    vec![
        ("bias", Value::Bool(k.bias)),
        ("use_activation", Value::Bool(k.use_activation)),
        ("activation_fn", activation_class(k.activation_fn)),
        ("var_eps", Value::Float(k.var_eps)),
    ]
}

fn of_decoder(k: &DecoderKwargs) -> Named {
    vec![
        ("bias", Value::Bool(k.bias)),
        ("use_activation", Value::Bool(k.use_activation)),
        ("activation_fn", activation_class(k.activation_fn)),
    ]
}

fn of_embedding(k: &EmbeddingKwargs) -> Named {
    vec![
        ("embedding_dim", size(k.embedding_dim)),
        ("padding_idx", k.padding_idx.map_or(Value::None, Value::Int)),
        ("max_norm", k.max_norm.map_or(Value::None, Value::Float)),
        ("norm_type", Value::Float(k.norm_type)),
        ("scale_grad_by_freq", Value::Bool(k.scale_grad_by_freq)),
        ("sparse", Value::Bool(k.sparse)),
    ]
}

#[cfg(test)]
mod tests {
    use scvi::module::{
        Activation, BatchRepresentation, Dispersion, GeneLikelihood, LatentDistribution,
        VarActivation,
    };

    use super::*;

    #[test]
    fn every_argument_there_and_back() {
        let all = VaeConfig {
            n_hidden: 7,
            n_latent: 3,
            n_layers: 2,
            dropout_rate: 0.25,
            dispersion: Dispersion::GeneBatch,
            log_variational: false,
            gene_likelihood: GeneLikelihood::Normal,
            latent_distribution: LatentDistribution::Ln,
            encode_covariates: true,
            deeply_inject_covariates: false,
            batch_representation: BatchRepresentation::Embedding,
            use_batch_norm: NormPlacement::Decoder,
            use_layer_norm: NormPlacement::Encoder,
            use_observed_lib_size: false,
            extra_payload_autotune: true,
            var_activation: VarActivation::Softplus,
            extra_encoder_kwargs: EncoderKwargs {
                bias: false,
                use_activation: false,
                activation_fn: Activation::Gelu,
                var_eps: 1e-3,
                n_cont: 0,
            },
            extra_decoder_kwargs: DecoderKwargs {
                bias: false,
                use_activation: false,
                activation_fn: Activation::Identity,
                n_cont: 0,
            },
            batch_embedding_kwargs: EmbeddingKwargs {
                embedding_dim: 2,
                padding_idx: Some(-1),
                max_norm: Some(1.5),
                norm_type: 1.0,
                scale_grad_by_freq: true,
                sparse: true,
            },
            ..VaeConfig::default()
        };
        let params = to_arguments(&all);
        // What a new field of the configuration would have to be added to.
        assert_eq!(params.len(), 8 + 11);
        assert_eq!(from_arguments(params, false).unwrap(), all);

        let linear = VaeConfig {
            use_batch_norm: NormPlacement::Encoder,
            extra_decoder_kwargs: DecoderKwargs::default(),
            use_observed_lib_size: true,
            ..VaeConfig::linear()
        };
        let params = to_arguments(&linear);
        assert_eq!(
            (&params["use_batch_norm"], &params["bias"]),
            (&Value::Bool(false), &Value::Bool(true))
        );
        assert_eq!(from_arguments(params, true).unwrap(), linear);
    }

    #[test]
    fn defaults_are_left_out_and_assumed() {
        for (linear, default) in [(false, VaeConfig::default()), (true, VaeConfig::linear())] {
            assert_eq!(from_arguments(BTreeMap::new(), linear).unwrap(), default);
            assert_eq!(to_arguments(&default).len(), 8);
        }
    }

    #[test]
    fn what_cannot_be_carried_is_named() {
        let refused = |name: &str, value: Value, parts: &[&str]| {
            let params = BTreeMap::from([(name.to_owned(), value)]);
            let error = from_arguments(params, false).unwrap_err().to_string();
            assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        };
        refused("dispersion", "genes".into(), &["['dispersion']", "gene-batch", "'genes'"]);
        refused("n_latent", Value::Int(-1), &["['n_latent']", "a size", "-1"]);
        refused("dropout_rate", "0.1".into(), &["a number", "'0.1'"]);
        refused("use_transformer", Value::Bool(true), &["'use_transformer'", "1.4.2"]);
        let relu = activation_class(Activation::Relu);
        refused("var_activation", relu.clone(), &["torch.exp", "activation.ReLU"]);
        let kwargs = |name: &str, value: Value| Value::Dict(vec![(name.into(), value)]);
        let extra = "extra_encoder_kwargs";
        refused(extra, kwargs("activation_fn", "relu".into()), &[extra, "activation_fn", "ReLU"]);
        refused(extra, kwargs("return_dist", Value::Bool(true)), &[extra, "'return_dist'"]);
        refused("bias", Value::Bool(true), &["'bias'"]);
    }
}
