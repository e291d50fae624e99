//! Reads the counts of the cells in use.

use std::sync::OnceLock;

use scvi::data::{GeneOverlap, MatrixKey, Registry, Survey};

use super::Prepared;
use super::cell_selection::CellSelection;
use super::columns::Columns;
use super::counts::{self, Counts};
use super::matrix::{Matrix, fraction_note};
use crate::args::{CellArgs, Common, InMemory, ReadArgs, ShuffleArgs};
use crate::error::CliError;
use crate::log::{detail, note, tell};

/// More genes than that are rarely meant to be trained on.
const MANY_GENES: usize = 10_000;

/// What becomes of cells without a single count.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum EmptyCells {
    /// They are an error.
    Refuse,
    /// They are left out.
    LeaveOut,
    /// They are taken as they are: no cell of a minified file has counts.
    Take,
}

impl EmptyCells {
    pub(super) fn from_option(args: &CellArgs) -> Self {
        if args.drop_empty_cells { Self::LeaveOut } else { Self::Refuse }
    }
}

/// How counts are read.
pub(super) struct How<'a> {
    pub(super) cells: CellSelection,
    pub(super) empty_cells: EmptyCells,
    pub(super) reading: &'a ReadArgs,
    /// In which order training will want them.
    pub(super) shuffling: Option<&'a ShuffleArgs>,
    pub(super) keep_dropped_cells: bool,
}

/// Reads counts, those of a model in its genes' columns.
pub(super) fn read(
    matrix: &Matrix<'_>,
    registry: Registry,
    mut columns: Columns,
    model: Option<(&GeneOverlap, &[String])>,
    how: How<'_>,
    common: &Common,
) -> Result<Prepared, CliError> {
    let &Matrix { file, path, ref key, ref genes } = matrix;
    let mut stored = file.stored_counts(key)?;
    let is_any_value_taken = how.reading.allow_non_counts || how.empty_cells == EmptyCells::Take;
    if !is_any_value_taken {
        matrix.check_first(how.reading)?;
    }
    if let Some((overlap, names)) = model.filter(|(overlap, _)| !overlap.is_identity()) {
        stored = stored.place_genes(overlap.places(), names.len());
    }
    let opened = Counts::open(file, stored, how.reading, how.shuffling);
    let (mut counts, survey) = opened.map_err(|error| matrix.explain(error))?;
    if how.shuffling.is_some() && model.is_none() {
        tell_of_genes(&survey, counts.n_genes(), common);
    }
    let var_names = model.map_or(&genes[..], |(_, names)| names);
    let place = if counts.is_streamed() { "in the file" } else { "in memory" };
    let (n_cells, n_genes) = (counts.n_cells(), counts.n_genes());
    let nnz = survey.nnz;
    let path_shown = path.display();
    detail(
        common,
        &format!(
            "{path_shown}: {key} of {n_cells} cells x {n_genes} genes, {nnz} nonzeros, {place}"
        ),
    );
    if counts.is_streamed() && how.reading.in_memory == InMemory::Auto {
        let gib = survey.nnz as f64 * counts::COUNT_BYTES as f64 / (1u64 << 30) as f64;
        note(
            common,
            &format!(
                "counts would take {gib:.1} GiB in memory: they stay in the file, and training \
                 shuffles blocks of cells (--in-memory always|never; --cache for compressed files)"
            ),
        );
    }
    if let Some((cell, gene, value)) = survey.first_fraction {
        let (cell, gene) = (&file.obs_names()[cell], &var_names[gene as usize]);
        if !is_any_value_taken
            && let Some(error) = matrix.not_counts(value.into(), cell.clone(), gene.clone())
        {
            return Err(error);
        }
        note(common, &fraction_note(key, value, cell, gene, "scVI models counts"));
    }
    let How { mut cells, empty_cells, keep_dropped_cells, .. } = how;
    let empty = match empty_cells {
        EmptyCells::Take => Vec::new(),
        _ => cells.among(survey.empty_cells),
    };
    if !empty.is_empty() {
        if empty_cells == EmptyCells::Refuse {
            let names = scvi::listed(empty.iter().map(|&cell| &file.obs_names()[cell]));
            let within = match model {
                Some((overlap, names)) if overlap.n_extra() > 0 => {
                    format!("in the {} genes that are used", names.len())
                }
                _ => "at all".to_owned(),
            };
            return Err(CliError::EmptyCells {
                path: path.display().to_string(),
                within,
                n_empty: empty.len(),
                n_cells,
                names,
                others: of_python(key)
                    .filter(|_| model.is_none_or(|(overlap, _)| overlap.n_extra() == 0))
                    .map(|counts| format!("{counts}.sum(1) > 0")),
            });
        }
        cells.drop_empty(n_cells, &empty);
    }
    let mut kept = None;
    if cells.has_dropped()
        && let Some(rows) = &cells.rows
    {
        let told = cells.told(n_cells);
        if rows.is_empty() {
            return Err(CliError::NoCellsLeft { path: path.display().to_string(), told });
        }
        tell(common, &told);
        counts = counts.select(rows);
        columns.select(rows);
        kept = Some(rows.clone());
    }
    Ok(Prepared {
        path: path.to_owned(),
        counts,
        columns,
        registry,
        var_names: var_names.to_vec(),
        obs_names: file.obs_names().to_vec(),
        kept,
        dropped: cells.dropped,
        keep_dropped_cells,
        subset: OnceLock::new(),
        places: None,
        places_in_var: None,
        posterior: None,
        gene_selection: None,
    })
}

/// A matrix of `adata` in Python; none where its name would need quoting.
fn of_python(key: &MatrixKey) -> Option<String> {
    let is_plain = |name: &str| name.chars().all(|c| c.is_alphanumeric() || "_-. ".contains(c));
    match key {
        MatrixKey::X => Some("adata.X".to_owned()),
        MatrixKey::Raw => Some("adata.raw.X".to_owned()),
        MatrixKey::Layer(name) => is_plain(name).then(|| format!("adata.layers['{name}']")),
    }
}

/// Says where genes could be chosen, and by which option.
fn tell_of_genes(survey: &Survey, n_genes: usize, common: &Common) {
    let never = n_genes - survey.n_genes_seen();
    let option = "--n-top-genes trains on the most variable";
    if never > 0 {
        tell(common, &format!("{never} of {n_genes} genes have no count in any cell ({option})"));
    } else if n_genes > MANY_GENES {
        tell(common, &format!("training on all of {n_genes} genes ({option})"));
    }
}
