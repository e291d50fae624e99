//! Cells chosen by an expression over columns of obs, as in pandas' `DataFrame.query`.
//!
//! ```text
//! either     = both { ("or" | "|") both }
//! both       = negation { ("and" | "&") negation }
//! negation   = "not" negation | comparison
//! comparison = operand { ("==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not in") operand }
//! operand    = "~" operand | sign operand | "(" either ")" | column | value | list
//! list       = "[" [ value { "," value } ] "]" | "(" value "," [ value { "," value } ] ")"
//! value      = "text" | 'text' | number | inf | True | False
//! column     = name | `any name`
//! ```
//! An expression of this language selects the cells that pandas selects:
//! - `&` and `|` bind as `and` and `or` do, `~` before every comparison;
//! - comparisons chain: `1 < n <= 5`;
//! - equality with a list, or with a text, is membership;
//! - categories are compared by what they are in the data; they are smaller or larger where they are
//!   ordered, by their order;
//! - where a nullable column has no value, comparisons are neither true nor false (NA), and so is
//!   their negation; elsewhere a missing value is unequal to everything;
//! - constants are rounded to 4 bytes where they meet a column of such floats, but not in lists.
//!
//! What pandas refuses is refused, and so is, by name, the rest of what it can do: arithmetic,
//! functions, attributes, variables, comparisons that can never hold because they are of other types.
//!
//! It is text from a user, or from a script: nesting is limited, and nothing of it is run.
//!
//! Source: pandas 2.3, `DataFrame.query` with its Python engine.

mod columns;
mod constant;
mod error;
mod evaluate;
mod lexer;
mod literal;
mod membership;
mod number;
mod parser;
#[cfg(test)]
mod tests;

pub use error::{QueryError, QueryMismatch};
pub use evaluate::{QueriedColumn, matching};
pub use parser::parse;

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Query {
    /// One of several holds.
    Or(Vec<Query>),
    /// All hold.
    And(Vec<Query>),
    /// It does not hold.
    Not(Box<Query>),
    /// A column of truth values.
    Flag(String),
    /// A column compares with a constant. Equality with text is [`Query::In`].
    Compare {
        /// The column.
        column: String,
        /// How.
        comparison: Comparison,
        /// With what.
        value: Value,
    },
    /// A column compares with another.
    Columns {
        /// The one on the left.
        left: String,
        /// How.
        comparison: Comparison,
        /// The one on the right.
        right: String,
    },
    /// A column has one of some values.
    In {
        /// The column.
        column: String,
        /// The values.
        values: Vec<Value>,
    },
}

impl Query {
    /// The columns it names, in its order.
    pub fn columns(&self) -> Vec<&str> {
        match self {
            Self::Or(parts) | Self::And(parts) => parts.iter().flat_map(Self::columns).collect(),
            Self::Not(part) => part.columns(),
            Self::Flag(column) | Self::Compare { column, .. } | Self::In { column, .. } => {
                vec![column]
            }
            Self::Columns { left, right, .. } => vec![left, right],
        }
    }
}

/// How a column is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `==`.
    Equal,
    /// `!=`.
    NotEqual,
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
}

impl Comparison {
    /// Whether two values of known order compare so; without an order they are merely not equal.
    fn holds(self, order: Option<std::cmp::Ordering>) -> bool {
        let Some(order) = order else { return self == Self::NotEqual };
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }

    /// The same comparison with its sides exchanged.
    fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            Self::Equal | Self::NotEqual => self,
        }
    }

    /// Whether values need an order for it.
    fn is_order(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }
}

/// A constant.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A whole number, from -2^63 to 2^64 - 1.
    Integer(i128),
    /// Any other number, infinity included.
    Float(f64),
    /// A truth value.
    Flag(bool),
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => write!(f, "the text \"{text}\""),
            Self::Integer(number) => write!(f, "the number {number}"),
            Self::Float(number) => write!(f, "the number {number:?}"),
            Self::Flag(flag) => write!(f, "{}", crate::anndata::py_bool(*flag)),
        }
    }
}
