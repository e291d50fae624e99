//! Functions and classes of torch that an argument may be.

use scvi::module::{Activation, VarActivation};

use crate::scvi_tools::{Global, Value};

/// Activation functions by torch's names of their modules.
const ACTIVATIONS: [(&str, Activation); 8] = [
    ("ReLU", Activation::Relu),
    ("LeakyReLU", Activation::LeakyRelu),
    ("ELU", Activation::Elu),
    ("GELU", Activation::Gelu),
    ("SiLU", Activation::Silu),
    ("Tanh", Activation::Tanh),
    ("Softplus", Activation::Softplus),
    ("Identity", Activation::Identity),
];

/// What may be an `activation_fn`, for messages.
pub(super) const ACTIVATION_NAMES: &str =
    "one of torch.nn.ReLU, LeakyReLU, ELU, GELU, SiLU, Tanh, Softplus, Identity";
/// What may be a `var_activation`, for messages.
pub(super) const VAR_ACTIVATION_NAMES: &str = "torch.exp or torch.nn.functional.softplus";

/// The activation function of a class.
pub(super) fn activation(value: &Value) -> Option<Activation> {
    let Value::Global(class) = value else { return None };
    let modules = ["torch.nn", "torch.nn.modules.activation", "torch.nn.modules.linear"];
    let known = modules.contains(&class.module());
    ACTIVATIONS.iter().find(|(name, _)| known && *name == class.name()).map(|&(_, found)| found)
}

/// The class of an activation function.
pub(super) fn activation_class(activation: Activation) -> Value {
    let module = match activation {
        Activation::Identity => "torch.nn.modules.linear",
        _ => "torch.nn.modules.activation",
    };
    let name = ACTIVATIONS.iter().find(|(_, a)| *a == activation).map_or("ReLU", |(name, _)| name);
    global(module, name)
}

/// What makes variances positive; None is the default there.
pub(super) fn var_activation(value: &Value) -> Option<VarActivation> {
    let function = match value {
        Value::None => return Some(VarActivation::Exp),
        Value::Global(function) => (function.module(), function.name()),
        _ => return None,
    };
    match function {
        ("torch", "exp") => Some(VarActivation::Exp),
        ("torch._C._nn" | "torch.nn.functional", "softplus") => Some(VarActivation::Softplus),
        _ => None,
    }
}

/// The function that makes variances positive.
pub(super) fn var_activation_function(activation: VarActivation) -> Value {
    match activation {
        VarActivation::Exp => Value::None,
        VarActivation::Softplus => global("torch._C._nn", "softplus"),
    }
}

fn global(module: &str, name: &str) -> Value {
    Global::new(module, name).map_or(Value::None, Value::Global)
}

#[cfg(test)]
mod tests {
    use scvi::module::Choice;

    use super::*;

    #[test]
    fn every_function_there_and_back() {
        for &(name, function) in Activation::ALL {
            assert_eq!(activation(&activation_class(function)), Some(function), "{name}");
        }
        for &(name, function) in VarActivation::ALL {
            assert_eq!(
                var_activation(&var_activation_function(function)),
                Some(function),
                "{name}"
            );
        }
        assert_eq!(var_activation(&global("torch", "exp")), Some(VarActivation::Exp));
        assert_eq!(var_activation(&global("torch", "relu")), None);
        assert_eq!(activation(&global("torch.nn.modules.activation", "Mish")), None);
        assert_eq!(activation(&global("scvi.nn", "ReLU")), None);
        assert_eq!(activation(&Value::None), None);
    }
}
