//! What a run advises on standard error: the options that it names are options of its verb.

use std::collections::{BTreeSet, HashMap};
use std::process::Command;
use std::sync::{LazyLock, Mutex};

/// What a verb says of itself.
fn help(verb: &str) -> String {
    static KNOWN: LazyLock<Mutex<HashMap<String, String>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap();
    let read = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scvi"));
        String::from_utf8(command.args([verb, "--help"]).output().unwrap().stdout).unwrap()
    };
    known.entry(verb.to_owned()).or_insert_with(read).clone()
}

/// Whether an option of a verb takes no value.
pub fn is_flag(verb: &str, option: &str) -> bool {
    !help(verb).contains(&format!("{option} <"))
}

/// Every word of a text that is an option by its form.
pub fn named_in(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let words = text.split(|c| !is_part(c)).map(|word| word.trim_end_matches('-'));
    words.filter(|word| word.starts_with("--") && word.len() > 2).map(str::to_owned).collect()
}

/// Checks the hints and warnings of a run: an option that they name outside of a command of its
/// own is one of the verb's, and a command is one that clap takes.
#[track_caller]
pub fn check(args: &[&str], stderr: &str) {
    let Some(verb) = args.iter().find(|arg| !arg.starts_with('-')) else { return };
    for line in stderr.lines() {
        let advice = ["hint: ", "warning: "].iter().find_map(|kind| line.strip_prefix(kind));
        let Some(advice) = advice else { continue };
        for (k, part) in advice.split('`').enumerate() {
            // What stands between backquotes is typed.
            let is_typed = k % 2 == 1;
            let own = part.strip_prefix("scvi ").filter(|_| is_typed);
            let verb = own.and_then(|words| words.split(' ').next()).unwrap_or(verb);
            let options = named_in(&help(verb));
            for option in named_in(part) {
                assert!(options.contains(&option), "scvi {verb} has no {option}: {line}");
            }
        }
    }
}
