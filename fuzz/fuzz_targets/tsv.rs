//! No table of features or barcodes, and no list of samples, makes its reader panic, hang, or take
//! memory that the file does not justify; and what is read is valid.

#![no_main]

use libfuzzer_sys::fuzz_target;
use scvi_fuzz::{Folder, read_sample};
use scvi_io::inputs::read_sample_sheet;

const MATRIX: &[u8] = b"%%MatrixMarket matrix coordinate integer general\n2 2 2\n1 1 5\n2 2 7\n";

fuzz_target!(|data: &[u8]| {
    for replaced in ["barcodes.tsv", "features.tsv"] {
        let folder = Folder::create();
        folder.write("matrix.mtx", MATRIX);
        folder.write("barcodes.tsv", b"AAAC-1\nAAAG-1\n");
        folder.write("features.tsv", b"ENSG1\tA\tGene Expression\nENSG2\tB\tGene Expression\n");
        folder.write(replaced, data);
        read_sample(folder.path());
    }
    let folder = Folder::create();
    let _ = read_sample_sheet(&folder.write("samples.csv", data));
});
