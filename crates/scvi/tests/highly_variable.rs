//! Genes chosen from counts, against scanpy.

use std::path::Path;

use safetensors::{SafeTensors, tensor::TensorView};
use scvi::data::{CategoricalField, CategoryKind, CsrMatrix};
use scvi::preprocess::{
    Batches, Flavor, GeneColumn, GeneSelection, GeneSelectionError, HighlyVariable,
    highly_variable_genes,
};

const N_TOP_GENES: usize = 60;
const FLAVORS: [Flavor; 3] = [Flavor::seurat_v3(), Flavor::pearson_residuals(), Flavor::CellRanger];

struct Fixture(Vec<u8>);

impl Fixture {
    fn read() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reference/fixtures_genes");
        Self(std::fs::read(folder.join("highly_variable.safetensors")).unwrap())
    }

    fn names(&self, under: &str) -> Vec<String> {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let names = file.names().into_iter().filter_map(|name| name.strip_prefix(under));
        names.map(str::to_owned).collect()
    }

    fn numbers(&self, name: &str) -> Vec<f64> {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let view: TensorView = file.tensor(name).unwrap();
        let data = view.data();
        match view.dtype() {
            safetensors::Dtype::F32 => data
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes(b.try_into().unwrap()).into())
                .collect(),
            safetensors::Dtype::I64 => data
                .chunks_exact(8)
                .map(|b| i64::from_le_bytes(b.try_into().unwrap()) as f64)
                .collect(),
            _ => data.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect(),
        }
    }

    fn counts(&self) -> CsrMatrix {
        let (x, n_cells) = (self.numbers("x"), self.numbers("batch").len());
        let n_genes = x.len() / n_cells;
        let (mut indptr, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
        for row in x.chunks_exact(n_genes) {
            let stored = row.iter().enumerate().filter(|(_, v)| **v != 0.0);
            for (gene, &value) in stored {
                indices.push(gene as u32);
                values.push(value as f32);
            }
            indptr.push(values.len() as u64);
        }
        CsrMatrix::new(n_genes, indptr, indices, values).unwrap()
    }

    fn batches(&self) -> Vec<u32> {
        self.numbers("batch").iter().map(|&batch| batch as u32).collect()
    }
}

/// Names of some genes or batches.
fn names(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("{i:03}")).collect()
}

/// Cells in up to four batches.
fn of_batches(codes: &[u32]) -> Batches {
    let (key, categories, kind) = ("batch".to_owned(), names(4), CategoryKind::Text);
    Batches::new(&CategoricalField { key, categories, kind }, codes).unwrap()
}

/// Chooses genes reading blocks of so many cells; how many passes that took.
fn choose(
    flavor: Flavor,
    counts: &CsrMatrix,
    batches: Option<&[u32]>,
    block: usize,
) -> (Result<HighlyVariable, GeneSelectionError>, usize) {
    let mut n_passes = 0;
    let mut pass = |f: &mut dyn FnMut(usize, &CsrMatrix)| -> Result<(), GeneSelectionError> {
        n_passes += 1;
        for first in (0..counts.n_cells()).step_by(block) {
            let cells: Vec<usize> = (first..counts.n_cells().min(first + block)).collect();
            f(first, &counts.select_cells(&cells));
        }
        Ok(())
    };
    let batches = batches.map_or_else(Batches::default, of_batches);
    let genes = names(counts.n_genes());
    let found = highly_variable_genes(flavor, &genes, &batches, N_TOP_GENES, &mut pass);
    (found, n_passes)
}

/// Every column as numbers.
fn column(found: &HighlyVariable, name: &str) -> Vec<f64> {
    if name == "highly_variable" {
        return found.highly_variable.iter().map(|&chosen| f64::from(chosen)).collect();
    }
    let column = found.columns().iter().find(|(known, _)| *known == name);
    match &column.unwrap_or_else(|| panic!("no column {name}")).1 {
        GeneColumn::Numbers(numbers) => numbers.clone(),
        GeneColumn::Counts(counts) => counts.iter().map(|&n| n as f64).collect(),
        GeneColumn::Flags(flags) => flags.iter().map(|&flag| f64::from(flag)).collect(),
    }
}

#[test]
fn genes_and_columns_are_those_of_scanpy() {
    let fixture = Fixture::read();
    let (counts, batches) = (fixture.counts(), fixture.batches());
    for flavor in FLAVORS {
        for (case, batches) in [("one", None), ("batches", Some(&batches[..]))] {
            let (found, n_passes) = choose(flavor, &counts, batches, 150);
            let found = found.unwrap();
            assert!(n_passes <= 2, "{n_passes} passes");
            let under = format!("{}/{case}/", flavor.name());
            let columns = fixture.names(&under);
            assert_eq!(columns.len(), found.columns().len() + 1, "{under}: {columns:?}");
            for name in columns {
                let want = fixture.numbers(&format!("{under}{name}"));
                // A difference of dispersions in single precision, divided by a small number.
                let is_difference = name == "dispersions_norm";
                let (share, least) = if is_difference { (1e-5, 1.0) } else { (1e-6, 1e-3) };
                for (gene, (&found, &want)) in column(&found, &name).iter().zip(&want).enumerate() {
                    let is_near = (found - want).abs() <= share * want.abs().max(least);
                    let is_same = is_near || found.is_nan() && want.is_nan();
                    assert!(is_same, "{under}{name} of gene {gene}: {found}, not {want}");
                }
            }
        }
    }
}

#[test]
fn blocks_do_not_show() {
    let fixture = Fixture::read();
    let (counts, batches) = (fixture.counts(), fixture.batches());
    for flavor in FLAVORS {
        let whole = choose(flavor, &counts, Some(&batches), 150).0.unwrap();
        let blocks = choose(flavor, &counts, Some(&batches), 7).0.unwrap();
        assert_eq!(format!("{whole:?}"), format!("{blocks:?}"));
    }
}

