//! What differs between the binary interfaces of MPI.

use std::ffi::c_void;

use libloading::os::unix::Library;

/// A handle of MPI: a pointer, or in MPICH's interface an int, which is the lower half of it.
/// Functions that take an int read only that half of a register.
pub(crate) type Handle = usize;

/// Constants of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Family {
    /// MPI_COMM_WORLD.
    pub(crate) world: Handle,
    /// MPI_BYTE.
    pub(crate) byte: Handle,
    /// MPI_STATUS_IGNORE.
    pub(crate) status_ignore: usize,
    /// MPI_THREAD_SERIALIZED.
    pub(crate) serialized: i32,
}

/// MPICH's `mpi.h`.
const MPICH: Family =
    Family { world: 0x4400_0000, byte: 0x4c00_010d, status_ignore: 1, serialized: 2 };

/// MPI 5.0, chapter 20 and annex A.
const STANDARD: Family = Family { world: 0x101, byte: 0x247, status_ignore: 0, serialized: 2048 };

/// Libraries that are looked for: of the standard interface, of Open MPI and of MPICH. Where Open
/// MPI's launcher was at work, its own come first.
pub(crate) fn libraries(open_mpi_first: bool) -> Vec<&'static str> {
    let standard = ["libmpi_abi.so.1", "libmpi_abi.so.0"];
    let open_mpi = ["libmpi.so.40", "libmpi.so.80"];
    let mpich = ["libmpi.so.12", "libmpich.so.12", "libmpi_cray.so.12"];
    match open_mpi_first {
        true => open_mpi.into_iter().chain(standard).chain(mpich).collect(),
        false => standard.into_iter().chain(mpich).chain(open_mpi).collect(),
    }
}

impl Family {
    /// The interface of a library, by what it exports.
    pub(crate) fn of(library: &Library, name: &str) -> Self {
        let address = |symbol: &[u8]| {
            // SAFETY: only the symbol's address is taken, and nothing is read there.
            unsafe { library.get::<*mut c_void>(symbol) }.ok().map(|s| s.into_raw() as usize)
        };
        match [&b"ompi_mpi_comm_world\0"[..], b"ompi_mpi_byte\0"].map(address) {
            // Open MPI's handles are the addresses of its objects.
            [Some(world), Some(byte)] => Self { world, byte, status_ignore: 0, serialized: 2 },
            _ if name.contains("mpi_abi") => STANDARD,
            _ => MPICH,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_library_is_looked_for_once() {
        for first in [true, false] {
            let mut names = libraries(first);
            assert_eq!(names[0] == "libmpi.so.40", first);
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), 7);
        }
    }
}
