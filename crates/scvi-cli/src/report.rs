//! Results on stdout: one JSON document, or a short table.

use std::io::{self, Write};

use serde_json::{Map, Value};

use crate::args::Common;
use crate::error::CliError;
use crate::log::Level;

/// Rows of a result, in order.
#[derive(Default)]
pub struct Report {
    rows: Vec<(&'static str, Value)>,
}

impl Report {
    /// Adds a row.
    pub fn add(&mut self, key: &'static str, value: impl Into<Value>) -> &mut Self {
        self.rows.push((key, value.into()));
        self
    }

    /// Adds lines of text, one below the other.
    pub fn lines(&mut self, key: &'static str, lines: Vec<String>) -> &mut Self {
        self.add(key, if lines.is_empty() { "none".to_owned() } else { lines.join("\n") })
    }

    /// Prints the rows as the user asked.
    pub fn print(self, common: &Common) -> Result<(), CliError> {
        let mut table = Vec::new();
        let is_made = self.table(&mut table);
        for line in String::from_utf8_lossy(&table).lines() {
            common.log.record(Level::Info, line);
        }
        let mut out = io::stdout().lock();
        let written = if common.json {
            let map: Map<String, Value> =
                self.rows.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
            serde_json::to_string_pretty(&map)
                .map_err(io::Error::from)
                .and_then(|text| writeln!(out, "{text}"))
        } else {
            is_made.and_then(|()| out.write_all(&table))
        };
        match written.and_then(|()| out.flush()) {
            Err(e) if is_closed_pipe(&e) => Ok(()),
            other => other.map_err(|source| CliError::Stdout { source }),
        }
    }

    fn table(&self, out: &mut impl Write) -> io::Result<()> {
        let width = self.rows.iter().map(|(k, _)| k.len()).max().unwrap_or(0);
        for (key, value) in &self.rows {
            let shown = text(value);
            for (k, line) in shown.split('\n').enumerate().filter(|_| !value.is_null()) {
                let key = if k == 0 { key.replace('_', " ") } else { String::new() };
                writeln!(out, "{key:width$}  {line}")?;
            }
        }
        Ok(())
    }
}

/// Rows as lines whose columns stand below each other; the last ones are of any length.
pub fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let n_columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let length = |text: &String| text.chars().count();
    let is_last = |row: &Vec<String>, k: usize| k + 1 >= row.len();
    let width =
        |k: usize| rows.iter().filter(|row| !is_last(row, k)).map(|row| length(&row[k])).max();
    let widths: Vec<usize> = (0..n_columns).map(|k| width(k).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(text, &width)| format!("{text:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// Whether a reader has seen enough, such as head: that is no failure.
pub fn is_closed_pipe(error: &io::Error) -> bool {
    let of_csv = error.get_ref().and_then(|e| e.downcast_ref::<csv::Error>());
    match of_csv.map(csv::Error::kind) {
        Some(csv::ErrorKind::Io(inner)) => inner.kind() == io::ErrorKind::BrokenPipe,
        _ => error.kind() == io::ErrorKind::BrokenPipe,
    }
}

/// A value as a person reads it.
fn text(value: &Value) -> String {
    match value {
        Value::String(s) => s.clone(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Object(map) if map.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Number(n) if n.is_f64() => number(n.as_f64().unwrap_or(f64::NAN)),
        Value::Object(map) => {
            map.iter().map(|(k, v)| format!("{k} {}", text(v))).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

fn number(v: f64) -> String {
    match v.abs() {
        a if a >= 1000.0 => format!("{v:.0}"),
        a if a >= 1.0 => format!("{v:.2}"),
        a if a >= 1e-2 => format!("{v:.4}"),
        _ => format!("{v}"),
    }
}
