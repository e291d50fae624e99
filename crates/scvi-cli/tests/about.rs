//! What the program says of itself: its version, its manual pages, and how shells complete it.

mod common;

use std::path::Path;
use std::process::Command;

use common::Folder;

/// The commit that git names, where these sources are a checkout.
fn commit() -> Option<String> {
    let mut git = Command::new("git");
    let args = ["rev-parse", "--short=12", "HEAD"];
    let output = git.args(args).current_dir(env!("CARGO_MANIFEST_DIR")).output().ok()?;
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

#[test]
fn version_names_commit_instruction_set_and_libraries() {
    let folder = Folder::new();
    let short = folder.scvi(&["-V"]).ok();
    assert_eq!(short, format!("scvi {}\n", env!("CARGO_PKG_VERSION")));
    let long = folder.scvi(&["--version"]).ok();
    assert!(long.starts_with(short.trim_end()), "{long}");
    let of = |name: &str| {
        let line = long.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_else(|| panic!("no {name} in {long}")).to_owned()
    };
    assert_eq!(of("commit"), commit().unwrap_or_else(|| "unknown".to_owned()));
    assert_eq!(of("instruction set"), scvi::instruction_set());
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock");
    let lock = std::fs::read_to_string(lock).unwrap();
    let libraries = of("libraries");
    for library in libraries.split(", ") {
        let (name, version) = library.split_once(' ').unwrap();
        assert!(lock.contains(&format!("name = \"{name}\"\nversion = \"{version}\"")), "{library}");
    }
    assert!(libraries.contains("gemm ") && libraries.contains("hdf5-pure "), "{libraries}");
}

#[test]
fn completions_know_verbs_and_options() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = folder.scvi(&["completions", shell]).ok();
        for word in ["normalize", "gene-likelihood", "transform-batch", "log-file", "verbose"] {
            assert!(script.contains(word), "{shell} does not complete {word}");
        }
    }
    // What bash completes where a user presses the key.
    let complete = "source <(scvi completions bash); COMP_WORDS=(scvi de --idx); COMP_CWORD=2; \
                    _scvi scvi --idx de; echo ${COMPREPLY[*]}";
    assert_eq!(folder.typed(complete).ok(), "--idx1 --idx2\n");
    assert_eq!(folder.scvi(&["completions", "csh"]).code(), 2);
}

#[test]
fn manual_pages_of_every_verb() {
    let folder = Folder::new();
    let man =
        |more: &[&str]| folder.scvi(&[&["man", "--output", "a/man1", "--json"], more].concat());
    let files = man(&[]).json()["files"].as_array().unwrap().clone();
    assert!(files.len() > 14);
    for file in &files {
        let text = std::fs::read_to_string(folder.path(file.as_str().unwrap())).unwrap();
        assert!(text.contains(".SH OPTIONS") && text.contains(".SH EXAMPLES\n"), "{file}: {text}");
        assert!(!text.contains("instruction set"), "{file} tells of this machine");
        assert!(
            text.contains("\\-\\-log\\-file") && text.contains("\\-\\-verbose"),
            "{file}: {text}"
        );
    }
    let page = std::fs::read_to_string(folder.path("a/man1/scvi-train.1")).unwrap();
    assert!(page.contains("\\-\\-n\\-latent") && page.contains("Train a model"), "{page}");
    man(&[]).fails_with(&["exists already", "--overwrite"]);
    man(&["--overwrite"]).ok();
}
