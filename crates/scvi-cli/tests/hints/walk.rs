//! Provokes a hint, and types what it shows.

use crate::common::{Folder, Ran, advice};

/// What a hint shows between backquotes.
#[derive(Debug, PartialEq)]
enum Shown {
    /// A command of its own.
    Command(String),
    /// Options to add to the command, or to give other values.
    Options(String),
    /// Names of options, whose values only the user knows, and code for a notebook.
    Other,
}

/// Hints, one after the other.
pub struct Walk {
    seen: Vec<String>,
}

impl Walk {
    pub fn new() -> Self {
        Self { seen: Vec::new() }
    }

    /// Every hint so far.
    pub fn seen(&self) -> &[String] {
        &self.seen
    }

    /// A command that fails with a hint that has these words in it. Each thing that it shows is
    /// typed in a copy of the folder, and works.
    #[track_caller]
    pub fn provoke(&mut self, folder: &Folder, line: &str, words: &str) {
        let hint = self.failing(folder, line, words);
        for shown in shown(&hint, line) {
            let again = match shown {
                Shown::Command(command) => command,
                Shown::Options(options) => with_options(line, &options),
                Shown::Other => continue,
            };
            if again.starts_with("python3") && std::env::var("SCVI_REFERENCE_PYTHON").is_err() {
                eprintln!("skipped: {again} (set SCVI_REFERENCE_PYTHON)");
                continue;
            }
            let ran = folder.copy().typed(&again);
            assert_eq!(ran.code(), 0, "{again}\nafter {line}\nhint: {hint}\n{}", ran.stderr());
        }
    }

    /// The same, where what is shown works only once the user has done something else.
    #[track_caller]
    pub fn provoke_only(&mut self, folder: &Folder, line: &str, words: &str) {
        self.failing(folder, line, words);
    }

    #[track_caller]
    fn failing(&mut self, folder: &Folder, line: &str, words: &str) -> String {
        let ran = folder.typed(line);
        let stderr = ran.stderr();
        assert_eq!(ran.code(), 1, "{line}: {stderr}");
        let hint = hint_of(&ran).unwrap_or_else(|| panic!("no hint: {line}: {stderr}"));
        assert!(hint.contains(words), "no {words:?} in the hint of {line}: {hint}");
        self.seen.push(hint.clone());
        hint
    }
}

fn hint_of(ran: &Ran) -> Option<String> {
    let stderr = ran.stderr();
    stderr.lines().find_map(|line| line.strip_prefix("hint: ")).map(str::to_owned)
}

/// What a hint of a command shows.
fn shown(hint: &str, line: &str) -> Vec<Shown> {
    let verb = line.split(' ').nth(1).expect("a verb");
    let between = hint.split('`').skip(1).step_by(2);
    let kind = |text: &str| match text.split([' ', '=']).next().unwrap_or_default() {
        // The name of a verb says where to look.
        "scvi" if text.split(' ').count() == 2 => Shown::Other,
        "scvi" | "python3" => Shown::Command(text.to_owned()),
        name if name.starts_with("--") && (text != name || advice::is_flag(verb, name)) => {
            Shown::Options(text.to_owned())
        }
        _ => Shown::Other,
    };
    between.map(kind).collect()
}

/// A line with these options: those that it has get the new values.
fn with_options(line: &str, options: &str) -> String {
    let mut line = line.to_owned();
    for option in format!(" {options}").split(" --").skip(1) {
        let name = option.split([' ', '=']).next().unwrap_or_default();
        let (before, after) = match line.split_once(&format!(" --{name} ")) {
            None => (line.clone(), String::new()),
            Some((before, after)) => {
                // Its value goes, too.
                let rest = after.split_once(" --").map(|(_, rest)| format!(" --{rest}"));
                (before.to_owned(), rest.unwrap_or_default())
            }
        };
        line = format!("{before} --{option}{after}");
    }
    line
}

#[test]
fn options_replace_those_of_a_line() {
    let line = "scvi train x --model m --lr 1 --quiet";
    assert_eq!(with_options(line, "--lr 0.1"), "scvi train x --model m --lr 0.1 --quiet");
    assert_eq!(with_options(line, "--layer=-x"), format!("{line} --layer=-x"));
    let two = with_options(line, "--lr 0.1 --overwrite");
    assert_eq!(two, "scvi train x --model m --lr 0.1 --quiet --overwrite");
}