/// scanpy needs such genes to be filtered first: without that its bins are equal.
#[test]
fn many_genes_without_counts_do_not_stop_cell_ranger() {
    let seen = Fixture::read().counts();
    let (n_seen, n_genes) = (seen.n_genes(), 3 * seen.n_genes());
    let places: Vec<Option<u32>> = (0..n_seen as u32).map(Some).collect();
    let some = choose(Flavor::CellRanger, &seen, None, 50).0.unwrap();
    assert!(column(&some, "means").contains(&1e-12), "genes without counts are in the bins");
    let padded = seen.clone().place_genes(&places, n_genes);
    let found = choose(Flavor::CellRanger, &padded, None, 50).0.unwrap();
    assert_eq!(found.chosen().len(), N_TOP_GENES);
    assert!(found.chosen().iter().all(|&gene| column(&found, "means")[gene] > 0.0));
}

#[test]
fn what_is_too_small_is_named() {
    let counts = CsrMatrix::new(2, vec![0, 1, 2], vec![0, 1], vec![1.0, 2.0]).unwrap();
    let none = CsrMatrix::new(2, vec![0], vec![], vec![]).unwrap();
    let told =
        |flavor, counts, batches| choose(flavor, counts, batches, 1).0.unwrap_err().to_string();
    let seurat_v3 = Flavor::seurat_v3();
    assert!(told(seurat_v3, &counts, None).starts_with("the counts of 2 genes vary; at least 14"));
    assert!(told(seurat_v3, &counts, Some(&[0, 1])).starts_with("batch '000' has 1 cells"));
    assert!(told(seurat_v3, &counts, Some(&[1, 1])).contains("vary in batch '001'; at least 14"));
    assert!(told(Flavor::CellRanger, &counts, None).starts_with("no gene varies more than others"));
    for flavor in FLAVORS {
        assert!(told(flavor, &none, None).starts_with("there are 0 cells"));
        assert!(told(flavor, &none, Some(&[])).starts_with("there are 0 cells"));
    }
    let wrong = Flavor::PearsonResiduals { theta: 0.0, clip: None };
    assert_eq!(told(wrong, &counts, None), "theta is 0; expected a number above 0");
    assert!(told(Flavor::SeuratV3 { span: f64::NAN }, &counts, None).starts_with("span is NaN"));
}

#[test]
fn a_batch_of_one_cell_has_no_residual_variance() {
    let counts = Fixture::read().counts().select_cells(&[0, 1, 2]);
    let found = choose(Flavor::pearson_residuals(), &counts, Some(&[1, 1, 3]), 2).0.unwrap();
    let without = choose(Flavor::pearson_residuals(), &counts.select_cells(&[0, 1]), None, 2).0;
    let variances = column(&found, "residual_variances");
    for (both, one) in variances.iter().zip(column(&without.unwrap(), "residual_variances")) {
        assert!((2.0 * both - one).abs() < 1e-12, "{both}, {one}");
    }
}

#[test]
fn genes_in_too_few_cells_are_as_if_not_counted() {
    let fixture = Fixture::read();
    let (counts, batches) = (fixture.counts(), of_batches(&fixture.batches()));
    let n_genes = counts.n_genes();
    let mut n_cells = vec![0; n_genes];
    for cell in 0..counts.n_cells() {
        counts.row(cell).0.iter().for_each(|&gene| n_cells[gene as usize] += 1);
    }
    let known: Vec<usize> = (0..n_genes).filter(|&gene| n_cells[gene] >= 20).collect();
    assert!(known.len() > N_TOP_GENES && known.len() < n_genes);
    let mut places = vec![None; n_genes];
    known.iter().zip(0..).for_each(|(&gene, place)| places[gene] = Some(place));
    let left = counts.clone().place_genes(&places, known.len());
    let genes = names(n_genes);
    let left_genes: Vec<String> = known.iter().map(|&gene| genes[gene].clone()).collect();
    for flavor in FLAVORS {
        let run = |selection: GeneSelection, counts: &CsrMatrix, genes: &[String]| {
            let mut pass = |f: &mut dyn FnMut(usize, &CsrMatrix)| -> Result<(), _> {
                f(0, counts);
                Ok::<_, GeneSelectionError>(())
            };
            selection.choose(genes, &batches, &mut pass)
        };
        let top = Some((N_TOP_GENES, flavor));
        let filtered = GeneSelection { min_cells: Some(20), top };
        let found = run(filtered, &counts, &genes).unwrap();
        let want = run(GeneSelection { min_cells: None, top }, &left, &left_genes).unwrap();
        assert_eq!(found.n_cells.as_ref().unwrap(), &n_cells);
        assert_eq!(found.n_in_too_few_cells(), n_genes - known.len());
        assert_eq!(found.n_unseen(), n_cells.iter().filter(|&&n| n == 0).count());
        let want: Vec<usize> = want.chosen().into_iter().map(|gene| known[gene]).collect();
        assert_eq!(found.chosen(), want);
        let means = column(found.highly_variable.as_ref().unwrap(), "means");
        assert_eq!(means.len(), n_genes);
        assert!((0..n_genes).all(|gene| means[gene].is_nan() != known.contains(&gene)));
        let only = GeneSelection { min_cells: Some(20), top: None };
        assert_eq!(run(only, &counts, &genes).unwrap().chosen(), known);
        let most = GeneSelection { min_cells: Some(1000), top };
        assert_eq!(
            run(most, &counts, &genes).unwrap_err(),
            GeneSelectionError::NoGenes { min_cells: 1000 }
        );
    }
}
