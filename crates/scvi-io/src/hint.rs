//! What a user can do about an error, in words that hold for the command and for Python.
//!
//! An option of the command or an argument of Python is not named here: each face of the program
//! names its own, and asks here for the rest. What is to be typed stands in backquotes.

use crate::IoError;
use crate::inputs::InputError;
use crate::scvi_tools::SaveError;
use crate::shell::{loom_command, rewrite_command};

impl IoError {
    /// What the user can do about it, for the errors where there is something.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NotHdf5 { .. } => "an .h5ad file is written by AnnData.write_h5ad",
            Self::NotZarr { .. } => "a .zarr store is written by AnnData.write_zarr",
            Self::NotAnnData { .. } => "open the file with a current anndata and save it again",
            Self::NotText { .. } => "save it as plain text with the encoding UTF-8",
            Self::MissingValues { .. } => "fill in the missing values, or leave out these cells",
            Self::DuplicateCategory { .. } => {
                "anndata cannot read this column either; rename one of the categories with h5py"
            }
            Self::Unread { path, needs_plugins: true, .. } => {
                let rewrite = rewrite_command(path, true);
                return Some(format!("`pip install hdf5plugin`, then `{rewrite}` writes it plain"));
            }
            Self::Unread { path, .. } => {
                return Some(format!("`{}` writes it plain", rewrite_command(path, false)));
            }
            Self::OtherFile { path, .. } => {
                let rewrite = rewrite_command(path, false);
                return Some(format!("`{rewrite}` writes all of it into one file"));
            }
            Self::CannotCopy { path, .. } => {
                let rewrite = rewrite_command(path, false);
                return Some(format!("`{rewrite}` writes one that can be copied"));
            }
            Self::NotCheckpoint { .. } => "delete it and train from the beginning",
            Self::OtherRun { .. } => {
                "the input and options must be those that the run began with; those that are not \
                 given are taken from the checkpoint"
            }
            Self::FormatVersion { .. } => "a newer version of this program can read it",
            Self::ScviTools { source, .. } => return source.hint(),
            // Each face names its option.
            Self::Exists { .. }
            | Self::BadCount { .. }
            | Self::GeneSelection { .. }
            | Self::NoCounts { .. }
            | Self::AmbiguousMatrix { .. }
            | Self::SeveralModels { .. }
            | Self::NoSuchModel { .. }
            | Self::InUse { .. }
            | Self::OtherKind { .. } => return None,
            Self::NotFound { .. }
            | Self::Os { .. }
            | Self::Hdf5 { .. }
            | Self::Broken { .. }
            | Self::Structure { .. }
            | Self::NoColumn { .. }
            | Self::BadMatrix { .. }
            | Self::BadOutput { .. }
            | Self::BadInput { .. }
            | Self::NotModelDir { .. }
            | Self::BadTensor { .. } => return None,
        };
        Some(hint.to_owned())
    }
}

impl SaveError {
    /// What the user can do about it, for the errors where there is something.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Legacy { .. } => {
                "load it with scvi-tools (SCVI.convert_legacy_save for models of before 0.15) and \
                 save it again"
            }
            Self::Unknown { .. } | Self::UnknownOpcode { .. } => {
                "if you trust the file, load it with scvi-tools and save it again with a current \
                 version, without attributes of your own"
            }
            // Each face names a save in its way.
            Self::NoSave { .. } | Self::Several { .. } => return None,
            Self::Container { .. }
            | Self::Pickle { .. }
            | Self::TooLarge { .. }
            | Self::Model { .. }
            | Self::Structure { .. } => return None,
        };
        Some(hint.to_owned())
    }
}

impl InputError {
    /// What the user can do about it, for the errors where there is something.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Io(error) => return error.hint(),
            Self::NoMatrix { path } => return IoError::NotZarr { path: path.clone() }.hint(),
            Self::SeveralMatrices { .. } => "give one of them",
            Self::DuplicateGene { .. } => {
                "make names unique with `adata.var_names_make_unique()` of anndata"
            }
            Self::Loom { path } => {
                let convert = loom_command(path);
                return Some(format!(
                    "`{convert}` converts it, with the packages anndata and loompy"
                ));
            }
            // Each face names its option.
            Self::RawMatrix { .. }
            | Self::SeveralGenomes { .. }
            | Self::SameName { .. }
            | Self::FewSharedGenes { .. } => return None,
            Self::NoRna { .. }
            | Self::Line { .. }
            | Self::Misfit { .. }
            | Self::DuplicateBarcode { .. }
            | Self::NoGenes { .. }
            | Self::NoGenome { .. }
            | Self::NamesOfInputs { .. }
            | Self::SampleColumns { .. }
            | Self::SomeHaveColumn { .. }
            | Self::SampleSheet { .. } => return None,
        };
        Some(hint.to_owned())
    }
}
