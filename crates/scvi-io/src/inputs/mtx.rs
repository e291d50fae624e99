//! Matrix folders: `matrix.mtx`, `barcodes.tsv` and `features.tsv` or `genes.tsv`, each with or
//! without `.gz`.
//!
//! The matrix is in Matrix Market's coordinate form (Boisvert, Pozo and Remington 1996), a feature
//! a row and a cell a column, numbered from 1.

use std::path::{Path, PathBuf};

use scvi::data::{CsrMatrix, Survey, sum_repeated};

use super::error::InputError;
use super::features::Features;
use super::text_file::TextFile;
use crate::IoError;

/// Values of a block.
const BLOCK: usize = 1 << 20;

/// The three files of a matrix folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MtxFiles {
    pub(super) matrix: PathBuf,
    pub(super) barcodes: PathBuf,
    pub(super) features: PathBuf,
}

impl MtxFiles {
    /// Names of the cells.
    pub(super) fn read_barcodes(&self) -> Result<Vec<String>, InputError> {
        let mut file = TextFile::open(&self.barcodes)?;
        let mut names = Vec::new();
        while let Some(line) = file.next_line()? {
            let name = line.split('\t').next().unwrap_or_default().trim();
            match name.is_empty() {
                true => return Err(file.fault("a barcode", "an empty line")),
                false => names.push(name.to_owned()),
            }
        }
        Ok(names)
    }

    /// The table of features: identifier, symbol and, since Cell Ranger 3, type.
    pub(super) fn read_features(&self) -> Result<Features, InputError> {
        let mut file = TextFile::open(&self.features)?;
        let mut features = Features::default();
        let mut types = Vec::new();
        while let Some(line) = file.next_line()? {
            let mut parts = line.split('\t').map(str::trim);
            let id = parts.next().unwrap_or_default();
            if id.is_empty() {
                return Err(file.fault("a feature's identifier", "an empty line"));
            }
            features.ids.push(id.to_owned());
            // Lists of names only have no second column.
            features.symbols.push(parts.next().unwrap_or(id).to_owned());
            types.extend(parts.next().map(str::to_owned));
        }
        match types.len() {
            0 => {}
            n if n == features.ids.len() => features.types = Some(types),
            n => {
                let found = format!("{n} types for {} features", features.ids.len());
                return Err(misfit(&self.features, "a type for each feature, or none", found));
            }
        }
        Ok(features)
    }

    /// Reads the matrix once, some cells at a time.
    pub(super) fn for_each_block(
        &self,
        sizes: Sizes,
        f: &mut dyn FnMut(&CsrMatrix) -> Result<(), IoError>,
    ) -> Result<Result<Survey, Unsorted>, InputError> {
        let mut file = TextFile::open(&self.matrix)?;
        let n_values = self.read_header(&mut file, &sizes)?;
        let mut rows = RowsInMaking::new(sizes.n_features);
        let mut survey = Survey::default();
        let mut came = 0;
        while let Some(entry) = next_entry(&mut file, &sizes)? {
            came += 1;
            if came > n_values {
                return Err(file.fault(&format!("{n_values} values, as its header says"), "more"));
            }
            if entry.cell < rows.cell {
                return Ok(Err(Unsorted));
            }
            while rows.cell < entry.cell {
                rows.end_cell();
            }
            if rows.values.len() >= BLOCK {
                rows.hand_over(&mut survey, f)?;
            }
            rows.entries.push((entry.feature, entry.value));
        }
        if came < n_values {
            let found = format!("{came}: the file was cut off");
            return Err(file.fault(&format!("{n_values} values, as its header says"), found));
        }
        while survey.n_cells + rows.n_cells() < sizes.n_cells {
            rows.end_cell();
        }
        rows.hand_over(&mut survey, f)?;
        Ok(Ok(survey))
    }

    /// Reads a matrix whose cells are in no order.
    pub(super) fn load(&self, sizes: Sizes) -> Result<CsrMatrix, InputError> {
        let mut file = TextFile::open(&self.matrix)?;
        let n_values = self.read_header(&mut file, &sizes)?;
        let mut entries = Vec::new();
        while let Some(entry) = next_entry(&mut file, &sizes)? {
            if entries.len() as u64 == n_values {
                return Err(file.fault(&format!("{n_values} values, as its header says"), "more"));
            }
            entries.push(entry);
        }
        if (entries.len() as u64) < n_values {
            let found = format!("{}: the file was cut off", entries.len());
            return Err(file.fault(&format!("{n_values} values, as its header says"), found));
        }
        // Stable, so that what is stored twice is summed in the order of the file.
        entries.sort_by_key(|entry| entry.cell);
        let mut rows = RowsInMaking::new(sizes.n_features);
        for entry in entries {
            while rows.cell < entry.cell {
                rows.end_cell();
            }
            rows.entries.push((entry.feature, entry.value));
        }
        while rows.n_cells() < sizes.n_cells {
            rows.end_cell();
        }
        Ok(rows.take())
    }

