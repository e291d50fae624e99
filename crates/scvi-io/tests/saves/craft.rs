//! Builds saves by hand: containers around given pickles, and pickles from given parts.

use std::io::{Read, Write};

use rawzip::{CompressionMethod, ZipArchive, ZipArchiveWriter};

/// A container with these entries, stored as they are.
pub fn container(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipArchiveWriter::new(Vec::new());
    for (name, data) in entries {
        let (mut entry, config) = zip.new_file(*name).start().unwrap();
        let mut writer = config.wrap(&mut entry);
        writer.write_all(data).unwrap();
        let (_, sizes) = writer.finish().unwrap();
        entry.finish(sizes).unwrap();
    }
    zip.finish().unwrap()
}

/// The entries of a container, unpacked.
pub fn entries(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let zip = ZipArchive::from_slice(bytes).unwrap();
    zip.entries()
        .map(|record| {
            let record = record.unwrap();
            let name = String::from_utf8(record.file_path().as_bytes().to_vec()).unwrap();
            let mut data = zip.get_entry(record.wayfinder()).unwrap().data().to_vec();
            if record.compression_method() == CompressionMethod::DEFLATE {
                let packed = std::mem::take(&mut data);
                flate2::read::DeflateDecoder::new(&packed[..]).read_to_end(&mut data).unwrap();
            }
            (name, data)
        })
        .collect()
}

/// A save whose attribute `payload_` is this piece of a pickle.
pub fn save_with(payload: &[u8]) -> Vec<u8> {
    let mut pickle = b"\x80\x02}(".to_vec();
    for part in [&text("model_state_dict")[..], b"}", &text("var_names"), b"]", &text("attr_dict")]
    {
        pickle.extend(part);
    }
    pickle.extend(b"}(");
    pickle.extend(text("registry_"));
    pickle.extend(b"}");
    pickle.extend(text("payload_"));
    pickle.extend(payload);
    pickle.extend(b"uu.");
    container(&[("archive/data.pkl", &pickle), ("archive/data/0", &[0; 16])])
}

/// A text in a pickle.
pub fn text(text: &str) -> Vec<u8> {
    let mut bytes = vec![b'X'];
    bytes.extend((text.len() as u32).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes
}

/// A whole number in a pickle.
pub fn int(n: i64) -> Vec<u8> {
    let mut bytes = vec![0x8a, 8];
    bytes.extend(n.to_le_bytes());
    bytes
}

/// Parts end to end.
pub fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// A call in a pickle: `module.name(*args)`.
pub fn call(module: &str, name: &str, args: &[u8]) -> Vec<u8> {
    join(&[format!("c{module}\n{name}\n(").as_bytes(), args, b"tR"])
}
