//! Files: AnnData's `.h5ad` in and out, and the native model folder.
