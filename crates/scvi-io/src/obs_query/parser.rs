//! From words to an expression.

use super::lexer::{Token, tokens};
use super::{Comparison, Query, QueryError, Value};

/// Parentheses and negations within each other, at most: each takes a call.
const MAX_DEPTH: usize = 64;

/// Reads an expression.
///
/// # Errors
/// [`QueryError`] where it is none, or nested too deeply.
pub fn parse(text: &str) -> Result<Query, QueryError> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0 };
    let query = parser.either()?;
    match parser.peek() {
        Token::End => Ok(query),
        _ => Err(parser.expected("'and', 'or' or the end")),
    }
}

struct Parser {
    tokens: Vec<(Token, usize)>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.at].0
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        // The end stays where it is.
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn takes(&mut self, token: &Token) -> bool {
        let is_there = self.peek() == token;
        if is_there {
            self.next();
        }
        is_there
    }

    fn expected(&self, what: &str) -> QueryError {
        let (token, place) = &self.tokens[self.at];
        QueryError { place: *place, expected: what.to_owned(), found: token.shown() }
    }

    fn either(&mut self) -> Result<Query, QueryError> {
        let mut query = self.both()?;
        while self.takes(&Token::Or) {
            query = Query::Or(Box::new(query), Box::new(self.both()?));
            self.deepen()?;
        }
        Ok(query)
    }

    fn both(&mut self) -> Result<Query, QueryError> {
        let mut query = self.negation()?;
        while self.takes(&Token::And) {
            query = Query::And(Box::new(query), Box::new(self.negation()?));
            self.deepen()?;
        }
        Ok(query)
    }

    fn negation(&mut self) -> Result<Query, QueryError> {
        if self.takes(&Token::Not) {
            self.deepen()?;
            return Ok(Query::Not(Box::new(self.negation()?)));
        }
        if self.takes(&Token::Open) {
            self.deepen()?;
            let query = self.either()?;
            return match self.takes(&Token::Close) {
                true => Ok(query),
                false => Err(self.expected("')'")),
            };
        }
        self.condition()
    }

    /// Every nested call and every level of the tree counts, once and for all.
    fn deepen(&mut self) -> Result<(), QueryError> {
        self.depth += 1;
        match self.depth <= MAX_DEPTH {
            true => Ok(()),
            false => Err(self.expected(&format!("at most {MAX_DEPTH} operators and parentheses"))),
        }
    }

    fn condition(&mut self) -> Result<Query, QueryError> {
        let column = match self.peek() {
            Token::Name(_) | Token::Quoted(_) => match self.next() {
                Token::Name(name) | Token::Quoted(name) => name,
                _ => return Err(self.expected("a column of obs")),
            },
            _ => return Err(self.expected("a column of obs")),
        };
        match self.peek() {
            Token::Compare(_) => {
                let Token::Compare(comparison) = self.next() else {
                    return Err(self.expected("a comparison"));
                };
                Ok(Query::Compare { column, comparison, value: self.value()? })
            }
            Token::In => {
                self.next();
                Ok(Query::In { column, values: self.list()? })
            }
            Token::Not => {
                self.next();
                match self.takes(&Token::In) {
                    true => {
                        let values = self.list()?;
                        Ok(Query::Not(Box::new(Query::In { column, values })))
                    }
                    false => Err(self.expected("'in'")),
                }
            }
            _ => Ok(Query::Flag(column)),
        }
    }

    fn list(&mut self) -> Result<Vec<Value>, QueryError> {
        if !self.takes(&Token::OpenList) {
            return Err(self.expected("'['"));
        }
        let mut values = vec![self.value()?];
        while self.takes(&Token::Comma) {
            values.push(self.value()?);
        }
        match self.takes(&Token::CloseList) {
            true => Ok(values),
            false => Err(self.expected("',' or ']'")),
        }
    }

    fn value(&mut self) -> Result<Value, QueryError> {
        let value = match self.peek() {
            Token::Text(text) => Value::Text(text.clone()),
            Token::Number(number) => Value::Number(*number),
            Token::Name(name) if name == "True" => Value::Flag(true),
            Token::Name(name) if name == "False" => Value::Flag(false),
            Token::Name(_) => return Err(self.expected("a value: texts stand in quotes")),
            _ => return Err(self.expected("a value")),
        };
        self.next();
        Ok(value)
    }
}

impl Comparison {
    /// Whether two values of known order compare so; without an order they are merely not equal.
    pub fn holds(self, order: Option<std::cmp::Ordering>) -> bool {
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
}
