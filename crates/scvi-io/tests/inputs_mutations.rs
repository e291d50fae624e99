//! Changed 10x matrices and lists of samples give errors or valid counts: neither panic nor endless
//! loop, nor memory beyond what the files' size justifies, comes of them.

mod common;
mod limit;
mod mix;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use common::assert_valid;
use common::samples::{Folder, open};
use limit::{alone, within_limit};
use mix::Mix;
use scvi_io::inputs::{InputError, SampleOptions, read_sample_sheet};

/// Mutations of each format; `SCVI_MUTATIONS` asks for more.
fn rounds() -> usize {
    std::env::var("SCVI_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(2000)
}

impl Mix {
    /// Changes a file: a bit, a number or word of its text, a line, its end.
    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(2) {
            if bytes.is_empty() {
                return;
            }
            let at = self.below(bytes.len());
            match self.below(8) {
                0 | 1 => bytes[at] ^= 1 << self.below(8),
                2 => bytes.truncate(at),
                3 => bytes.insert(at, [b'\n', b'\t', b' ', b'"', 0, 0xff][self.below(6)]),
                4 => self.replace_word(bytes, at),
                5 => self.repeat_or_drop_line(bytes, at),
                // A size, an address or a count of 4 or 8 bytes.
                6 => {
                    let width = [4, 8][self.below(2)].min(bytes.len() - at);
                    let huge = [u64::MAX, i64::MAX as u64, 1 << 32, 99_999_999][self.below(4)];
                    bytes[at..at + width].copy_from_slice(&huge.to_le_bytes()[..width]);
                }
                _ => {
                    let n = self.below(40).min(bytes.len() - at);
                    let to = self.below(bytes.len() - n + 1);
                    bytes.copy_within(at..at + n, to);
                }
            }
        }
    }

    fn replace_word(&mut self, bytes: &mut Vec<u8>, at: usize) {
        let is_space = |b: &u8| b.is_ascii_whitespace();
        let start = bytes[..at].iter().rposition(is_space).map_or(0, |space| space + 1);
        let end = bytes[at..].iter().position(is_space).map_or(bytes.len(), |n| at + n);
        let words = ["18446744073709551615", "4294967296", "0", "-1", "1e300", "0.5", "nan", ""];
        bytes.splice(start..end.max(start), words[self.below(words.len())].bytes());
    }

    fn repeat_or_drop_line(&mut self, bytes: &mut Vec<u8>, at: usize) {
        let start = bytes[..at].iter().rposition(|&b| b == b'\n').map_or(0, |end| end + 1);
        let end = bytes[at..].iter().position(|&b| b == b'\n').map_or(bytes.len(), |n| at + n + 1);
        let line = bytes[start..end].to_vec();
        match self.below(2) {
            0 => drop(bytes.drain(start..end)),
            _ => drop(bytes.splice(end..end, line)),
        }
    }
}

/// Reads a sample; whatever comes is valid.
fn read(path: &Path, what: &str) -> Result<(), InputError> {
    let mut sample = open(path, &SampleOptions::default())?;
    let counts = sample.counts()?;
    assert_valid(&counts, sample.n_obs(), sample.var_names().len(), what);
    Ok(())
}

/// Changes each of the files in turn, all others being intact, in half of the rounds; how many were
/// errors.
fn try_mutations(sample: &Path, files: &[std::path::PathBuf], seed: u64) -> usize {
    let whole: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    let size = whole.iter().map(Vec::len).sum::<usize>();
    let (mut mix, mut errors) = (Mix(seed), 0);
    for round in 0..rounds() / 2 {
        let which = round % files.len();
        let mut bytes = whole[which].clone();
        mix.mutate(&mut bytes);
        fs::write(&files[which], &bytes).unwrap();
        let what = format!("{}, round {round}", files[which].display());
        let start = Instant::now();
        let result = within_limit(size + bytes.len(), &what, || read(sample, &what));
        assert!(start.elapsed() < Duration::from_secs(20), "{what}: {:?}", start.elapsed());
        if let Err(error) = result {
            errors += 1;
            assert!(!error.to_string().is_empty(), "{what}");
        }
        fs::write(&files[which], &whole[which]).unwrap();
    }
    read(sample, "intact").unwrap();
    errors
}

#[test]
fn changed_matrix_files() {
    let _alone = alone();
    let folder = Folder::new();
    for (name, is_legacy, file) in
        [("plain", true, "matrix.mtx"), ("packed", false, "matrix.mtx.gz")]
    {
        let path = folder.mtx(name, is_legacy, "\n");
        let errors = try_mutations(&path, &[path.join(file)], 1);
        assert!(errors > rounds() / 8 && errors < rounds() / 2, "{errors}");
    }
}

#[test]
fn changed_tables_of_features_and_barcodes() {
    let _alone = alone();
    let folder = Folder::new();
    for (name, is_legacy, files) in [
        ("plain", true, ["genes.tsv", "barcodes.tsv"]),
        ("packed", false, ["features.tsv.gz", "barcodes.tsv.gz"]),
    ] {
        let path = folder.mtx(name, is_legacy, "\r\n");
        let errors = try_mutations(&path, &files.map(|file| path.join(file)), 2);
        assert!(errors > rounds() / 20 && errors < rounds() / 2, "{errors}");
    }
}

#[test]
fn changed_10x_files() {
    let _alone = alone();
    let folder = Folder::new();
    for (name, genomes) in [("v3.h5", &[][..]), ("v2.h5", &["hg19"])] {
        let path = folder.tenx(name, genomes);
        let errors = try_mutations(&path, std::slice::from_ref(&path), 3);
        assert!(errors > rounds() / 20 && errors < rounds() / 2, "{errors}");
    }
}

#[test]
fn changed_lists_of_samples() {
    let _alone = alone();
    let folder = Folder::new();
    let path = folder.write("samples.csv", "path,name,donor\na.h5,A,d1\n\"b, c/\",B,d2\n");
    let whole = fs::read(&path).unwrap();
    let (mut mix, mut errors) = (Mix(4), 0);
    for round in 0..rounds() {
        let mut bytes = whole.clone();
        mix.mutate(&mut bytes);
        fs::write(&path, &bytes).unwrap();
        let what = format!("list of samples, round {round}");
        let found = within_limit(bytes.len(), &what, || read_sample_sheet(&path));
        errors += usize::from(found.is_err());
        assert!(found.is_err() || found.is_ok_and(|samples| !samples.is_empty()), "{what}");
    }
    assert!(errors > 0 && errors < rounds(), "{errors}");
}
