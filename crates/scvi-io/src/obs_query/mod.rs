//! Cells chosen by an expression over columns of obs, as in pandas' `DataFrame.query`.
//!
//! ```text
//! either     = both { ("or" | "|") both }
//! both       = negation { ("and" | "&") negation }
//! negation   = [ "not" | "~" ] ( "(" either ")" | condition )
//! condition  = column | column comparison value | column [ "not" ] "in" "[" value { "," value } "]"
//! comparison = "==" | "!=" | "<" | "<=" | ">" | ">="
//! value      = "text" | 'text' | number | True | False
//! column     = name | `any name`
//! ```
//! A column alone must hold truth values. Where a cell has no value, only `!=` and `not in` hold.
//! It is text from a user, or from a script: nesting is limited, and nothing of it is run.
//!
//! Source: pandas 2.3, `DataFrame.query`, of which this is the part that chooses rows by values.

mod evaluate;
mod lexer;
mod parser;
#[cfg(test)]
mod tests;

pub use evaluate::{QueryMismatch, matching};
pub use parser::parse;

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Query {
    /// One of two holds, or both.
    Or(Box<Query>, Box<Query>),
    /// Both hold.
    And(Box<Query>, Box<Query>),
    /// It does not hold.
    Not(Box<Query>),
    /// A column of truth values.
    Flag(String),
    /// A column compares with a value.
    Compare {
        /// The column.
        column: String,
        /// How.
        comparison: Comparison,
        /// With what.
        value: Value,
    },
    /// A column has one of some values.
    In {
        /// The column.
        column: String,
        /// The values.
        values: Vec<Value>,
    },
}

/// How a column is compared with a value.
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

/// What a column is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A number.
    Number(f64),
    /// A truth value.
    Flag(bool),
}

/// What is wrong with a query, and where: characters, counted from 1.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("character {place}: expected {expected}, found {found}")]
pub struct QueryError {
    /// Where.
    pub place: usize,
    /// What could stand there.
    pub expected: String,
    /// What does.
    pub found: String,
}
