//! Samples in the forms in which laboratories have them, for `scvi_rs.data.read_inputs`.

use std::path::PathBuf;

use pyo3::prelude::*;
use scvi::data::MatrixKey;
use scvi_io::inputs::{
    GeneNames, Input, InputError, Join, JoinOptions, NamedSample, SampleOptions, list_inputs,
    write_joined,
};

use crate::error::{EngineError, value_error};
use crate::supervise::run;

/// How inputs are read and joined, as a dictionary.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct InputOptions {
    batch_key: String,
    batch_names: Vec<String>,
    join: String,
    gene_names: String,
    genome: Option<String>,
    layer: Option<String>,
    allow_raw_matrix: bool,
}

impl InputOptions {
    fn join(&self) -> PyResult<Join> {
        match self.join.as_str() {
            "inner" => Ok(Join::Inner),
            "outer" => Ok(Join::Outer),
            other => Err(value_error(format!("join is '{other}'; expected inner or outer"))),
        }
    }

    fn sample(&self) -> PyResult<SampleOptions> {
        let gene_names = match self.gene_names.as_str() {
            "symbol" => GeneNames::Symbol,
            "id" => GeneNames::Id,
            other => {
                return Err(value_error(format!("gene_names is '{other}'; expected symbol or id")));
            }
        };
        let (genome, allow_raw_matrix) = (self.genome.clone(), self.allow_raw_matrix);
        Ok(SampleOptions { gene_names, genome, allow_raw_matrix })
    }
}

/// What inputs are: one AnnData where it lies, or a file to which they were joined; with the
/// feature types that were left out of them.
type Found = (PathBuf, Vec<(String, String, usize)>);

/// Joins inputs to the file `output`, unless they are one AnnData. Gives where the AnnData is, and
/// for each input and feature type that is no gene how many were left out.
#[pyfunction]
pub fn join_inputs(
    py: Python<'_>,
    inputs: Vec<PathBuf>,
    output: PathBuf,
    options: InputOptions,
) -> PyResult<Found> {
    let (join, sample_options) = (options.join()?, options.sample()?);
    let work = || -> Result<Found, InputError> {
        let listed = list_inputs(&inputs, &options.batch_names)?;
        if let [only] = &listed[..]
            && only.columns.is_empty()
            && options.batch_names.is_empty()
            && let Input::AnnData(path) = Input::open(&only.path, &sample_options)?
        {
            return Ok((path, Vec::new()));
        }
        let has_label = listed.len() > 1 || !options.batch_names.is_empty();
        let samples = listed.into_iter().map(|input| {
            input.open(&sample_options, |file, _| match &options.layer {
                None => Ok(MatrixKey::X),
                Some(layer) => file.matrix_named(layer).map_err(InputError::from),
            })
        });
        let samples = samples.collect::<Result<Vec<NamedSample>, InputError>>()?;
        let left_out = samples.iter().flat_map(|named| {
            let left_out = named.sample.left_out().iter();
            left_out.map(|(kind, n)| (named.name.clone(), kind.clone(), *n))
        });
        let left_out = left_out.collect();
        let label = has_label.then(|| options.batch_key.clone());
        write_joined(samples, &JoinOptions { join, label }, &output, false)?;
        Ok((output, left_out))
    };
    run(py, work)?.map_err(|error| advised(&error).into())
}

/// The error with what can be done about it by an argument of `read_inputs`.
fn advised(error: &InputError) -> EngineError {
    let advice = match error {
        InputError::RawMatrix { filtered: Some(filtered), .. } => {
            let filtered = filtered.display();
            format!(
                "give {filtered}, which has the cells; allow_raw_matrix=True reads all barcodes"
            )
        }
        InputError::RawMatrix { filtered: None, .. } => {
            "give the filtered matrix; allow_raw_matrix=True reads all barcodes".to_owned()
        }
        InputError::SeveralGenomes { genomes, .. } => {
            format!("name one of them: genome={:?}", genomes[0])
        }
        InputError::SameName { .. } => "give each a name with batch_names=[...]".to_owned(),
        InputError::FewSharedGenes { .. } => {
            "gene_names=\"id\" or \"symbol\" takes other names of the genes of 10x matrices"
                .to_owned()
        }
        error => match error.hint() {
            Some(hint) => hint,
            None => return EngineError::with_message("FileError", &error.to_string()),
        },
    };
    EngineError::with_message("FileError", &format!("{error}; {advice}"))
}
