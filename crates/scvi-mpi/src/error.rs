//! What may go wrong on the way to the other processes.

use thiserror::Error;

/// MPI could not be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MpiError {
    /// No library was found.
    #[error(
        "a launcher started {processes} processes, but no MPI library was found: {tried}; load the \
         module of the launcher's MPI, or name its library in SCVI_MPI"
    )]
    NotFound {
        /// Processes that were started.
        processes: usize,
        /// Libraries that were looked for, and why each could not be loaded.
        tried: String,
    },
    /// The library is not an MPI.
    #[error("{library} lacks {name}: it is not an MPI library that can be used")]
    Lacks {
        /// The library.
        library: String,
        /// The function or constant.
        name: &'static str,
    },
    /// MPI did not start.
    #[error("{library}: {function} failed with code {code}")]
    Start {
        /// The library.
        library: String,
        /// The function.
        function: &'static str,
        /// What it returned.
        code: i32,
    },
    /// MPI cannot be called from the threads of a training.
    #[error(
        "{library} was built without support for threads (MPI_THREAD_SERIALIZED), which is needed"
    )]
    Threads {
        /// The library.
        library: String,
    },
    /// Launcher and library do not belong together.
    #[error(
        "a launcher started {processes} processes, but {library} ({version}) sees only 1: launcher \
         and library are of different MPIs; start with that library's mpirun, or name the \
         launcher's library in SCVI_MPI"
    )]
    Launcher {
        /// Processes that were started.
        processes: usize,
        /// The library.
        library: String,
        /// What it calls itself.
        version: String,
    },
}
