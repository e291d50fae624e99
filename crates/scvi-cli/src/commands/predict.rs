//! `scvi predict`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use scvi::data::CategoricalField;
use scvi::model::{Cells, PointEstimate, Predictions, predict};
use scvi_io::anndata::{Categorical, Extras, NewRows, Slot, UnsValue, check_copy};
use scvi_io::rows::RowSink;
use serde_json::{Map, Value};

use crate::args::{Common, PredictArgs, output_path};
use crate::copies::create_copy;
use crate::error::CliError;
use crate::input::{Prepared, cells_for, open_trained};
use crate::report::Report;
use crate::table_output::TableOutput;
use crate::watching::Tasks;

const LABEL: &str = "scanvi_prediction";
const PROBABILITY: &str = "scanvi_probability";
const PROBABILITIES: &str = "scanvi_probabilities";

pub fn run(args: &PredictArgs, common: &Common) -> Result<(), CliError> {
    let source = &args.source;
    let path = output_path(&args.output);
    let output = Output::check(path, &source.input, common)?;
    let mut model = open_trained(&source.model)?;
    let Some(labels) = model.meta.registry.labels.clone().filter(|_| model.meta.scanvi.is_some())
    else {
        let path = source.model.display().to_string();
        return Err(CliError::NoClassifier { model: path, class: model.meta.model_class });
    };
    let prepared = cells_for(&mut model, source, common)?;
    let prepared = prepared.keeping_dropped_cells(args.keep_dropped_cells);
    let module = model.scanvae().expect("a SCANVI is checked when it is opened");
    let data = prepared.dataset()?;
    let cells = Cells::all(&data, source.batch_size);
    let estimate = match args.no_use_posterior_mean {
        false => PointEstimate::Mean,
        true => PointEstimate::Sample { seed: common.seed },
    };
    let tasks = Tasks::new(common);
    let predictions =
        tasks.run("predicting labels", |watch| predict(&module, cells, estimate, watch))?;
    let result = Labelled::new(predictions, args.soft, labels, &prepared);
    output.write(&result, args.soft, &prepared, common)?;
    if matches!(output, Output::Table(TableOutput::Stdout)) {
        return Ok(());
    }
    let mut report = Report::default();
    report
        .add("cells", prepared.counts.n_cells())
        .dropped(&prepared.dropped)
        .add("labels", result.numbers())
        .add("seconds", tasks.seconds())
        .add("files", vec![path.display().to_string()]);
    report.print(common)
}

/// What is predicted, with the rows of outputs.
struct Labelled {
    /// The most probable label of each cell; none of those that were left out.
    labels: Categorical,
    /// Its probability: `(cells)`.
    best: Vec<f32>,
    /// Of every label, where they are asked for: `(cells, labels)`.
    probabilities: Vec<f32>,
}

impl Labelled {
    fn new(
        predictions: Predictions,
        soft: bool,
        field: CategoricalField,
        prepared: &Prepared,
    ) -> Self {
        let CategoricalField { mut categories, kind, .. } = field;
        // The last is that of unlabelled cells.
        categories.truncate(predictions.n_labels);
        let (codes, best): (Vec<u32>, Vec<f32>) = predictions.labels().unzip();
        let n_rows = prepared.output_names().len();
        let mut placed = vec![None; n_rows];
        match prepared.output_rows() {
            None => placed = codes.into_iter().map(Some).collect(),
            Some(rows) => rows.iter().zip(codes).for_each(|(&row, code)| placed[row] = Some(code)),
        }
        Self {
            labels: Categorical { codes: placed, categories, kind, ordered: false },
            best: prepared.in_output_rows(best),
            probabilities: match soft {
                true => prepared.in_output_rows(predictions.probabilities),
                false => Vec::new(),
            },
        }
    }

