//! Names of cells as a sequencer's software gives them.

use std::collections::HashMap;
use std::path::Path;

use super::error::InputError;

/// Refuses a barcode that stands for two cells: every result would be ambiguous.
pub(super) fn check_unique(path: &Path, barcodes: &[String]) -> Result<(), InputError> {
    let mut times: HashMap<&str, usize> = HashMap::with_capacity(barcodes.len());
    barcodes.iter().for_each(|barcode| *times.entry(barcode).or_insert(0) += 1);
    match barcodes.iter().find(|barcode| times[barcode.as_str()] > 1) {
        None => Ok(()),
        Some(barcode) => Err(InputError::DuplicateBarcode {
            path: path.into(),
            barcode: barcode.clone(),
            found: times[barcode.as_str()],
        }),
    }
}
