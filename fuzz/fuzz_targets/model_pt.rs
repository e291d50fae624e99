//! No `model.pt` makes the reader, or what makes a model of it, panic, hang, or take memory that the
//! file does not justify.

#![no_main]

use std::io::Write;

use libfuzzer_sys::fuzz_target;
use rawzip::ZipArchiveWriter;
use scvi_io::convert::from_scvi_tools;
use scvi_io::scvi_tools::ScviToolsSave;

/// A container around a pickle, with the checksum that lets it pass.
fn container(pickle: &[u8]) -> Option<Vec<u8>> {
    let mut zip = ZipArchiveWriter::new(Vec::new());
    for (name, data) in [("archive/data.pkl", pickle), ("archive/data/0", &[0; 64])] {
        let (mut entry, config) = zip.new_file(name).start().ok()?;
        let mut writer = config.wrap(&mut entry);
        writer.write_all(data).ok()?;
        let (_, sizes) = writer.finish().ok()?;
        entry.finish(sizes).ok()?;
    }
    zip.finish().ok()
}

fuzz_target!(|data: &[u8]| {
    if let Ok(save) = ScviToolsSave::from_bytes(data) {
        let _ = from_scvi_tools(save);
    }
    // The same bytes as a pickle: most changes of a container are caught by its checksums.
    let Some(bytes) = container(data) else { return };
    if let Ok(save) = ScviToolsSave::from_bytes(&bytes)
        && let Ok(written) = save.to_bytes()
    {
        let _ = ScviToolsSave::from_bytes(&written);
    }
});
