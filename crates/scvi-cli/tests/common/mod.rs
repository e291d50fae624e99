//! Running the command in a folder of its own, and making input files for it.

#![allow(dead_code, reason = "each test file uses its part")]

pub mod advice;
pub mod cells;
pub mod matrices;
pub mod running;
pub mod saves;
pub mod tenx;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use scvi::data::CsrMatrix;
use scvi_io::anndata::{Categorical, Column};
use scvi_io::h5ad::{NewAnnData, write_h5ad};
use serde_json::Value;

/// A folder that goes when the test ends.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Names of everything in the folder, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Runs `scvi` in this folder. Whatever it advises has to be possible.
    #[track_caller]
    pub fn scvi(&self, args: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scvi"));
        let output = command.args(args).current_dir(self.0.path()).output().unwrap();
        let ran = Ran(output);
        advice::check(args, &ran.told());
        ran
    }

    /// Has a shell do in this folder what a user types.
    pub fn typed(&self, line: &str) -> Ran {
        let scvi = Path::new(env!("CARGO_BIN_EXE_scvi")).parent().expect("a folder");
        let path = std::env::var("PATH").expect("a path of commands");
        let mut shell = Command::new("bash");
        // Where another Python has anndata, that is the user's.
        let line =
            format!("python3() {{ \"${{SCVI_REFERENCE_PYTHON:-python3}}\" \"$@\"; }}\n{line}");
        shell.args(["-e", "-o", "pipefail", "-c", &line]).current_dir(self.0.path());
        shell.env("PATH", format!("{}:{path}", scvi.display())).env("HOME", self.0.path());
        Ran(shell.output().expect("a shell"))
    }

    /// A folder with the same files.
    pub fn copy(&self) -> Self {
        let copy = Self::new();
        let (from, to) = (self.path("."), copy.path("."));
        let status = Command::new("cp").arg("-r").args([from, to]).status().unwrap();
        assert!(status.success());
        copy
    }
}

/// A finished run.
pub struct Ran(Output);

impl Ran {
    pub fn code(&self) -> i32 {
        self.0.status.code().expect("not ended by a signal")
    }

    pub fn stdout(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    /// What it said on standard error, as lines of text even where `--json` made them documents.
    pub fn told(&self) -> String {
        let line = |line: &str| match serde_json::from_str::<Value>(line) {
            Ok(Value::Object(said)) => {
                let text = |key: &str| said.get(key).and_then(Value::as_str);
                let level = text("level").filter(|level| ["error", "warning"].contains(level));
                let message = text("message").expect("a message");
                let message = level.map_or(message.to_owned(), |l| format!("{l}: {message}"));
                text("hint").map_or(message.clone(), |hint| format!("{message}\nhint: {hint}"))
            }
            _ => line.to_owned(),
        };
        self.stderr().lines().map(line).map(|line| line + "\n").collect()
    }

    /// The run must have succeeded; gives its standard output.
    #[track_caller]
    pub fn ok(&self) -> String {
        assert_eq!(self.code(), 0, "{}", self.stderr());
        self.stdout()
    }

    /// The run must have succeeded; gives its JSON document.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.ok()).unwrap()
    }

    /// The run must have succeeded; gives what it told, but for how long it took.
    #[track_caller]
    pub fn without_seconds(&self) -> String {
        let told = self.ok();
        let mut json = serde_json::from_str::<Value>(&told).ok();
        if let Some(json) = json.as_mut().and_then(|json| json.as_object_mut()) {
            json.remove("seconds");
        }
        let lines = told.lines().filter(|line| !line.starts_with("seconds"));
        json.map_or_else(|| lines.collect::<Vec<_>>().join("\n"), |json| json.to_string())
    }

    /// The run must have failed as a job does, with every part of a message and no panic.
    #[track_caller]
    pub fn fails_with(&self, parts: &[&str]) {
        let stderr = self.told();
        assert_eq!(self.code(), 1, "{stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
        assert!(stderr.starts_with("error: ") || stderr.contains("\nerror: "), "{stderr}");
        for part in parts {
            assert!(stderr.contains(part), "no {part:?} in: {stderr}");
        }
        assert_eq!(self.stdout(), "");
    }
}

/// The path of a real data set, or a visible line that says the test was skipped.
pub fn data(name: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("SCVI_TEST_DATA").map_or(beside, PathBuf::from);
    let path = folder.join(name);
    if path.exists() {
        return Some(path);
    }
    // Straight to the terminal: a captured line would not be seen.
    let note = format!("skipped: {name} is not at hand (SCVI_TEST_DATA, ../shared/data)\n");
    std::io::Write::write_all(&mut std::io::stderr().lock(), note.as_bytes()).unwrap();
    None
}

/// Counts of `cells` x `genes` in which cell c has 1 + (c + g) % 3 of every third gene.
pub fn counts(cells: usize, genes: usize) -> CsrMatrix {
    let (mut indptr, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
    for c in 0..cells {
        for g in (c % 3..genes).step_by(3) {
            indices.push(g as u32);
            values.push((1 + (c + g) % 3) as f32);
        }
        indptr.push(values.len() as u64);
    }
    CsrMatrix::new(genes, indptr, indices, values).unwrap()
}

/// Names such as `cell_0`.
pub fn names(prefix: &str, n: usize) -> Vec<String> {
    (0..n).map(|i| format!("{prefix}_{i}")).collect()
}

/// A categorical column; `None` for a missing value.
pub fn categorical(codes: &[Option<u32>], categories: &[&str]) -> Column {
    Column::Categorical(Categorical {
        codes: codes.to_vec(),
        categories: categories.iter().map(|&c| c.to_owned()).collect(),
        ..Categorical::default()
    })
}

/// Writes an .h5ad with the given counts and columns.
pub fn write(path: &Path, x: &CsrMatrix, obs: Vec<(String, Column)>) {
    let mut data = NewAnnData::new(x, names("cell", x.n_cells()), names("gene", x.n_genes()));
    data.obs = obs;
    write_h5ad(path, &data, true).unwrap();
}
