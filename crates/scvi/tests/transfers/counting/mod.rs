//! A backend that counts what passes between host and device, and forwards everything to another.

mod convert;
mod heads;
mod labels;
mod layers;
mod leaves;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use scvi::Backend;
use scvi_kernels::{CsrRows, Device};

/// A backend with what was counted; copies count together.
#[derive(Clone, Default)]
pub struct Counting<B> {
    inner: B,
    counters: Arc<Counters>,
}

#[derive(Default)]
struct Counters {
    allocations: AtomicUsize,
    uploads: AtomicUsize,
    downloads: AtomicUsize,
    host_sums: AtomicUsize,
}

/// How often something happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Transfers {
    /// Device memory that was asked for.
    pub allocations: usize,
    /// From host to device.
    pub uploads: usize,
    /// From device to host, number by number.
    pub downloads: usize,
    /// Numbers that the host learns of a buffer: a sum, or whether all is finite.
    pub host_sums: usize,
}

impl<B> Counting<B> {
    /// What was counted since the last call.
    pub fn take(&self) -> Transfers {
        let Counters { allocations, uploads, downloads, host_sums } = &*self.counters;
        let take = |counter: &AtomicUsize| counter.swap(0, Ordering::Relaxed);
        Transfers {
            allocations: take(allocations),
            uploads: take(uploads),
            downloads: take(downloads),
            host_sums: take(host_sums),
        }
    }

    fn allocates(&self) -> &B {
        self.counters.allocations.fetch_add(1, Ordering::Relaxed);
        &self.inner
    }

    fn uploads(&self) -> &B {
        self.counters.uploads.fetch_add(1, Ordering::Relaxed);
        &self.inner
    }

    fn downloads(&self) -> &B {
        self.counters.downloads.fetch_add(1, Ordering::Relaxed);
        &self.inner
    }

    fn host_sums(&self) -> &B {
        self.counters.host_sums.fetch_add(1, Ordering::Relaxed);
        &self.inner
    }
}

impl<B: Backend> Device for Counting<B> {
    type Elem = B::Elem;
    type Buf = B::Buf;
    type Ids = B::Ids;
    type Counts = B::Counts;

    fn zeros(&self, len: usize) -> B::Buf {
        self.allocates().zeros(len)
    }

    fn upload(&self, buf: &mut B::Buf, values: &[B::Elem]) {
        self.uploads().upload(buf, values);
    }

    fn copy(&self, from: &B::Buf, to: &mut B::Buf, len: usize) {
        self.inner.copy(from, to, len);
    }

    fn add(&self, from: &B::Buf, to: &mut B::Buf, len: usize) {
        self.inner.add(from, to, len);
    }

    fn download(&self, buf: &B::Buf, len: usize) -> Vec<B::Elem> {
        self.downloads().download(buf, len)
    }

    fn sum(&self, buf: &B::Buf, len: usize) -> f64 {
        self.host_sums().sum(buf, len)
    }

    fn is_finite(&self, buf: &B::Buf, len: usize) -> bool {
        self.host_sums().is_finite(buf, len)
    }

    fn ids(&self, len: usize) -> B::Ids {
        self.allocates().ids(len)
    }

    fn upload_ids(&self, ids: &mut B::Ids, values: &[u32]) {
        self.uploads().upload_ids(ids, values);
    }

    fn counts(&self, dims: [usize; 3], by_gene: bool) -> B::Counts {
        self.allocates().counts(dims, by_gene)
    }

    fn load_counts(&self, counts: &mut B::Counts, rows: &CsrRows, log_variational: bool) {
        self.uploads().load_counts(counts, rows, log_variational);
    }

    fn library<'a>(&self, counts: &'a B::Counts) -> &'a B::Buf {
        self.inner.library(counts)
    }
}
