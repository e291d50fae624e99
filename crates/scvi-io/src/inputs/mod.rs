//! Samples as laboratories have them: 10x matrices, several files, lists of samples.
//!
//! An input that is one AnnData is used where it lies. Whatever else is given becomes one: samples
//! are [joined](write_joined) to an `.h5ad` file, which every reader of cells then reads as any other.
//!
//! | input | how it is known |
//! |---|---|
//! | `.h5` of Cell Ranger 2, 3 and later | groups `matrix`, or one for each genome |
//! | matrix folder | `matrix.mtx`, `barcodes.tsv`, `features.tsv` or `genes.tsv`, with `.gz` or not |
//! | folder of Cell Ranger | `outs/filtered_feature_bc_matrix.h5` or the folder of that name |
//! | `.h5mu` | its modality `rna` |

mod barcodes;
mod columns;
mod error;
mod features;
mod genes;
mod join;
mod listed_input;
mod locate;
mod mtx;
mod natural_order;
mod open;
mod sample;
mod sample_sheet;
mod tenx_h5;
mod text_file;
mod unique_names;

pub use error::InputError;
pub use features::GeneNames;
pub use genes::Join;
pub use join::{JoinOptions, Joined, NamedSample, write_joined};
pub use listed_input::{ListedInput, list_inputs};
pub use locate::sample_name;
pub use open::OpenedInput;
pub use sample::{Input, Sample, SampleOptions};
pub use sample_sheet::read_sample_sheet;
