//! The training history, one row per epoch.

use std::io::{Read, Write};

use scvi::train::History;

/// A table of numbers with named columns; NaN where an epoch has no value.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HistoryTable {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The rows, each as long as `columns`.
    pub rows: Vec<Vec<f64>>,
}

impl From<&History> for HistoryTable {
    fn from(history: &History) -> Self {
        let row = |row: Vec<Option<f64>>| row.into_iter().map(|v| v.unwrap_or(f64::NAN)).collect();
        Self { columns: history.columns(), rows: history.rows().map(row).collect() }
    }
}

impl HistoryTable {
    /// Writes the table as CSV, NaN as an empty field.
    pub(super) fn write(&self, writer: impl Write) -> Result<(), csv::Error> {
        let mut csv = csv::Writer::from_writer(writer);
        if self.columns.is_empty() {
            return Ok(csv.flush()?);
        }
        csv.write_record(&self.columns)?;
        for row in &self.rows {
            csv.write_record(
                row.iter().map(|v| if v.is_nan() { String::new() } else { v.to_string() }),
            )?;
        }
        Ok(csv.flush()?)
    }

    /// Reads what [`HistoryTable::write`] wrote; the error says what is wrong in which line.
    pub(super) fn read(reader: impl Read) -> Result<Self, String> {
        let mut csv = csv::Reader::from_reader(reader);
        let columns = csv.headers().map_err(|e| e.to_string())?.iter().map(String::from).collect();
        let mut rows = Vec::new();
        for record in csv.records() {
            let record = record.map_err(|e| e.to_string())?;
            let line = record.position().map_or(0, |p| p.line());
            let number = |text: &str| match text {
                "" => Ok(f64::NAN),
                _ => text.parse().map_err(|_| format!("line {line}: '{text}' is no number")),
            };
            rows.push(record.iter().map(number).collect::<Result<_, _>>()?);
        }
        Ok(Self { columns, rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_the_way_through_csv() {
        let table = HistoryTable {
            columns: ["epoch", "elbo, train"].map(String::from).into(),
            rows: vec![vec![0.0, 0.1 + 0.2], vec![1.0, f64::INFINITY]],
        };
        let mut bytes = Vec::new();
        table.write(&mut bytes).unwrap();
        assert_eq!(HistoryTable::read(&bytes[..]).unwrap(), table);

        let gap = HistoryTable { rows: vec![vec![f64::NAN, 1.0]], ..table };
        bytes.clear();
        gap.write(&mut bytes).unwrap();
        assert!(HistoryTable::read(&bytes[..]).unwrap().rows[0][0].is_nan());
    }

    #[test]
    fn names_the_line() {
        let error = HistoryTable::read("epoch,elbo\n0,1\n1,x\n".as_bytes()).unwrap_err();
        assert_eq!(error, "line 3: 'x' is no number");
        assert!(HistoryTable::read("epoch,elbo\n0\n".as_bytes()).is_err());
        let empty = HistoryTable::default();
        let mut bytes = Vec::new();
        empty.write(&mut bytes).unwrap();
        assert_eq!(HistoryTable::read(&bytes[..]).unwrap(), empty);
    }
}
