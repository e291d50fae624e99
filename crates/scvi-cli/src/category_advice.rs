//! What to do about categories that a model cannot take.

use std::path::Path;

use scvi::data::CategoryError;

use crate::call::Call;
use crate::error::CliError;

impl CliError {
    /// An error in the categories of a file.
    pub fn category(path: &Path, error: CategoryError) -> Self {
        Self::Category { path: path.to_owned(), error: Box::new(error) }
    }
}

/// What to do about the categories of a file.
pub fn of_categories(path: &Path, error: &CategoryError, call: &Call) -> Option<String> {
    if let (Some(key), Some(conversion)) = (error.key(), error.conversion()) {
        let converted = converted(path, key, conversion);
        return Some(converted.unwrap_or_else(|| {
            format!(
                "in Python, convert the column of adata.obs to the type of the model: {conversion}"
            )
        }));
    }
    match error {
        CategoryError::Unknown { known, .. } if call.verb == "map" => Some(format!(
            "the labels of a SCANVI do not grow: give these cells one that it knows, such as {} for \
             none, or leave them out",
            known.last().map_or("", String::as_str)
        )),
        CategoryError::Unknown { .. } => {
            let (model, input) = (call.model(), call.input());
            Some(format!(
                "`scvi map --reference {model} {input} --model {model}_mapped` teaches the model \
                 new categories; or leave these cells out"
            ))
        }
        CategoryError::TooMany { .. } => Some(
            "a category is a group of cells, such as a batch or a donor; \
             `--allow-many-categories` takes the column as it is"
                .to_owned(),
        ),
        _ => None,
    }
}

/// A command that writes the file with a converted column; none where names would need quoting.
fn converted(path: &Path, key: &str, conversion: &str) -> Option<String> {
    let kind = if path.is_dir() { "zarr" } else { "h5ad" };
    let mut name = path.file_stem()?.to_os_string();
    name.push("_converted.");
    name.push(kind);
    let output = path.with_file_name(name);
    let (path, output) = (path.to_str()?, output.to_str()?);
    let plain = |text: &str| {
        text.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | '/' | ':'))
    };
    [path, output, key].into_iter().all(plain).then(|| {
        format!(
            "`python3 -c \"import anndata; adata = anndata.read_{kind}('{path}'); \
             adata.obs['{key}'] = adata.obs['{key}']{conversion}; \
             adata.write_{kind}('{output}')\"` writes the column as the model has it"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_converts_a_column() {
        let told = converted(Path::new("a/x.h5ad"), "plate", ".astype(str)").unwrap();
        let expected = "`python3 -c \"import anndata; adata = anndata.read_h5ad('a/x.h5ad'); \
                        adata.obs['plate'] = adata.obs['plate'].astype(str); \
                        adata.write_h5ad('a/x_converted.h5ad')\"`";
        assert!(told.starts_with(expected), "{told}");
        for (path, key) in [("$HOME.h5ad", "plate"), ("x.h5ad", "it's")] {
            assert_eq!(converted(Path::new(path), key, ".astype(str)"), None);
        }
    }
}
