//! Writes the zip container, as torch lays it out.

use std::io::{self, Write};

use rawzip::extra_fields::ExtraFieldId;
use rawzip::{Error, Header, ZipArchiveWriter};

/// The folder inside the container.
const ROOT: &str = "archive";
/// Version of torch's format: since torch 1.6.
const VERSION: &[u8] = b"3\n";
/// Bytes to which torch aligns each entry, so that storages can be mapped into memory.
const ALIGNMENT: u64 = 64;
/// Bytes of a local header before the name.
const HEADER: u64 = 30;
/// torch's mark for the padding that aligns entries: "FB".
const PADDING: ExtraFieldId = ExtraFieldId::new(0x4246);

/// Writes the pickle and the storages beside it.
pub(super) fn write(out: impl Write, pickle: &[u8], storages: &[Vec<u8>]) -> io::Result<()> {
    let mut zip = ZipArchiveWriter::new(out);
    entry(&mut zip, "data.pkl", pickle)?;
    entry(&mut zip, "byteorder", b"little")?;
    for (key, bytes) in storages.iter().enumerate() {
        entry(&mut zip, &format!("data/{key}"), bytes)?;
    }
    entry(&mut zip, "version", VERSION)?;
    zip.finish().map_err(io::Error::other)?.flush()
}

fn entry<W: Write>(zip: &mut ZipArchiveWriter<W>, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut put = || -> Result<(), Error> {
        let name = format!("{ROOT}/{name}");
        // Four bytes say what the padding is and how long.
        let start = zip.stream_offset() + HEADER + name.len() as u64 + 4;
        let padding = vec![b'Z'; (start.next_multiple_of(ALIGNMENT) - start) as usize];
        let file = zip.new_file(name.as_str()).extra_field(PADDING, &padding, Header::LOCAL)?;
        let (mut entry, config) = file.start()?;
        let mut writer = config.wrap(&mut entry);
        writer.write_all(bytes)?;
        let (_, sizes) = writer.finish()?;
        entry.finish(sizes)?;
        Ok(())
    };
    put().map_err(io::Error::other)
}