    /// Checks the header against the tables; how many values follow.
    fn read_header(&self, file: &mut TextFile, sizes: &Sizes) -> Result<u64, InputError> {
        let first = file.next_line()?.unwrap_or_default().to_ascii_lowercase();
        let words: Vec<&str> = first.split_whitespace().collect();
        let is_known = matches!(
            words[..],
            ["%%matrixmarket", "matrix", "coordinate", "integer" | "real", "general"]
        );
        if !is_known {
            let expected = "%%MatrixMarket matrix coordinate integer general (or real)";
            return Err(file.fault(expected, format!("'{first}'")));
        }
        let shape = loop {
            match file.next_line()? {
                None => return Err(file.fault("a line with the shape", "the end of the file")),
                Some(line) if line.starts_with('%') || line.trim().is_empty() => {}
                Some(line) => break line.to_owned(),
            }
        };
        let numbers: Option<Vec<u64>> = shape.split_whitespace().map(|n| n.parse().ok()).collect();
        let Some([features, cells, n_values]) = numbers.as_deref() else {
            let expected = "rows, columns and number of values";
            return Err(file.fault(expected, format!("'{shape}'")));
        };
        let (n_features, n_cells) = (sizes.n_features as u64, sizes.n_cells as u64);
        if (*features, *cells) == (n_features, n_cells) {
            return Ok(*n_values);
        }
        let found = match (*features, *cells) == (n_cells, n_features) {
            true => format!("{features} rows and {cells} columns: a cell a row"),
            false => format!("{features} rows and {cells} columns"),
        };
        let expected = format!(
            "{n_features} rows, as many as features in {}, and {n_cells} columns, as many as \
             barcodes in {}",
            self.features.display(),
            self.barcodes.display()
        );
        Err(file.fault(&expected, found))
    }
}

/// The number of each, by the tables.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) n_features: usize,
    pub(super) n_cells: usize,
}

/// Cells do not rise from value to value: a cell cannot be had before the file ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unsorted;

struct Entry {
    cell: usize,
    feature: u32,
    value: f32,
}

/// Reads the next value, if there is one.
fn next_entry(file: &mut TextFile, sizes: &Sizes) -> Result<Option<Entry>, InputError> {
    const EXPECTED: &str = "a row, a column and a value";
    let Some(line) = file.next_line()? else { return Ok(None) };
    if line.trim().is_empty() {
        // Only at the end of the file: a blank line is no value.
        let rest = file.next_line()?.map(str::to_owned);
        return match rest {
            None => Ok(None),
            Some(line) => Err(file.fault("nothing after a blank line", format!("'{line}'"))),
        };
    }
    let mut words = line.split_ascii_whitespace();
    let (feature, cell, value) = (words.next(), words.next(), words.next());
    let parsed = (|| {
        let feature: usize = feature?.parse().ok()?;
        let cell: usize = cell?.parse().ok()?;
        let value: f64 = value?.parse().ok()?;
        words.next().is_none().then_some((feature, cell, value))
    })();
    let Some((feature, cell, value)) = parsed else {
        let found = format!("'{line}'");
        return Err(file.fault(EXPECTED, found));
    };
    if !(1..=sizes.n_features).contains(&feature) {
        return Err(
            file.fault(&format!("a row from 1 to {}", sizes.n_features), feature.to_string())
        );
    }
    if !(1..=sizes.n_cells).contains(&cell) {
        return Err(file.fault(&format!("a column from 1 to {}", sizes.n_cells), cell.to_string()));
    }
    if !(0.0..=f64::from(f32::MAX)).contains(&value) {
        return Err(file.fault("a count, finite and not negative", value.to_string()));
    }
    Ok(Some(Entry { cell: cell - 1, feature: feature as u32 - 1, value: value as f32 }))
}

/// Cells as they are completed.
struct RowsInMaking {
    n_features: usize,
    /// The cell at hand.
    cell: usize,
    /// What came of it.
    entries: Vec<(u32, f32)>,
    indptr: Vec<u64>,
    indices: Vec<u32>,
    values: Vec<f32>,
}

impl RowsInMaking {
    fn new(n_features: usize) -> Self {
        let (indptr, indices, values) = (vec![0], Vec::new(), Vec::new());
        Self { n_features, cell: 0, entries: Vec::new(), indptr, indices, values }
    }

    fn n_cells(&self) -> usize {
        self.indptr.len() - 1
    }

    fn end_cell(&mut self) {
        sum_repeated(&mut self.entries);
        self.indices.extend(self.entries.iter().map(|&(feature, _)| feature));
        self.values.extend(self.entries.iter().map(|&(_, value)| value));
        self.entries.clear();
        self.indptr.push(self.values.len() as u64);
        self.cell += 1;
    }

    /// The complete cells.
    fn take(&mut self) -> CsrMatrix {
        let indptr = std::mem::replace(&mut self.indptr, vec![0]);
        let (indices, values) =
            (std::mem::take(&mut self.indices), std::mem::take(&mut self.values));
        CsrMatrix::new(self.n_features, indptr, indices, values).expect("checked value by value")
    }

    fn hand_over(
        &mut self,
        survey: &mut Survey,
        f: &mut dyn FnMut(&CsrMatrix) -> Result<(), IoError>,
    ) -> Result<(), InputError> {
        let counts = self.take();
        survey.add(&counts);
        Ok(f(&counts)?)
    }
}

fn misfit(path: &Path, expected: &str, found: String) -> InputError {
    InputError::Misfit { path: path.into(), expected: expected.into(), found }
}
