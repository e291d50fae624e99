//! All metadata of a store in one place, which anndata reads first.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::store::{ARRAY, ATTRS, GROUP, NODE, Version};
use super::write::{read_json, write_json};
use crate::IoError;

/// The file in version 2.
const ALL: &str = ".zmetadata";
/// The entry of the root's metadata in version 3.
const INLINE: &str = "consolidated_metadata";

/// Whether a store keeps all metadata in one place too.
pub(super) fn is_consolidated(root: &Path, version: Version) -> Result<bool, IoError> {
    match version {
        Version::Two => Ok(root.join(ALL).is_file()),
        Version::Three => Ok(read_json(&root.join(NODE))?.contains_key(INLINE)),
    }
}

/// Writes all metadata of a store to that place anew.
pub(super) fn consolidate(root: &Path, version: Version) -> Result<(), IoError> {
    let mut all = Map::new();
    collect(root, "", version, &mut all)?;
    match version {
        Version::Two => {
            let value = json!({"zarr_consolidated_format": 1, "metadata": all});
            write_json(&root.join(ALL), &value)
        }
        Version::Three => {
            let mut node = read_json(&root.join(NODE))?;
            let inline = json!({"kind": "inline", "must_understand": false, "metadata": all});
            node.insert(INLINE.to_owned(), inline);
            write_json(&root.join(NODE), &Value::Object(node))
        }
    }
}

/// Takes the metadata of every group and array at and below a folder.
fn collect(
    folder: &Path,
    place: &str,
    version: Version,
    all: &mut Map<String, Value>,
) -> Result<(), IoError> {
    let below = |name: &str| match place {
        "" => name.to_owned(),
        _ => format!("{place}/{name}"),
    };
    match version {
        Version::Two => {
            for name in [GROUP, ARRAY, ATTRS] {
                let file = folder.join(name);
                if file.is_file() {
                    all.insert(below(name), Value::Object(read_json(&file)?));
                }
            }
        }
        Version::Three if !place.is_empty() => {
            let mut node = read_json(&folder.join(NODE))?;
            node.remove(INLINE);
            all.insert(place.to_owned(), Value::Object(node));
        }
        Version::Three => {}
    }
    for entry in fs::read_dir(folder).map_err(|e| IoError::os("read", folder, e))? {
        let path = entry.map_err(|e| IoError::os("read", folder, e))?.path();
        let is_node = [GROUP, ARRAY, NODE].iter().any(|name| path.join(name).is_file());
        if let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|_| is_node) {
            collect(&path, &below(name), version, all)?;
        }
    }
    Ok(())
}
