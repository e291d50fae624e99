//! Which matrix of an AnnData holds the counts.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A matrix of cells by genes in an AnnData.
///
/// Serialised it is the `layer` of a registry: nothing for X, the name of a layer, or `raw/X`. No
/// layer of a file has that name, for names have no slash.
///
/// ```
/// use scvi::data::MatrixKey;
///
/// let layer = MatrixKey::Layer("counts".to_owned());
/// assert_eq!(layer.to_string(), "layers/counts");
/// assert_eq!(serde_json::to_string(&layer)?, "\"counts\"");
/// assert_eq!(serde_json::from_str::<MatrixKey>("\"raw/X\"")?, MatrixKey::Raw);
/// assert_eq!(serde_json::from_str::<MatrixKey>("null")?, MatrixKey::X);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(from = "Option<String>", into = "Option<String>")]
pub enum MatrixKey {
    /// `X`.
    #[default]
    X,
    /// `raw.X`, whose genes are those of `raw.var`.
    Raw,
    /// The layer of this name.
    Layer(String),
}

impl MatrixKey {
    /// Where raw's matrix lies in a file.
    pub const RAW: &str = "raw/X";
}

/// The path inside a file: `X`, `raw/X`, `layers/counts`.
impl fmt::Display for MatrixKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::X => f.write_str("X"),
            Self::Raw => f.write_str(Self::RAW),
            Self::Layer(name) => write!(f, "layers/{name}"),
        }
    }
}

impl From<Option<String>> for MatrixKey {
    fn from(layer: Option<String>) -> Self {
        match layer {
            None => Self::X,
            Some(name) if name == Self::RAW => Self::Raw,
            Some(name) => Self::Layer(name),
        }
    }
}

impl From<MatrixKey> for Option<String> {
    fn from(key: MatrixKey) -> Self {
        match key {
            MatrixKey::X => None,
            MatrixKey::Raw => Some(MatrixKey::RAW.to_owned()),
            MatrixKey::Layer(name) => Some(name),
        }
    }
}
