//! No checkpoint makes the reader panic, hang, or take memory that the file does not justify.

#![no_main]

use libfuzzer_sys::fuzz_target;
use scvi_fuzz::Folder;
use scvi_io::checkpoint::{SavedRun, read_checkpoint};
use sha2::{Digest, Sha256};

fuzz_target!(|data: &[u8]| {
    let folder = Folder::create();
    let _: Result<SavedRun, _> = read_checkpoint(folder.write("m.checkpoint", data));
    // Once more with the checksum that lets it pass, which no fuzzer comes upon.
    let Some((rest, _)) = data.split_last_chunk::<32>() else { return };
    let summed = [rest, &Sha256::digest(rest)].concat();
    let _: Result<SavedRun, _> = read_checkpoint(folder.write("m.checkpoint", &summed));
});
