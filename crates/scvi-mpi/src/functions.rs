//! The functions of MPI that are called.

use std::ffi::{c_char, c_int, c_void};

use libloading::os::unix::Library;

use crate::error::MpiError;
use crate::family::Handle;

type Send =
    unsafe extern "C" fn(*const c_void, c_int, Handle, c_int, c_int, Handle, *mut Handle) -> c_int;
type Receive =
    unsafe extern "C" fn(*mut c_void, c_int, Handle, c_int, c_int, Handle, *mut Handle) -> c_int;

/// Pointers into a library, which must stay loaded.
pub(crate) struct Functions {
    pub(crate) init_thread:
        unsafe extern "C" fn(*mut c_int, *mut c_void, c_int, *mut c_int) -> c_int,
    pub(crate) comm_rank: unsafe extern "C" fn(Handle, *mut c_int) -> c_int,
    pub(crate) comm_size: unsafe extern "C" fn(Handle, *mut c_int) -> c_int,
    pub(crate) library_version: unsafe extern "C" fn(*mut c_char, *mut c_int) -> c_int,
    pub(crate) isend: Send,
    pub(crate) irecv: Receive,
    pub(crate) wait: unsafe extern "C" fn(*mut Handle, *mut c_void) -> c_int,
    pub(crate) abort: unsafe extern "C" fn(Handle, c_int) -> c_int,
    pub(crate) finalize: unsafe extern "C" fn() -> c_int,
}

impl Functions {
    /// Finds them.
    ///
    /// # Errors
    /// [`MpiError::Lacks`] names the first that is missing.
    pub(crate) fn of(library: &Library, name: &str) -> Result<Self, MpiError> {
        macro_rules! function {
            ($symbol:literal) => {{
                // SAFETY: the type is that of this function in the MPI standard, with handles as
                // pointers or, in MPICH's interface, as ints in the lower half of a register.
                let found = unsafe { library.get(concat!($symbol, "\0").as_bytes()) };
                let lacks = |_| MpiError::Lacks { library: name.to_owned(), name: $symbol };
                *found.map_err(lacks)?
            }};
        }
        Ok(Self {
            init_thread: function!("MPI_Init_thread"),
            comm_rank: function!("MPI_Comm_rank"),
            comm_size: function!("MPI_Comm_size"),
            library_version: function!("MPI_Get_library_version"),
            isend: function!("MPI_Isend"),
            irecv: function!("MPI_Irecv"),
            wait: function!("MPI_Wait"),
            abort: function!("MPI_Abort"),
            finalize: function!("MPI_Finalize"),
        })
    }
}
