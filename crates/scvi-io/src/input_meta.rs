//! Metadata of the input that a model was trained on.

use serde::{Deserialize, Serialize};

use crate::checksum::sha256_hex;

/// Shape and gene names of an input: enough to recognise it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputMeta {
    /// Cells in use.
    pub n_cells: usize,
    /// Genes.
    pub n_genes: usize,
    /// SHA-256, in hexadecimal, of the genes' names in UTF-8, each followed by a line feed.
    pub var_names_sha256: String,
    /// Cells that filters left out, filter by filter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped_cells: Vec<DroppedCells>,
}

/// Cells that a filter left out, those not counted that an earlier one did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DroppedCells {
    /// The filter: `min_genes`, `min_counts`, `max_pct_mito` or `drop_empty_cells`.
    pub filter: String,
    /// Its threshold, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// How many cells.
    pub n_cells: usize,
}

impl InputMeta {
    /// Of an input with so many cells and these genes.
    ///
    /// ```
    /// # use scvi_io::InputMeta;
    /// let input = InputMeta::new(3, &["a".to_owned(), "b".to_owned()]);
    /// // printf 'a\nb\n' | sha256sum
    /// let sum = "911169ddaaf146aff539f58c26c489af3b892dff0fe283c1c264c65ae5aa59a2";
    /// assert_eq!((input.n_genes, &input.var_names_sha256[..]), (2, sum));
    /// ```
    pub fn new(n_cells: usize, var_names: &[String]) -> Self {
        let text: String = var_names.iter().flat_map(|name| [name, "\n"]).collect();
        let var_names_sha256 = sha256_hex(text.as_bytes());
        let (n_genes, dropped_cells) = (var_names.len(), Vec::new());
        Self { n_cells, n_genes, var_names_sha256, dropped_cells }
    }

    /// Of an input without these cells.
    #[must_use]
    pub fn without(self, dropped_cells: Vec<DroppedCells>) -> Self {
        Self { dropped_cells, ..self }
    }

    /// Whether these are the genes.
    ///
    /// # Errors
    /// Says that they are not.
    pub(crate) fn check(&self, var_names: &[String]) -> Result<(), String> {
        let found = Self::new(self.n_cells, var_names);
        let Self { n_genes, var_names_sha256: sum, .. } = self;
        if (*n_genes, sum) == (found.n_genes, &found.var_names_sha256) {
            return Ok(());
        }
        Err(format!("var_names are not the {n_genes} names with SHA-256 {sum}"))
    }
}
