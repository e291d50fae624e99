//! Cells that a file lists, by their names or by their rows.

use std::collections::BTreeSet;
use std::path::Path;

use scvi::data::{Found, NameIndex};
use scvi_io::text::{ListLine, read_list, visible};

use crate::args::CellsBy;
use crate::error::{CliError, ListFault, numbers};

/// Which rows a file lists: every line is the name of a cell, or every line is a row number.
///
/// Which of them is told by the lines, unless it is given. Names may be numbers, as after a filter
/// that kept some rows: where the lines can be read in both ways, and these give other cells, it has
/// to be given.
pub fn listed(path: &str, by: Option<CellsBy>, names: &[String]) -> Result<Vec<bool>, CliError> {
    let lines = read_list(Path::new(path))?;
    let list = CellList { path, lines: &lines, index: NameIndex::new(names), n_cells: names.len() };
    let rows = match by {
        _ if lines.is_empty() => return Err(list.error(": it lists no cell".to_owned())),
        Some(CellsBy::Name) => list.by_name()?,
        Some(CellsBy::Row) => list.by_row()?,
        None => list.by_either()?,
    };
    let mut is_chosen = vec![false; names.len()];
    rows.into_iter().for_each(|row| is_chosen[row] = true);
    Ok(is_chosen)
}

struct CellList<'a> {
    path: &'a str,
    lines: &'a [ListLine],
    index: NameIndex<'a>,
    n_cells: usize,
}

impl CellList<'_> {
    fn by_name(&self) -> Result<Vec<usize>, CliError> {
        let row = |line: &ListLine| match self.index.find(&line.text) {
            Found::Once(row) => Ok(row),
            Found::Repeated(rows) => Err(self.repeated(line, rows)),
            Found::Nowhere => Err(self.fault(line, "names no cell")),
        };
        self.lines.iter().map(row).collect()
    }

    fn by_row(&self) -> Result<Vec<usize>, CliError> {
        let row = |line| {
            let told = || format!("is no row number from 0 to {}", self.n_cells.saturating_sub(1));
            self.row(line).ok_or_else(|| self.fault(line, &told()))
        };
        self.lines.iter().map(row).collect()
    }

    fn by_either(&self) -> Result<Vec<usize>, CliError> {
        let is_name = |line: &&ListLine| self.index.find(&line.text) != Found::Nowhere;
        let named = self.lines.iter().find(is_name);
        let unnamed = self.lines.iter().find(|line| !is_name(line));
        let rows: Option<Vec<usize>> = self.lines.iter().map(|line| self.row(line)).collect();
        match (named, unnamed, rows) {
            (_, None, Some(rows)) => self.agreed(rows),
            (_, None, None) => self.by_name(),
            (None, Some(_), Some(rows)) => Ok(rows),
            (Some(named), Some(unnamed), Some(_)) => {
                let told = format!(
                    ", line {}: '{}' names no cell, and '{}' in line {} does; every line could be a \
                     row number",
                    unnamed.number, unnamed.text, named.text, named.number
                );
                Err(self.told(told, ListFault::Ambiguous))
            }
            (Some(_), Some(unnamed), None) => Err(self.fault(unnamed, "names no cell")),
            (None, Some(first), None) => {
                let line = self.lines.iter().find(|line| self.row(line).is_none());
                let told =
                    format!("is neither a cell's name nor a row number below {}", self.n_cells);
                Err(self.fault(line.unwrap_or(first), &told))
            }
        }
    }

    /// The rows, if the names are of the same cells.
    fn agreed(&self, rows: Vec<usize>) -> Result<Vec<usize>, CliError> {
        let mut differs = None;
        let mut named = BTreeSet::new();
        for (line, &row) in self.lines.iter().zip(&rows) {
            match self.index.find(&line.text) {
                Found::Once(cell) => {
                    named.insert(cell);
                    differs = differs.or((cell != row).then(|| (line, format!("row {cell}"))));
                }
                _ => return Err(self.ambiguous(line, "several rows")),
            }
        }
        match differs {
            Some((line, cell)) if !rows.iter().copied().collect::<BTreeSet<_>>().eq(&named) => {
                Err(self.ambiguous(line, &cell))
            }
            _ => Ok(rows),
        }
    }

    fn ambiguous(&self, line: &ListLine, named: &str) -> CliError {
        let told = format!(
            ": every line is both a cell's name and a row number, which give other cells: line {}, \
             '{}', is the name of {named}",
            line.number, line.text
        );
        self.told(told, ListFault::Ambiguous)
    }

    /// The row that a line gives by number, from 0.
    fn row(&self, line: &ListLine) -> Option<usize> {
        let row = line.text.parse().ok().filter(|&row: &usize| row < self.n_cells)?;
        // Neither `+1` nor `01`.
        (row.to_string() == line.text).then_some(row)
    }

    fn repeated(&self, line: &ListLine, rows: &[usize]) -> CliError {
        let (n, rows) = (rows.len(), numbers("rows", rows));
        let told = format!(", line {}: {n} cells are named '{}' ({rows})", line.number, line.text);
        self.told(told, ListFault::Repeated)
    }

    fn fault(&self, line: &ListLine, what: &str) -> CliError {
        self.error(format!(", line {}: '{}' {what}", line.number, visible(&line.text)))
    }

    fn error(&self, told: String) -> CliError {
        self.told(told, ListFault::Unknown)
    }

    fn told(&self, told: String, fault: ListFault) -> CliError {
        CliError::Cells { told: format!("{}{told}", self.path), fault }
    }
}
