//! No 10x `.h5` file makes the reader panic, hang, or take memory that the file does not justify; and
//! what is read is valid.

#![no_main]

use libfuzzer_sys::fuzz_target;
use scvi_fuzz::{Folder, read_sample};

fuzz_target!(|data: &[u8]| {
    let folder = Folder::create();
    read_sample(&folder.write("filtered_feature_bc_matrix.h5", data));
});
