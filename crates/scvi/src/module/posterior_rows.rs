//! Stored posteriors of minified cells, on the host and on the device.

use scvi_kernels::{Backend, Real};

/// Stored posteriors of some cells.
#[derive(Debug, Clone, Copy)]
pub struct StoredPosterior<'a, F> {
    /// Means: `(cells, n_latent)`.
    pub qz_m: &'a [F],
    /// Variances: `(cells, n_latent)`.
    pub qz_v: &'a [F],
    /// Library sizes Σ_g x, in counts: `(cells)`.
    pub observed_lib_size: &'a [F],
}

/// Stored posteriors, refilled in place.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PosteriorRows<F> {
    /// Means: `(cells, n_latent)`.
    pub qz_m: Vec<F>,
    /// Variances: `(cells, n_latent)`.
    pub qz_v: Vec<F>,
    /// Library sizes Σ_g x, in counts: `(cells)`.
    pub observed_lib_size: Vec<F>,
}

impl<F: Copy> PosteriorRows<F> {
    /// Those of the given cells, in their order.
    ///
    /// # Panics
    /// If a cell is none of these.
    pub fn select(&self, cells: &[usize]) -> Self {
        let width = self.qz_m.len() / self.observed_lib_size.len().max(1);
        let rows = |values: &[F], width: usize| {
            cells.iter().flat_map(|&cell| values[cell * width..][..width].to_vec()).collect()
        };
        Self {
            qz_m: rows(&self.qz_m, width),
            qz_v: rows(&self.qz_v, width),
            observed_lib_size: rows(&self.observed_lib_size, 1),
        }
    }
}

impl<F> PosteriorRows<F> {
    /// The lists, where there are any.
    pub fn borrow(&self) -> Option<StoredPosterior<'_, F>> {
        let Self { qz_m, qz_v, observed_lib_size } = self;
        (!observed_lib_size.is_empty()).then_some(StoredPosterior { qz_m, qz_v, observed_lib_size })
    }
}

impl StoredPosterior<'_, f32> {
    /// Takes the lists to the device, through `numbers` on the host.
    ///
    /// # Panics
    /// If they do not fit the minibatch.
    pub(super) fn load<B: Backend>(
        &self,
        backend: &B,
        to: &mut StoredInputs<B>,
        [cells, n_latent]: [usize; 2],
        numbers: &mut Vec<B::Elem>,
    ) {
        let Self { qz_m, qz_v, observed_lib_size } = self;
        assert_eq!((qz_m.len(), qz_v.len()), (cells * n_latent, cells * n_latent), "posteriors");
        assert_eq!(observed_lib_size.len(), cells, "one library size a cell");
        let mut upload = |buf: &mut B::Buf, values: &[f32], of: fn(B::Elem) -> B::Elem| {
            numbers.clear();
            numbers.extend(values.iter().map(|&v| of(B::Elem::of(f64::from(v)))));
            backend.upload(buf, numbers);
        };
        upload(&mut to.mean, qz_m, |v| v);
        upload(&mut to.var, qz_v, |v| v);
        upload(&mut to.library, observed_lib_size, Real::ln);
    }
}

/// Stored posteriors of a minibatch on the device.
pub(super) struct StoredInputs<B: Backend> {
    pub(super) mean: B::Buf,    // (cells, n_latent)
    pub(super) var: B::Buf,     // (cells, n_latent)
    pub(super) library: B::Buf, // (cells), logarithms
}
