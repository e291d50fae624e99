//! What may be wrong with a query.

/// What is wrong with a query as a text, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("character {place}: {problem}")]
pub struct QueryError {
    /// The place: characters, counted from 1.
    pub place: usize,
    /// What is wrong there.
    pub problem: String,
}

/// A column does not hold what a query takes it to hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryMismatch {
    /// A column alone that holds no truth values.
    #[error("column '{column}' alone is no condition: it holds {held}")]
    NoCondition {
        /// The column.
        column: String,
        /// What it holds.
        held: &'static str,
    },
    /// A constant of another type.
    #[error("column '{column}' holds {held}: {value} is none of them")]
    OtherType {
        /// The column.
        column: String,
        /// What it holds.
        held: &'static str,
        /// What it is compared with.
        value: String,
    },
    /// Categories without an order are compared by order.
    #[error(
        "the categories of column '{column}' have no order: they can be equal or not, and neither \
         smaller nor larger"
    )]
    NoOrder {
        /// The column.
        column: String,
    },
    /// Ordered categories are compared with something that has no place in their order.
    #[error("column '{column}' has no category that is {value} (they are, in order: {categories})")]
    NoCategory {
        /// The column.
        column: String,
        /// What it is compared with.
        value: String,
        /// What there is.
        categories: String,
    },
    /// Two columns that cannot be compared with each other.
    #[error("column '{left}' holds {left_held}, and column '{right}' {right_held}: {problem}")]
    Columns {
        /// One.
        left: String,
        /// What it holds.
        left_held: &'static str,
        /// The other.
        right: String,
        /// What that holds.
        right_held: &'static str,
        /// Why they cannot be compared.
        problem: &'static str,
    },
    /// Large whole numbers are looked for among floats.
    #[error(
        "column '{column}' holds whole numbers beyond 2^53, which cannot be told apart as floats: \
         list whole numbers only"
    )]
    TooLarge {
        /// The column.
        column: String,
    },
}
