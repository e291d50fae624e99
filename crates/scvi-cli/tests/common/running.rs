//! Runs that are watched while they go on, and ended before they are done.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};

use super::Folder;

/// A run of `scvi` that is going on.
pub struct Running {
    child: Child,
    stderr: BufReader<ChildStderr>,
    told: String,
}

impl Folder {
    /// Starts `scvi` in this folder.
    pub fn start(&self, args: &[&str]) -> Running {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scvi"));
        command.args(args).current_dir(self.path(""));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Running { child, stderr, told: String::new() }
    }
}

impl Running {
    /// Waits until the run has said something on standard error.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) {
        while !self.told.contains(text) {
            let n = self.stderr.read_line(&mut self.told).unwrap();
            assert!(n > 0, "the run ended without {text:?}: {}", self.told);
        }
    }

    /// Number of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let pid = self.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Ends the run as `kill -9` does.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
    }

    /// Waits for the end; gives how it ended and all it said on standard error.
    pub fn end(mut self) -> (ExitStatus, String) {
        self.stderr.read_to_string(&mut self.told).unwrap();
        (self.child.wait().unwrap(), self.told)
    }
}

/// The files of a model folder, by name.
pub fn model_files(model: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(model).unwrap().map(|e| e.unwrap().path());
    let mut files: Vec<_> = entries
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read(path).unwrap())
        })
        .collect();
    files.sort();
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["SHA256SUMS", "history.csv", "model.json", "model.safetensors"]);
    files
}
