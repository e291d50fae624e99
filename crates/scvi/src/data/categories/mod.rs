//! Categories of columns: which are equal, whatever type a file has for them.

mod error;
mod field;
mod kind;
mod python_str;
mod time;
mod value;

#[cfg(test)]
mod tests;

pub use error::CategoryError;
pub use field::CategoricalField;
pub use kind::{CategoryKind, TimeUnit, UnknownKind};
pub use python_str::{float_str, single_str};
pub use time::{datetime_str, timedelta_str};
