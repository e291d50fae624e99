//! Workers of a training as processes of MPI ([`scvi::comm::Comm`]).
//!
//! MPI is found when a program runs, so that one program serves every MPI: Open MPI, MPICH and what
//! shares its binary interface (Intel MPI, MVAPICH, Cray), and the standard interface of MPI 5.
//! Only bytes are sent, by nine functions. It is looked for under the names that libraries have on
//! Linux; `SCVI_MPI` names others. On Windows this crate is empty.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use scvi::comm::{Comm, Solo};
//!
//! let comm: Arc<dyn Comm> = match scvi_mpi::connect()? {
//!     Some(mpi) => Arc::new(mpi),
//!     None => Arc::new(Solo),
//! };
//! # Ok::<(), scvi_mpi::MpiError>(())
//! ```

#![cfg(unix)]

mod error;
mod family;
mod functions;
mod launcher;
mod mpi;

pub use error::MpiError;
pub use mpi::Mpi;

/// This process among those that a launcher (`mpirun`, `srun`) started; none where it was started
/// alone, and MPI is not needed.
///
/// `SCVI_MPI` names the library where several are installed.
///
/// # Errors
/// [`MpiError`] where the launcher started several processes, and no MPI that knows of them is
/// found.
pub fn connect() -> Result<Option<Mpi>, MpiError> {
    match launcher::started(|name| std::env::var(name).ok()) {
        Some(processes) if processes > 1 => Mpi::open(processes).map(Some),
        _ => Ok(None),
    }
}
