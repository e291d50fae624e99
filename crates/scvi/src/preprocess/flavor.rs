//! How variable a gene is taken to be.

use super::error::GeneSelectionError;

/// A measure of how much a gene varies, under scanpy's name, with scanpy's parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Flavor {
    /// Variance of counts standardised by what their mean leads to expect.
    SeuratV3 {
        /// Share of genes in a neighbourhood of the trend.
        span: f64,
    },
    /// Variance of the residuals of a negative binomial model without any structure.
    PearsonResiduals {
        /// Inverse dispersion of that model.
        theta: f64,
        /// Largest absolute residual; by default the square root of the number of cells.
        clip: Option<f64>,
    },
    /// Dispersion of normalised expression, compared with genes of similar mean.
    CellRanger,
}

impl Flavor {
    /// Names of all.
    pub const NAMES: [&str; 3] = ["seurat_v3", "pearson_residuals", "cell_ranger"];

    /// The flavor of this name with scanpy's defaults.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::seurat_v3(), Self::pearson_residuals(), Self::CellRanger]
            .into_iter()
            .find(|flavor| flavor.name() == name)
    }

    /// `seurat_v3` with scanpy's default.
    pub const fn seurat_v3() -> Self {
        Self::SeuratV3 { span: 0.3 }
    }

    /// `pearson_residuals` with scanpy's defaults.
    pub const fn pearson_residuals() -> Self {
        Self::PearsonResiduals { theta: 100.0, clip: None }
    }

    /// scanpy's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::SeuratV3 { .. } => "seurat_v3",
            Self::PearsonResiduals { .. } => "pearson_residuals",
            Self::CellRanger => "cell_ranger",
        }
    }

    /// Checks its parameters.
    pub(super) fn check(&self) -> Result<(), GeneSelectionError> {
        let check = |parameter, found: f64, is_legal, range| match is_legal {
            true => Ok(()),
            false => Err(GeneSelectionError::Parameter { parameter, found, range }),
        };
        match *self {
            Self::SeuratV3 { span } => {
                check("span", span, span > 0.0 && span <= 1.0, "a number above 0 and at most 1")
            }
            Self::PearsonResiduals { theta, clip } => {
                check("theta", theta, theta > 0.0, "a number above 0")?;
                let clip = clip.unwrap_or(0.0);
                check("clip", clip, clip >= 0.0, "a number that is not negative")
            }
            Self::CellRanger => Ok(()),
        }
    }
}
