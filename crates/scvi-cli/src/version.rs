//! What `--version` says.

use std::sync::LazyLock;

/// The lines of `scvi --version` after the program's name.
static LONG: LazyLock<String> = LazyLock::new(|| {
    let named = |text: &'static str| if text.is_empty() { "unknown" } else { text };
    [
        env!("CARGO_PKG_VERSION"),
        &format!("commit: {}", named(env!("SCVI_COMMIT"))),
        &format!("instruction set: {}", scvi::instruction_set()),
        &format!("libraries: {}", named(env!("SCVI_LIBRARIES"))),
        &format!("reads and writes: model format {}, scvi-tools 1.4.2", scvi_io::FORMAT_VERSION),
    ]
    .join("\n")
});

/// Version, commit, the instruction set of this machine, libraries and formats.
pub fn long() -> &'static str {
    &LONG
}

/// The same in a line.
pub fn line() -> String {
    let commit = match env!("SCVI_COMMIT") {
        "" => String::new(),
        commit => format!(" (commit {commit})"),
    };
    let (version, threads) = (env!("CARGO_PKG_VERSION"), rayon::current_num_threads());
    format!("scvi {version}{commit}, {}, {threads} cores", scvi::instruction_set())
}
