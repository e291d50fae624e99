//! A list of samples: `samples.csv`.

use std::path::Path;

use super::error::InputError;
use super::listed_input::ListedInput;
use crate::text::read_list;

/// Reads a list of samples: a csv with a header, of which the column `path` says where a sample
/// lies (from the list's own folder), `name` how it is called, and any other becomes a column of obs.
///
/// # Errors
/// [`InputError::SampleSheet`] where a column or value is missing or doubled, others where it cannot
/// be read.
pub fn read_sample_sheet(path: &Path) -> Result<Vec<ListedInput>, InputError> {
    let bad = |problem: String| InputError::SampleSheet { path: path.into(), problem };
    let lines: Vec<String> = read_list(path)?.into_iter().map(|line| line.text).collect();
    let text = lines.join("\n");
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|e| bad(e.to_string()))?.clone();
    let header: Vec<String> = header.iter().map(str::to_owned).collect();
    let place = |key: &str| header.iter().position(|known| known == key);
    let Some(path_at) = place("path") else {
        return Err(bad(format!("no column 'path' (there are: {})", scvi::listed(&header))));
    };
    if let Some((i, key)) = header.iter().enumerate().find(|(i, key)| header[..*i].contains(key)) {
        return Err(bad(format!("column {} is named '{key}' as another is", i + 1)));
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut samples = Vec::new();
    for (row, record) in reader.records().enumerate() {
        let record = record.map_err(|e| bad(e.to_string()))?;
        if let Some(empty) = record.iter().position(str::is_empty) {
            return Err(bad(format!("sample {} has no value of '{}'", row + 1, header[empty])));
        }
        let further = |&(i, _): &(usize, &str)| i != path_at && Some(i) != place("name");
        samples.push(ListedInput {
            path: folder.join(&record[path_at]),
            name: place("name").map(|at| record[at].to_owned()),
            columns: record
                .iter()
                .enumerate()
                .filter(further)
                .map(|(i, value)| (header[i].clone(), value.to_owned()))
                .collect(),
        });
    }
    match samples.is_empty() {
        true => Err(bad("no sample".into())),
        false => Ok(samples),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<ListedInput>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("samples.csv");
        std::fs::write(&path, text).unwrap();
        let samples = read_sample_sheet(&path).map_err(|error| error.to_string())?;
        let relative = |sample: ListedInput| ListedInput {
            path: sample.path.strip_prefix(folder.path()).unwrap().into(),
            ..sample
        };
        Ok(samples.into_iter().map(relative).collect())
    }

    #[test]
    fn further_columns_become_obs() {
        let samples = read("\u{feff}path,name,donor\r\na.h5,A,d1\r\n\"b, c/\",B,d2\r\n").unwrap();
        let columns = |donor: &str| vec![("donor".to_owned(), donor.to_owned())];
        let want = [("a.h5", "A", "d1"), ("b, c/", "B", "d2")].map(|(path, name, donor)| {
            ListedInput { path: path.into(), name: Some(name.into()), columns: columns(donor) }
        });
        assert_eq!(samples, want);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, part) in [
            ("file\na.h5\n", "no column 'path'"),
            ("path,donor,donor\na,b,c\n", "'donor' as another"),
            ("path,donor\na.h5,\n", "sample 1 has no value of 'donor'"),
            ("path,donor\na.h5\n", "fields"),
            ("path\n", "no sample"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
