//! Names the commit and the libraries for `scvi --version`.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// Libraries whose versions may decide what a run computes, reads or writes.
const LIBRARIES: [&str; 8] =
    ["gemm", "pulp", "rayon", "libm", "hdf5-pure", "safetensors", "flate2", "clap"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=SCVI_COMMIT={}", commit().unwrap_or_default());
    println!("cargo::rustc-env=SCVI_LIBRARIES={}", libraries().unwrap_or_default());
}

/// The commit of the sources. There is none to name where they are no checkout of this project, or
/// where git is missing.
fn commit() -> Option<String> {
    // Sources that lie inside the repository of something else have another place there.
    if git(&["rev-parse", "--show-prefix"])? != "crates/scvi-cli/" {
        return None;
    }
    // HEAD names a branch; the commit changes in the branch's file, or where refs are packed.
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]);
    for name in ["HEAD", "packed-refs"].into_iter().chain(branch.as_deref()) {
        let path = git(&["rev-parse", "--git-path", name])?;
        // A file that is not there would have this script run again at every build.
        if Path::new(&path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    git(&["rev-parse", "--short=12", "HEAD"])
}

/// What git answers.
fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok()?;
    let answer = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !answer.is_empty()).then_some(answer)
}

/// Names and versions, as the lock file of the workspace or of the packaged crate has them.
fn libraries() -> Option<String> {
    let here = env::var("CARGO_MANIFEST_DIR").ok()?;
    let path = ["../../Cargo.lock", "Cargo.lock"].map(|name| Path::new(&here).join(name));
    let path = path.into_iter().find(|path| path.exists())?;
    println!("cargo::rerun-if-changed={}", path.display());
    let lock = fs::read_to_string(path).ok()?;
    let version = |library: &&str| {
        let entry = format!("name = \"{library}\"\nversion = \"");
        let after = &lock[lock.find(&entry)? + entry.len()..];
        Some(format!("{library} {}", after.split_once('"')?.0))
    };
    Some(LIBRARIES.iter().filter_map(version).collect::<Vec<_>>().join(", "))
}
