//! What to do about 10x matrices, and about several inputs.

use scvi_io::inputs::InputError;

use crate::call::Call;
use crate::hint::one_of;
use crate::options::quoted;

/// What to do about the files of a sample.
pub fn of_input(error: &InputError, call: &Call) -> Option<String> {
    let hint = match error {
        InputError::RawMatrix { filtered: Some(filtered), .. } => format!(
            "give {}, which holds the cells; `--allow-raw-matrix` reads all barcodes",
            filtered.display()
        ),
        InputError::RawMatrix { filtered: None, .. } => {
            "give the filtered matrix; `--allow-raw-matrix` reads all barcodes".to_owned()
        }
        InputError::SeveralGenomes { genomes, .. } => {
            let genomes = genomes.iter().map(|genome| format!("--genome {}", quoted(genome)));
            format!("name one of them: {}", one_of(genomes))
        }
        InputError::SameName { .. } => {
            "give each input a name of its own with `--batch-name`".to_owned()
        }
        InputError::FewSharedGenes { .. } => {
            let other = if call.value("gene-names") == Some("id") { "symbol" } else { "id" };
            format!("take other names of the genes of 10x matrices: `--gene-names {other}`")
        }
        error => return error.hint(),
    };
    Some(hint)
}
