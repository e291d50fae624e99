//! Hints about models.

use std::fs;

use serde_json::Value;

use crate::common::Folder;
use crate::common::saves::save;
use crate::files::folder;
use crate::walk::Walk;

pub fn walk(walk: &mut Walk) {
    let folder = folder();
    saves(walk);
    untrained(walk);
    crafted(walk, &folder);
    newer(walk, &folder);
}

fn saves(walk: &mut Walk) {
    let folder = Folder::new();
    let two = folder.path("two");
    fs::create_dir(&two).unwrap();
    for name in ["a_model.pt", "b_model.pt"] {
        fs::copy(save("default").join("model.pt"), two.join(name)).unwrap();
    }
    let convert = "scvi convert --model two --to native --output o";
    walk.provoke(&folder, convert, "`--model two/a_model.pt` or `--model two/b_model.pt`");
    walk.provoke(&folder, "scvi inspect two", "`scvi inspect two/a_model.pt`");
    crate::common::saves::write_data(&folder.path("x.h5ad"), |_, _| ());
    let map = "scvi map x.h5ad --reference two --model o --max-epochs 1";
    walk.provoke(&folder, map, "`--reference two/a_model.pt`");
    fs::create_dir(folder.path("old")).unwrap();
    fs::write(folder.path("old/model_params.pt"), "").unwrap();
    walk.provoke(&folder, "scvi inspect old", "SCVI.convert_legacy_save");
}

fn untrained(walk: &mut Walk) {
    let folder = crate::common::saves::folder();
    let save = save("untrained");
    folder.typed(&format!("scvi convert --model {} --to native --output m", save.display())).ok();
    walk.provoke(&folder, "scvi evaluate --model m data.h5ad", "`scvi train data.h5ad --batch-key");
    let map = "scvi map --reference m data.h5ad --model n";
    walk.provoke(&folder, map, "train it on its own cells first");
    // As a model that was saved between load_query_data and train.
    folder.typed("scvi train data.h5ad --model r --max-epochs 1 --n-hidden 4").ok();
    folder.typed("scvi map data.h5ad --reference r --model q --max-epochs 1").ok();
    edit_meta(&folder, "q", &|meta| meta["training"]["stop"] = "untrained".into());
    walk.provoke(&folder, "scvi evaluate --model q data.h5ad", "train it on the query");
}

/// Changes what a model folder says of its model.
fn edit_meta(folder: &Folder, model: &str, change: &dyn Fn(&mut Value)) {
    let path = folder.path(model).join("model.json");
    let mut meta: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut meta);
    fs::write(path, meta.to_string()).unwrap();
    fs::remove_file(folder.path(model).join("SHA256SUMS")).unwrap();
}

/// A save that calls a function which no save of scvi-tools calls.
fn crafted(walk: &mut Walk, folder: &Folder) {
    fs::write(folder.path("evil.pt"), container(b"cos\nsystem\n(S'true'\ntR.")).unwrap();
    walk.provoke(folder, "scvi inspect evil.pt", "if you trust the file");
}

/// A zip container with one entry, the pickle of a save, stored as it is.
fn container(pickle: &[u8]) -> Vec<u8> {
    let name = b"archive/data.pkl";
    let mut crc = flate2::Crc::new();
    crc.update(pickle);
    let size = (pickle.len() as u32).to_le_bytes();
    let mut shared = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    shared.extend(crc.sum().to_le_bytes());
    shared.extend(size);
    shared.extend(size);
    shared.extend((name.len() as u16).to_le_bytes());
    shared.extend([0, 0]);
    let mut zip = b"PK\x03\x04".to_vec();
    zip.extend(&shared);
    zip.extend(name);
    zip.extend(pickle);
    let directory = zip.len() as u32;
    zip.extend(b"PK\x01\x02\x14\x00");
    zip.extend(&shared);
    zip.extend([0; 14]);
    zip.extend(name);
    let length = zip.len() as u32 - directory;
    zip.extend(b"PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00");
    zip.extend(length.to_le_bytes());
    zip.extend(directory.to_le_bytes());
    zip.extend([0, 0]);
    zip
}

fn newer(walk: &mut Walk, folder: &Folder) {
    edit_meta(folder, "m", &|meta| meta["format_version"] = 99.into());
    walk.provoke(folder, "scvi inspect m", "a newer version");
}
