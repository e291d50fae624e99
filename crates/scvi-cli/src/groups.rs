//! Groups of cells that a user compares: by a column of obs, by queries, or by lists.

use std::path::Path;

use scvi::model::{Contrast, Group};
use scvi_io::anndata::{AnnDataFile, Categorical};
use scvi_io::obs_query::{matching, parse};

use crate::args::{Common, DeArgs};
use crate::cell_list::listed;
use crate::error::{CliError, ListFault};
use crate::input::Prepared;
use crate::log::note;

/// Groups, and which of them are compared.
pub struct Compared {
    pub groups: Vec<Group>,
    pub contrasts: Vec<Contrast>,
    /// Whether groups have names, which the table then shows.
    pub is_named: bool,
}

/// Reads the groups off the arguments.
pub fn compared(args: &DeArgs, prepared: &Prepared, common: &Common) -> Result<Compared, CliError> {
    let file = AnnDataFile::open(&prepared.path)?;
    match (&args.groupby, &args.idx1) {
        (Some(key), None) => by_column(&file, key, args, prepared, common),
        (None, Some(idx1)) => by_cells(&file, idx1, args, prepared),
        _ => Err(CliError::Groups {
            told: "cells to compare come from --groupby or from --idx1, one of them".to_owned(),
            known: file.obs_columns().to_vec(),
        }),
    }
}

fn by_column(
    file: &AnnDataFile,
    key: &str,
    args: &DeArgs,
    prepared: &Prepared,
    common: &Common,
) -> Result<Compared, CliError> {
    let Categorical { codes, categories, .. } = file.obs_column(key)?.to_categorical();
    let mut groups: Vec<Group> =
        categories.iter().map(|name| Group { name: name.clone(), cells: Vec::new() }).collect();
    let mut without = 0;
    for (cell, row) in prepared.rows().enumerate() {
        match codes[row] {
            Some(code) => groups[code as usize].cells.push(cell as u32),
            None => without += 1,
        }
    }
    if without > 0 {
        note(common, &format!("{without} cells without a value in '{key}' are in no group"));
    }
    let place = |name: &String| {
        categories.iter().position(|category| category == name).ok_or_else(|| CliError::Groups {
            told: format!("column '{key}' has no group '{name}'"),
            known: categories.clone(),
        })
    };
    let firsts = match args.group1.is_empty() {
        false => args.group1.iter().map(place).collect::<Result<Vec<_>, _>>()?,
        true => {
            let used = |&group: &usize| !groups[group].cells.is_empty();
            (0..groups.len()).filter(used).collect()
        }
    };
    if args.group1.is_empty() && firsts.len() < 2 {
        return Err(CliError::Groups {
            told: format!("column '{key}' has a single group; at least two are compared"),
            known: categories,
        });
    }
    let group2 = args.group2.as_ref().map(place).transpose()?;
    let contrasts = firsts.into_iter().filter(|&group1| {
        // Of all groups against one, that one itself is left out.
        !args.group1.is_empty() || Some(group1) != group2
    });
    let contrasts = contrasts.map(|group1| Contrast { group1, group2 }).collect();
    Ok(Compared { groups, contrasts, is_named: true })
}

fn by_cells(
    file: &AnnDataFile,
    idx1: &str,
    args: &DeArgs,
    prepared: &Prepared,
) -> Result<Compared, CliError> {
    let is_file = |text: &str| Path::new(text).is_file();
    let idx2 = args.idx2.as_deref();
    if args.cells_by.is_some() && ![Some(idx1), idx2].into_iter().flatten().any(is_file) {
        return Err(CliError::Option {
            option: "cells-by",
            found: "given".to_owned(),
            range: "left out where no group is a file with a list of cells",
        });
    }
    let group = |option: &str, text: &str| {
        let is_chosen = match is_file(text) {
            true if is_query(file, text) => {
                return Err(CliError::Cells {
                    told: format!("--{option} '{text}' is a file, and a query of columns of obs"),
                    fault: ListFault::NamedAsQuery,
                });
            }
            true => listed(text, args.cells_by, &prepared.obs_names)?,
            false => queried(file, option, text)?,
        };
        let rows = prepared.rows().enumerate();
        let cells = rows.filter(|&(_, row)| is_chosen[row]).map(|(cell, _)| cell as u32);
        Ok::<_, CliError>(Group { name: option.to_owned(), cells: cells.collect() })
    };
    let first = group("idx1", idx1)?;
    let second = idx2.map(|text| group("idx2", text)).transpose()?;
    let contrast = Contrast { group1: 0, group2: second.as_ref().map(|_| 1) };
    let groups = [Some(first), second].into_iter().flatten().collect();
    Ok(Compared { groups, contrasts: vec![contrast], is_named: false })
}

/// Whether a text is a query that could be answered.
fn is_query(file: &AnnDataFile, text: &str) -> bool {
    parse(text).is_ok_and(|query| query.columns().iter().all(|name| file.queried(name).is_ok()))
}

/// Rows that a query holds for.
fn queried(file: &AnnDataFile, option: &str, text: &str) -> Result<Vec<bool>, CliError> {
    let query = parse(text).map_err(|error| CliError::Query {
        told: format!("--{option} '{text}' is no file, and no query: {error}"),
    })?;
    matching(&query, &|name| Ok(file.queried(name)?))
}
