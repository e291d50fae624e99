//! The matrices of a file, and how a user spells each.

use std::borrow::Cow;

use scvi::data::MatrixKey;

use super::AnnDataFile;
use super::file::frame;
use super::store::Node;
use crate::IoError;

impl AnnDataFile {
    /// The matrices that the file has: X, its layers in their order, raw's.
    pub fn matrices(&self) -> Vec<MatrixKey> {
        let layers = self.layers().iter().cloned().map(MatrixKey::Layer);
        let all = std::iter::once(MatrixKey::X).chain(layers).chain([MatrixKey::Raw]);
        all.filter(|key| self.has(key)).collect()
    }

    /// The matrix that a user names: `X`, `raw`, the name of a layer, or a path: `/X`, `raw/X`,
    /// `layers/NAME`, with or without a slash before it.
    ///
    /// # Errors
    /// [`IoError::NoCounts`] where there is none of that name, and [`IoError::AmbiguousMatrix`]
    /// where a word means two: a layer may be called `X` or `raw` itself.
    pub fn matrix_named(&self, text: &str) -> Result<MatrixKey, IoError> {
        let key = match text.strip_prefix('/').unwrap_or(text) {
            MatrixKey::RAW => MatrixKey::Raw,
            path => match path.strip_prefix("layers/") {
                Some(name) => MatrixKey::Layer(name.to_owned()),
                None if text.starts_with('/') && path == "X" => MatrixKey::X,
                None => self.bare(text)?,
            },
        };
        if self.has(&key) { Ok(key) } else { Err(self.no_counts(&key)) }
    }

    /// What a word without a slash names.
    fn bare(&self, word: &str) -> Result<MatrixKey, IoError> {
        let layer = MatrixKey::Layer(word.to_owned());
        let other = match word {
            "X" => MatrixKey::X,
            "raw" => MatrixKey::Raw,
            _ => return Ok(layer),
        };
        if self.layers().iter().all(|name| name != word) {
            return Ok(other);
        }
        let spelled = [&layer, &other].map(explicit);
        Err(IoError::AmbiguousMatrix { path: self.path(), word: word.to_owned(), spelled })
    }

    /// The shortest spelling of a matrix that [`AnnDataFile::matrix_named`] reads as this one.
    pub fn spelling(&self, key: &MatrixKey) -> String {
        let word = match key {
            MatrixKey::X => "X",
            MatrixKey::Raw => "raw",
            MatrixKey::Layer(name) => name,
        };
        // On a command line a dash would begin an option.
        let is_plain = !word.starts_with(['-', '/']);
        match self.bare(word) {
            Ok(read) if read == *key && is_plain => word.to_owned(),
            _ => explicit(key),
        }
    }

    /// Names of the genes of a matrix.
    ///
    /// # Errors
    /// [`IoError`] where raw has none that can be read.
    pub fn genes_of(&self, key: &MatrixKey) -> Result<Cow<'_, [String]>, IoError> {
        match key {
            MatrixKey::X | MatrixKey::Layer(_) => Ok(self.var_names().into()),
            MatrixKey::Raw => Ok(frame(self.store(), "raw/var")?.0.into()),
        }
    }

    /// Whether there is such a matrix, of whatever form; one that cannot be read is there.
    pub(super) fn has(&self, key: &MatrixKey) -> bool {
        let is_member = match key {
            MatrixKey::X => true,
            MatrixKey::Raw => matches!(self.store().node("raw"), Ok(Node::Group)),
            MatrixKey::Layer(name) => self.layers().contains(name),
        };
        is_member
            && match self.store().node(&key.to_string()) {
                Ok(Node::Missing) => false,
                // anndata writes an X that is None as an empty array of encoding "null".
                Ok(Node::Array(array)) => {
                    array.attrs().map_or(true, |attrs| attrs.encoding() != Some("null"))
                }
                Ok(Node::Group) | Err(_) => true,
            }
    }
}

/// The spelling that means one matrix whatever layers are called.
fn explicit(key: &MatrixKey) -> String {
    match key {
        MatrixKey::X => "/X".to_owned(),
        key => key.to_string(),
    }
}
