//! What to do about categories that a model cannot take.

use std::path::{Path, PathBuf};

use scvi::data::CategoryError;

use crate::error::CliError;
use crate::options::quoted;

impl CliError {
    /// An error in the categories of a file, with what helps; `model` is the one that reads them.
    pub fn category(path: &Path, model: Option<&Path>, error: CategoryError) -> Self {
        let advice = advice(path, model, &error);
        Self::Category { path: path.display().to_string(), error: Box::new(error), advice }
    }
}

fn advice(path: &Path, model: Option<&Path>, error: &CategoryError) -> Option<String> {
    if let (Some(key), Some(conversion)) = (error.key(), error.conversion()) {
        let converted = converted(path, key, conversion);
        return Some(converted.unwrap_or_else(|| {
            format!("convert the column to the type of the model: `adata.obs[...]{conversion}`")
        }));
    }
    match error {
        CategoryError::Unknown { .. } => model.map(|model| {
            let mapped = with_suffix(model, "_mapped");
            let [model, path, mapped] =
                [model, path, &mapped].map(|path| quoted(&path.display().to_string()));
            format!(
                "`scvi map --reference {model} {path} --model {mapped}` teaches the model new \
                 categories; or leave these cells out"
            )
        }),
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
    let output = with_suffix(&path.with_extension(""), "_converted").with_extension(kind);
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

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(suffix);
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use scvi::data::{CategoricalField, CategoryKind};

    use super::*;

    fn unknown(kind: CategoryKind, known: &str, found: &str) -> CategoryError {
        let field = |kind, category: &str| CategoricalField {
            key: "plate".to_owned(),
            categories: vec![category.to_owned()],
            kind,
        };
        field(kind, known).transfer(&field(CategoryKind::Text, found), &[0]).unwrap_err()
    }

    #[test]
    fn a_column_of_the_other_type_is_converted() {
        let error = unknown(CategoryKind::Integer, "1", "1");
        let told = advice(Path::new("a/x.h5ad"), None, &error).unwrap();
        let expected = "`python3 -c \"import anndata; adata = anndata.read_h5ad('a/x.h5ad'); \
                        adata.obs['plate'] = adata.obs['plate'].astype('int64'); \
                        adata.write_h5ad('a/x_converted.h5ad')\"";
        assert!(told.starts_with(expected), "{told}");
        let told = advice(Path::new("$HOME.h5ad"), None, &error).unwrap();
        assert!(told.starts_with("convert the") && told.ends_with(".astype('int64')`"), "{told}");
    }

    #[test]
    fn new_categories_are_mapped() {
        let error = unknown(CategoryKind::Text, "a", "b");
        let told = advice(Path::new("my x.h5ad"), Some(Path::new("m/")), &error).unwrap();
        let expected = "`scvi map --reference m/ 'my x.h5ad' --model m_mapped` teaches";
        assert!(told.starts_with(expected), "{told}");
    }
}
