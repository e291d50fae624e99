//! Arrays of numpy's of any type of number, borrowed.

use numpy::ndarray::{ArrayView1, ArrayView2};
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;

use crate::error::value_error;

/// The types of number that counts and their indices come in.
macro_rules! number_types {
    ($($name:ident $number:ty),*) => {
        /// A list of numbers.
        pub enum List { $($name(Py<PyArray1<$number>>)),* }
        /// The same, protected from writing through numpy while it is read.
        pub enum ListGuard<'py> { $($name(PyReadonlyArray1<'py, $number>)),* }
        /// The same, for threads without the interpreter.
        pub enum ListView<'a> { $($name(ArrayView1<'a, $number>)),* }

        /// A matrix of numbers, `(cells, genes)`.
        pub enum Matrix { $($name(Py<PyArray2<$number>>)),* }
        /// The same, protected from writing through numpy while it is read.
        pub enum MatrixGuard<'py> { $($name(PyReadonlyArray2<'py, $number>)),* }
        /// The same, for threads without the interpreter.
        pub enum MatrixView<'a> { $($name(ArrayView2<'a, $number>)),* }

        impl List {
            /// Takes an array of one dimension and a known type.
            pub fn new(what: &str, array: &Bound<PyAny>) -> PyResult<Self> {
                $(if let Ok(array) = array.cast::<PyArray1<$number>>() {
                    return Ok(Self::$name(array.clone().unbind()));
                })*
                Err(unknown(what, 1, array))
            }

            /// How many numbers there are.
            pub fn len(&self, py: Python) -> PyResult<usize> {
                match self { $(Self::$name(array) => array.bind(py).as_any().len()),* }
            }

            /// Protects it.
            pub fn guard<'py>(&self, py: Python<'py>) -> PyResult<ListGuard<'py>> {
                Ok(match self {
                    $(Self::$name(array) => ListGuard::$name(array.bind(py).try_readonly()?)),*
                })
            }
        }

        impl ListGuard<'_> {
            /// Its numbers.
            pub fn view(&self) -> ListView<'_> {
                match self { $(Self::$name(array) => ListView::$name(array.as_array())),* }
            }
        }

        impl ListView<'_> {
            /// How many numbers there are.
            pub fn len(&self) -> usize {
                match self { $(Self::$name(array) => array.len()),* }
            }

            /// One of them as a place in memory; `None` past the end, and where it is none.
            pub fn place(&self, i: usize) -> Option<usize> {
                match self { $(Self::$name(array) => array.get(i).and_then(|n| n.to_place())),* }
            }

            /// Adds a range to a list of genes; what is no gene becomes one past all others.
            pub fn add_genes(&self, range: std::ops::Range<usize>, out: &mut Vec<u32>) {
                match self { $(Self::$name(array) => {
                    let part = array.slice(numpy::ndarray::s![range]);
                    out.extend(part.iter().map(|n| n.to_gene()));
                }),* }
            }

            /// Adds a range to a list of counts.
            pub fn add_counts(&self, range: std::ops::Range<usize>, out: &mut Vec<f32>) {
                match self { $(Self::$name(array) => {
                    let part = array.slice(numpy::ndarray::s![range]);
                    out.extend(part.iter().map(|n| n.to_count()));
                }),* }
            }
        }

        impl Matrix {
            /// Takes an array of two dimensions and a known type.
            pub fn new(what: &str, array: &Bound<PyAny>) -> PyResult<Self> {
                $(if let Ok(array) = array.cast::<PyArray2<$number>>() {
                    return Ok(Self::$name(array.clone().unbind()));
                })*
                Err(unknown(what, 2, array))
            }

            /// Protects it.
            pub fn guard<'py>(&self, py: Python<'py>) -> PyResult<MatrixGuard<'py>> {
                Ok(match self {
                    $(Self::$name(array) => MatrixGuard::$name(array.bind(py).try_readonly()?)),*
                })
            }
        }

        impl MatrixGuard<'_> {
            /// Its numbers.
            pub fn view(&self) -> MatrixView<'_> {
                match self { $(Self::$name(array) => MatrixView::$name(array.as_array())),* }
            }
        }

        impl MatrixView<'_> {
            /// Rows and columns.
            pub fn dim(&self) -> (usize, usize) {
                match self { $(Self::$name(array) => array.dim()),* }
            }

            /// Adds what is not zero in a row: genes and counts.
            pub fn add_row(&self, row: usize, genes: &mut Vec<u32>, counts: &mut Vec<f32>) {
                match self { $(Self::$name(array) => {
                    for (gene, n) in (0..).zip(array.row(row)) {
                        let count = n.to_count();
                        if count != 0.0 {
                            genes.push(gene);
                            counts.push(count);
                        }
                    }
                }),* }
            }
        }

    };
}

/// What a number can stand for.
trait Number: Copy {
    fn to_place(self) -> Option<usize>;
    fn to_gene(self) -> u32;
    fn to_count(self) -> f32;
}

number_types!(
    F32 f32, F64 f64, I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64
);

/// Whole numbers may stand for anything.
macro_rules! whole {
    ($($number:ty),*) => {
        $(impl Number for $number {
            fn to_place(self) -> Option<usize> {
                usize::try_from(self).ok()
            }

            fn to_gene(self) -> u32 {
                u32::try_from(self).unwrap_or(u32::MAX)
            }

            fn to_count(self) -> f32 {
                self as f32
            }
        })*
    };
}

whole!(i8, i16, i32, i64, u8, u16, u32, u64);

/// Floats are counts alone: nobody indexes with them.
macro_rules! float {
    ($($number:ty),*) => {
        $(impl Number for $number {
            fn to_place(self) -> Option<usize> {
                None
            }

            fn to_gene(self) -> u32 {
                u32::MAX
            }

            fn to_count(self) -> f32 {
                self as f32
            }
        })*
    };
}

float!(f32, f64);

fn unknown(what: &str, dimensions: usize, array: &Bound<PyAny>) -> PyErr {
    let attribute = |name: &str| array.getattr(name).map_or_else(|_| "?".into(), |v| v.to_string());
    let (found, shape) = (attribute("dtype"), attribute("shape"));
    value_error(format!(
        "{what} is an array of {found} with shape {shape}; expected {dimensions} dimension(s) of \
         whole numbers or of 4- or 8-byte floats"
    ))
}
