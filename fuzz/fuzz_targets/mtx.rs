//! No `matrix.mtx`, compressed or not, makes the reader of matrix folders panic, hang, or take memory
//! that the file does not justify; and what is read is valid.

#![no_main]

use libfuzzer_sys::fuzz_target;
use scvi_fuzz::{Folder, read_sample};

fuzz_target!(|data: &[u8]| {
    let folder = Folder::create();
    folder.write("barcodes.tsv", b"AAAC-1\nAAAG-1\nAAAT-1\n");
    folder.write("genes.tsv", b"ENSG1\tCD3E\nENSG2\tMT-CO1\nENSG3\tCD3E\nENSG4\tB\n");
    folder.write("matrix.mtx", data);
    read_sample(folder.path());
});
