//! A process of MPI as a worker.

use std::ffi::{c_int, c_void};
use std::fmt;
use std::thread;

use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
use scvi::comm::Comm;

use crate::error::MpiError;
use crate::family::{Family, Handle, libraries};
use crate::functions::Functions;

/// The longest message: MPI counts in ints.
const MESSAGE: usize = 1 << 30;
/// Tag of all messages: MPI keeps those of one sender in order.
const TAG: c_int = 0;
/// Length that no version of an MPI library exceeds (MPI_MAX_LIBRARY_VERSION_STRING is at most 8192).
const VERSION: usize = 1 << 14;

/// One process of a job of MPI. Others end with it: if it is dropped while its thread panics, the
/// whole job is aborted.
pub struct Mpi {
    functions: Functions,
    family: Family,
    rank: usize,
    size: usize,
    version: String,
}

impl fmt::Debug for Mpi {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Mpi({} of {}, {})", self.rank, self.size, self.version)
    }
}

impl Mpi {
    /// Opens MPI in one of several processes.
    pub(crate) fn open(processes: usize) -> Result<Self, MpiError> {
        let named = std::env::var("SCVI_MPI").ok();
        let by_open_mpi = std::env::var_os("OMPI_COMM_WORLD_SIZE").is_some();
        let names = match &named {
            Some(name) => vec![&name[..]],
            None => libraries(by_open_mpi),
        };
        let mut tried = Vec::new();
        for name in names {
            // SAFETY: an MPI library may be loaded by any program; what it runs on loading is its own
            // initialisation. RTLD_GLOBAL, because Open MPI loads parts of itself that look for it.
            match unsafe { Library::open(Some(name), RTLD_NOW | RTLD_GLOBAL) } {
                Ok(library) => return Self::start(library, name, processes),
                Err(error) => tried.push(format!("{name} ({error})")),
            }
        }
        Err(MpiError::NotFound { processes, tried: tried.join(", ") })
    }

    fn start(library: Library, name: &str, processes: usize) -> Result<Self, MpiError> {
        let functions = Functions::of(&library, name)?;
        let family = Family::of(&library, name);
        // It stays loaded to the end of the process: what it has registered to run then lies in it.
        let _ = library.into_raw();
        let check = |function, code| match code {
            0 => Ok(()),
            _ => Err(MpiError::Start { library: name.to_owned(), function, code }),
        };
        let (no_arguments, none) = (std::ptr::null_mut(), std::ptr::null_mut());
        let (mut threads, mut rank, mut size) = (0, 0, 0);
        // SAFETY: MPI 2 and later take null for the arguments of the program.
        let code =
            unsafe { (functions.init_thread)(no_arguments, none, family.serialized, &mut threads) };
        check("MPI_Init_thread", code)?;
        // SAFETY: MPI has been initialised, and each pointer is to an int.
        let codes = unsafe {
            let rank = (functions.comm_rank)(family.world, &mut rank);
            [rank, (functions.comm_size)(family.world, &mut size)]
        };
        check("MPI_Comm_rank", codes[0])?;
        check("MPI_Comm_size", codes[1])?;
        let version = version(&functions);
        let (rank, size) = (rank as usize, size as usize);
        let mpi = Self { functions, family, rank, size, version };
        if threads < family.serialized {
            return Err(MpiError::Threads { library: name.to_owned() });
        }
        if size == 1 && processes > 1 {
            let (library, version) = (name.to_owned(), mpi.version.clone());
            return Err(MpiError::Launcher { processes, library, version });
        }
        Ok(mpi)
    }

    /// What the library calls itself.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Ends the processes of the whole job.
    pub fn abort(&self, code: i32) -> ! {
        // SAFETY: MPI has been initialised and not finalised.
        unsafe { (self.functions.abort)(self.family.world, code) };
        std::process::abort()
    }

    /// Ends the job where a function failed: messages may be under way into memory that only this
    /// call keeps.
    fn check(&self, function: &str, code: c_int) {
        if code != 0 {
            eprintln!("error: {function} failed with code {code}");
            self.abort(1);
        }
    }

    fn send(&self, bytes: &[u8], to: usize, requests: &mut Vec<Handle>) {
        for part in bytes.chunks(MESSAGE) {
            let (from, n, mut request) = (part.as_ptr().cast(), part.len() as c_int, 0);
            let Family { world, byte, .. } = self.family;
            // SAFETY: `exchange` keeps the bytes until the request is complete; `request` is large
            // enough for a handle of either kind.
            let code = unsafe {
                (self.functions.isend)(from, n, byte, to as c_int, TAG, world, &mut request)
            };
            self.check("MPI_Isend", code);
            requests.push(request);
        }
    }

    fn receive(&self, bytes: &mut [u8], from: usize, requests: &mut Vec<Handle>) {
        for part in bytes.chunks_mut(MESSAGE) {
            let (to, n, mut request) = (part.as_mut_ptr().cast(), part.len() as c_int, 0);
            let Family { world, byte, .. } = self.family;
            // SAFETY: as in `send`; nothing else looks at the bytes before the request is complete.
            let code = unsafe {
                (self.functions.irecv)(to, n, byte, from as c_int, TAG, world, &mut request)
            };
            self.check("MPI_Irecv", code);
            requests.push(request);
        }
    }

    fn wait(&self, mut request: Handle) {
        let ignore = self.family.status_ignore as *mut c_void;
        // SAFETY: the request is one of `send` or `receive`, and is waited for once.
        let code = unsafe { (self.functions.wait)(&mut request, ignore) };
        self.check("MPI_Wait", code);
    }
}

/// The first line of the library's name.
fn version(functions: &Functions) -> String {
    let (mut text, mut len) = (vec![0_u8; VERSION], 0);
    // SAFETY: the text is as long as any version's.
    unsafe { (functions.library_version)(text.as_mut_ptr().cast(), &mut len) };
    let text = String::from_utf8_lossy(&text[..(len.max(0) as usize).min(VERSION)]).into_owned();
    text.split(['\n', ',', '\0']).next().unwrap_or_default().trim().to_owned()
}

impl Comm for Mpi {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn exchange(&self, sent: &[&[u8]], received: &mut [&mut [u8]]) {
        let mut requests = Vec::with_capacity(2 * self.size);
        for (from, bytes) in received.iter_mut().enumerate() {
            match from == self.rank {
                true => bytes.copy_from_slice(sent[from]),
                false => self.receive(bytes, from, &mut requests),
            }
        }
        for (to, bytes) in sent.iter().enumerate().filter(|(to, _)| *to != self.rank) {
            self.send(bytes, to, &mut requests);
        }
        requests.into_iter().for_each(|request| self.wait(request));
    }
}

impl Drop for Mpi {
    fn drop(&mut self) {
        if thread::panicking() {
            self.abort(1);
        }
        // SAFETY: MPI has been initialised, and no message is under way.
        unsafe { (self.functions.finalize)() };
    }
}
