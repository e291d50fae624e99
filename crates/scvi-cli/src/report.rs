//! Results on stdout: one JSON document, or a short table.

use std::io::{self, Write};
use std::sync::PoisonError;

use scvi_io::DroppedCells;
use serde_json::{Map, Value, json};

use crate::args::Common;
use crate::error::CliError;
use crate::log::Level;

/// Rows of a result, in order.
#[derive(Default)]
pub struct Report {
    rows: Vec<Row>,
}

struct Row {
    key: &'static str,
    value: Value,
    /// What the table says instead of the value; of nothing, nothing.
    words: Option<String>,
}

impl Report {
    /// Adds a row.
    pub fn add(&mut self, key: &'static str, value: impl Into<Value>) -> &mut Self {
        self.rows.push(Row { key, value: value.into(), words: None });
        self
    }

    /// Adds a row that the table words in another way than JSON; no words: it leaves it out.
    pub fn add_worded(
        &mut self,
        key: &'static str,
        value: impl Into<Value>,
        words: impl Into<String>,
    ) -> &mut Self {
        self.rows.push(Row { key, value: value.into(), words: Some(words.into()) });
        self
    }

    /// Adds the cells that filters left out, where there are any filters.
    pub fn dropped(&mut self, dropped: &[DroppedCells]) -> &mut Self {
        if dropped.is_empty() {
            return self;
        }
        let entry = |of: &DroppedCells| (of.filter.clone(), of.n_cells.into());
        self.add("dropped_cells", dropped.iter().map(entry).collect::<Map<String, Value>>())
    }

    /// Adds lines of text, one below the other.
    pub fn lines(&mut self, key: &'static str, lines: Vec<String>) -> &mut Self {
        self.add(key, if lines.is_empty() { "none".to_owned() } else { lines.join("\n") })
    }

    /// Prints the rows as the user asked; of one input of several as [`print_samples`] says.
    pub fn print(mut self, common: &Common) -> Result<(), CliError> {
        if let Some(sample) = &common.sample {
            let (key, value, words) = ("sample", sample.clone().into(), None);
            self.rows.insert(0, Row { key, value, words });
        }
        let mut table = Vec::new();
        let is_made = self.table(&mut table);
        for line in String::from_utf8_lossy(&table).lines() {
            common.log.record(Level::Info, line);
        }
        if !common.json {
            return written(is_made.and_then(|()| io::stdout().write_all(&table)));
        }
        let map: Map<String, Value> =
            self.rows.into_iter().map(|row| (row.key.to_owned(), row.value)).collect();
        match common.sample {
            None => print_json(&map.into()),
            Some(_) => {
                let mut reports = common.reports.lock().unwrap_or_else(PoisonError::into_inner);
                reports.push(map.into());
                Ok(())
            }
        }
    }

    fn table(&self, out: &mut impl Write) -> io::Result<()> {
        let shown = self.rows.iter().filter_map(|row| Some((row.key, row.shown()?)));
        let shown: Vec<(&str, String)> = shown.collect();
        let width = shown.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
        for (key, text) in &shown {
            for (k, line) in text.split('\n').enumerate() {
                let key = if k == 0 { key.replace('_', " ") } else { String::new() };
                writeln!(out, "{key:width$}  {line}")?;
            }
        }
        Ok(())
    }
}

impl Row {
    /// What the table says, if it says anything.
    fn shown(&self) -> Option<String> {
        match &self.words {
            Some(words) => (!words.is_empty()).then(|| words.clone()),
            None => (!self.value.is_null()).then(|| text(&self.value)),
        }
    }
}

/// Prints the results of several inputs as one JSON document, where tables were not printed already.
pub fn print_samples(common: &Common) -> Result<(), CliError> {
    if !common.json {
        return Ok(());
    }
    let reports = common.reports.lock().unwrap_or_else(PoisonError::into_inner);
    print_json(&json!({"samples": *reports}))
}

fn print_json(value: &Value) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(value).map_err(io::Error::from);
    written(text.and_then(|text| writeln!(io::stdout().lock(), "{text}")))
}

/// A reader that has seen enough is no failure.
fn written(result: io::Result<()>) -> Result<(), CliError> {
    match result.and_then(|()| io::stdout().flush()) {
        Err(e) if is_closed_pipe(&e) => Ok(()),
        other => other.map_err(|source| CliError::Stdout { source }),
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

/// Six significant digits, so that close models can be told apart; fewer where those are all.
pub fn number(v: f64) -> String {
    const DIGITS: i32 = 6;
    let exact = v.to_string();
    let is_short = exact.bytes().filter(u8::is_ascii_digit).count() < DIGITS as usize;
    if is_short || !v.is_finite() {
        return exact;
    }
    // As rounded: 999999.6 has one digit more before the point.
    let scientific = format!("{v:.*e}", DIGITS as usize - 1);
    let exponent = scientific.rsplit('e').next().and_then(|e| e.parse::<i32>().ok()).unwrap_or(0);
    match exponent {
        -5..DIGITS => format!("{v:.*}", (DIGITS - 1 - exponent) as usize),
        _ => scientific,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_six_significant_digits() {
        for (value, shown) in [
            (1234.56789, "1234.57"),
            (-1234.5001, "-1234.50"),
            (999_999.6, "1.00000e6"),
            (99_999.96, "100000"),
            (0.012345678, "0.0123457"),
            (1.25, "1.25"),
            (0.0, "0"),
            (1e-7 / 3.0, "3.33333e-8"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(number(value), shown, "{value}");
        }
    }
}
