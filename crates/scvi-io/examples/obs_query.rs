//! Which cells of a file queries choose, as `scvi de --idx1` does.
//!
//! ```sh
//! echo 'n_counts > 500 and batch == "a"' | cargo run -p scvi-io --example obs_query cells.h5ad
//! ```
//! Each line of stdin is a query, each line of stdout its answer: `{"cells": [0, 2]}` with rows of
//! the file, or `{"error": "..."}`.

use std::io::{BufRead, Write, stdin, stdout};

use scvi_io::anndata::AnnDataFile;
use scvi_io::obs_query::{matching, parse};
use serde_json::json;

fn cells(file: &AnnDataFile, query: &str) -> Result<Vec<usize>, Box<dyn std::error::Error>> {
    let query = parse(query)?;
    let chosen = matching::<Box<dyn std::error::Error>>(&query, &|name| Ok(file.queried(name)?))?;
    Ok((0..chosen.len()).filter(|&cell| chosen[cell]).collect())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("expected an .h5ad or .zarr file")?;
    let file = AnnDataFile::open(path)?;
    let mut out = stdout().lock();
    for query in stdin().lock().lines() {
        let answer = match cells(&file, &query?) {
            Ok(cells) => json!({ "cells": cells }),
            Err(error) => json!({ "error": error.to_string() }),
        };
        writeln!(out, "{answer}")?;
    }
    Ok(())
}