    /// How many cells have each label that any has.
    fn numbers(&self) -> Map<String, Value> {
        let mut cells = BTreeMap::<u32, usize>::new();
        self.labels.codes.iter().flatten().for_each(|&code| *cells.entry(code).or_default() += 1);
        let named = cells.into_iter();
        named.map(|(code, n)| (self.labels.categories[code as usize].clone(), n.into())).collect()
    }
}

/// Where predictions go.
enum Output {
    /// A copy of the input with the predictions added.
    Copy(PathBuf),
    Table(TableOutput),
}

impl Output {
    /// Reads the format off the ending, and makes sure that the file can be written.
    fn check(path: &Path, input: &Path, common: &Common) -> Result<Self, CliError> {
        if path.extension().is_some_and(|e| e == "h5ad" || e == "zarr") {
            check_copy(input, path, common.overwrite)?;
            return Ok(Self::Copy(path.to_owned()));
        }
        match TableOutput::check(path, common) {
            Err(CliError::Option { option, found, .. }) => {
                let range = "a file ending in .h5ad or .zarr, as the input, in .csv or .tsv, or -";
                Err(CliError::Option { option, found, range })
            }
            table => table.map(Self::Table),
        }
    }

    fn write(
        &self,
        result: &Labelled,
        soft: bool,
        prepared: &Prepared,
        common: &Common,
    ) -> Result<(), CliError> {
        match self {
            Self::Copy(path) => add_to_copy(path, result, soft, prepared, common),
            Self::Table(table) => write_table(table, result, soft, prepared, common),
        }
    }
}

/// A row per cell: its label and that one's probability, or with `soft` those of all labels.
fn write_table(
    table: &TableOutput,
    result: &Labelled,
    soft: bool,
    prepared: &Prepared,
    common: &Common,
) -> Result<(), CliError> {
    let Labelled { labels, best, probabilities } = result;
    let n_labels = labels.categories.len();
    // Nothing where there is none, which pandas reads as a missing value.
    let number = |p: &f32| if p.is_nan() { String::new() } else { p.to_string() };
    let columns: Vec<&str> = match soft {
        true => labels.categories.iter().map(String::as_str).collect(),
        false => vec![LABEL, PROBABILITY],
    };
    table.write(common, |csv| {
        csv.write_record(["cell"].into_iter().chain(columns))?;
        for (row, name) in prepared.output_names().iter().enumerate() {
            let name = std::iter::once(name.clone());
            match soft {
                true => {
                    let of_cell = &probabilities[row * n_labels..][..n_labels];
                    csv.write_record(name.chain(of_cell.iter().map(number)))?;
                }
                false => {
                    let label = labels.codes[row].map(|code| &labels.categories[code as usize]);
                    let label = label.cloned().unwrap_or_default();
                    csv.write_record(name.chain([label, number(&best[row])]))?;
                }
            }
        }
        Ok(())
    })
}

/// A copy of the input with label and probability in obs; with `soft` those of all labels in obsm,
/// whose columns uns names.
fn add_to_copy(
    path: &Path,
    result: &Labelled,
    soft: bool,
    prepared: &Prepared,
    common: &Common,
) -> Result<(), CliError> {
    let Labelled { labels, best, probabilities } = result;
    let all = NewRows { slot: Slot::Obsm, key: PROBABILITIES, columns: labels.categories.len() };
    let rows: Vec<NewRows> = soft.then_some(all).into_iter().collect();
    let key = format!("{PROBABILITIES}_columns");
    let uns = [(key.as_str(), UnsValue::Texts(labels.categories.clone()))];
    let extras = Extras {
        obs: &[(PROBABILITY, best)],
        labels: &[(LABEL, labels)],
        uns: if soft { &uns } else { &[] },
        ..Extras::default()
    };
    let mut file = Box::new(create_copy(prepared, path, &rows, extras, common.overwrite, common)?);
    if soft {
        file.append(0, probabilities)?;
    }
    Ok(file.finish()?)
}
