//! No file of a model folder makes the reader panic, hang, or take memory that the file does not
//! justify: each input takes the place of each file of an intact folder.

#![no_main]

use libfuzzer_sys::fuzz_target;
use scvi_fuzz::Folder;
use scvi_io::SavedModel;

macro_rules! golden {
    ($name:literal) => {
        include_bytes!(concat!("../../crates/scvi-io/tests/data/model_format_2/", $name))
    };
}
/// A whole folder (tests/data of scvi-io).
const FILES: [(&str, &[u8]); 4] = [
    ("model.json", golden!("model.json")),
    ("model.safetensors", golden!("model.safetensors")),
    ("history.csv", golden!("history.csv")),
    ("SHA256SUMS", golden!("SHA256SUMS")),
];

fuzz_target!(|data: &[u8]| {
    for (replaced, _) in FILES {
        let folder = Folder::create();
        for (name, intact) in FILES {
            // With the sums, no changed file would be read.
            if name == replaced {
                folder.write(name, data);
            } else if name != "SHA256SUMS" {
                folder.write(name, intact);
            }
        }
        let _ = SavedModel::load(folder.path());
    }
});
