//! What may be wrong with a save of scvi-tools.

use thiserror::Error;

/// Why a save cannot be read or written. Whatever it is, nothing in the file was executed.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum SaveError {
    /// There is no save where one was looked for.
    #[error("there is no {wanted} (saves there: {})", scvi::listed(available))]
    NoSave {
        /// The file's name.
        wanted: String,
        /// Names of the saves there are.
        available: Vec<String>,
    },
    /// Several saves, and no prefix that picks one.
    #[error("several saves lie there: {}", scvi::listed(names))]
    Several {
        /// Their names.
        names: Vec<String>,
    },
    /// A save of scvi-tools before 0.15, or of torch before 1.6.
    #[error("it is in an old format: {format}")]
    Legacy {
        /// Which one.
        format: &'static str,
    },
    /// The zip container is broken, or uses a feature that is not read here.
    #[error("{entry}: {problem}")]
    Container {
        /// The entry, or the container itself.
        entry: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The pickle is broken.
    #[error("data.pkl, byte {at}: {problem}")]
    Pickle {
        /// Where in the pickle.
        at: usize,
        /// What is wrong.
        problem: String,
    },
    /// An instruction of the pickle that the writers of saves do not use.
    #[error(
        "data.pkl, byte {at}: the pickle instruction {opcode} is not among those read here \
         (nothing was executed)"
    )]
    UnknownOpcode {
        /// Where in the pickle.
        at: usize,
        /// Its name, or its number.
        opcode: String,
    },
    /// A class, function or number type that is not among those read here.
    #[error("the save uses the {kind} '{name}', which is not read here (nothing was executed)")]
    Unknown {
        /// `class or function`, `dtype`, `storage`.
        kind: &'static str,
        /// Its full name.
        name: String,
    },
    /// More than a file of this size can honestly hold.
    #[error("{what} is beyond the limit of {limit}")]
    TooLarge {
        /// What was asked for.
        what: String,
        /// What is allowed.
        limit: String,
    },
    /// The parts of a save make no model here, or a model makes no save.
    #[error("no such model: {problem}")]
    Model {
        /// What is missing, or contradicts what.
        problem: String,
    },
    /// A part of the save has another type, shape or value than scvi-tools writes.
    #[error("{place}: expected {expected}, found {found}")]
    Structure {
        /// The part.
        place: String,
        /// What scvi-tools writes.
        expected: String,
        /// What the save holds.
        found: String,
    },
}

impl SaveError {
    /// Something of another kind than expected.
    pub(super) fn structure(
        place: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self::Structure { place: place.into(), expected: expected.into(), found: found.into() }
    }
}
