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

mod evaluate;
mod lexer;
mod parser;
#[cfg(test)]
mod tests;

pub use evaluate::matching;
pub use parser::parse;

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Query {
    Or(Box<Query>, Box<Query>),
    And(Box<Query>, Box<Query>),
    Not(Box<Query>),
    /// A column of truth values.
    Flag(String),
    Compare {
        column: String,
        comparison: Comparison,
        value: Value,
    },
    In {
        column: String,
        values: Vec<Value>,
    },
}

/// How a column is compared with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What a column is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Text(String),
    Number(f64),
    Flag(bool),
}

/// What is wrong with a query, and where: characters, counted from 1.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("character {place}: expected {expected}, found {found}")]
pub struct QueryError {
    pub place: usize,
    pub expected: String,
    pub found: String,
}
