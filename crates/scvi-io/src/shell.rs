//! Commands for a shell, as hints show them.

use std::path::Path;

/// A word as a shell reads it.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The command that reads an AnnData with anndata and writes it again beside itself: plain, in one
/// file or store. Filters beyond those of HDF5 itself need h5py's plugins.
pub(crate) fn rewrite_command(path: &Path, needs_plugins: bool) -> String {
    let imports = if needs_plugins { "anndata, hdf5plugin, sys" } else { "anndata, sys" };
    python_command(path, "rewritten", imports, "adata")
}

/// The command that writes the cells of a file for which a condition in Python holds, of `adata`,
/// beside the file, under its name with a word added.
pub fn select_cells_command(path: &Path, word: &str, condition: &str) -> String {
    python_command(path, word, "anndata, sys", &format!("adata[{condition}]"))
}

fn python_command(path: &Path, word: &str, imports: &str, part: &str) -> String {
    let kind = if path.is_dir() { "zarr" } else { "h5ad" };
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let new = path.with_file_name(format!("{stem}_{word}.{kind}"));
    let [old, new] = [path, &new].map(|path| quoted(&path.to_string_lossy()));
    format!(
        "python3 -c \"import {imports}; adata = anndata.read_{kind}(sys.argv[1]); \
         {part}.write_{kind}(sys.argv[2])\" {old} {new}"
    )
}

/// The command that reads a loom file with anndata and writes it beside itself.
pub(crate) fn loom_command(path: &Path) -> String {
    let [old, new] = [path, &path.with_extension("h5ad")].map(|p| quoted(&p.to_string_lossy()));
    format!(
        "python3 -c \"import anndata, sys; \
         anndata.io.read_loom(sys.argv[1]).write_h5ad(sys.argv[2])\" {old} {new}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_of_a_shell() {
        assert_eq!(quoted("a-b/c.h5ad"), "a-b/c.h5ad");
        assert_eq!(quoted("my data.h5ad"), "'my data.h5ad'");
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(quoted(""), "''");
        let command = rewrite_command(Path::new("my data/a.h5ad"), true);
        assert!(command.contains("hdf5plugin"));
        assert!(command.ends_with("'my data/a.h5ad' 'my data/a_rewritten.h5ad'"), "{command}");
    }
}
