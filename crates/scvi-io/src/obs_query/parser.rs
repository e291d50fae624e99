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
    let start = parser.place();
    let operand = parser.either()?;
    match parser.peek() {
        Token::End => condition(operand, start),
        _ => Err(parser.expected("'and', 'or' or the end")),
    }
}

/// A part of an expression.
enum Operand {
    Condition(Query),
    Column(String),
    Value(Value),
    List(Vec<Value>),
}

/// How two operands are compared.
#[derive(Clone, Copy)]
enum Operator {
    Compare(Comparison),
    In,
    NotIn,
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

    /// Where the next word stands.
    fn place(&self) -> usize {
        self.tokens[self.at].1
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

    fn fault(&self, problem: &str) -> QueryError {
        fault(self.place(), problem)
    }

    fn expected(&self, what: &str) -> QueryError {
        self.fault(&format!("expected {what}, found {}", self.peek().shown()))
    }

    fn either(&mut self) -> Result<Operand, QueryError> {
        self.joined(&Token::Or, Self::both, Query::Or)
    }

    fn both(&mut self) -> Result<Operand, QueryError> {
        self.joined(&Token::And, Self::negation, Query::And)
    }

    /// Parts with one word between each two; a part alone stays what it is.
    fn joined(
        &mut self,
        word: &Token,
        part: fn(&mut Self) -> Result<Operand, QueryError>,
        join: fn(Vec<Query>) -> Query,
    ) -> Result<Operand, QueryError> {
        let start = self.place();
        let first = part(self)?;
        if self.peek() != word {
            return Ok(first);
        }
        let mut parts = vec![condition(first, start)?];
        while self.takes(word) {
            let start = self.place();
            parts.push(condition(part(self)?, start)?);
        }
        Ok(Operand::Condition(join(parts)))
    }

    fn negation(&mut self) -> Result<Operand, QueryError> {
        if !self.takes(&Token::Not) {
            return self.comparison();
        }
        let start = self.place();
        let negated = self.nested(Self::negation)?;
        Ok(Operand::Condition(Query::Not(Box::new(condition(negated, start)?))))
    }

    /// What stands within something else, of which there is a limit.
    fn nested(
        &mut self,
        part: fn(&mut Self) -> Result<Operand, QueryError>,
    ) -> Result<Operand, QueryError> {
        if self.depth == MAX_DEPTH {
            return Err(self.fault(&format!("more than {MAX_DEPTH} levels within each other")));
        }
        self.depth += 1;
        let operand = part(self);
        self.depth -= 1;
        operand
    }

    /// `a < b <= c` is `a < b and b <= c`.
    fn comparison(&mut self) -> Result<Operand, QueryError> {
        let mut left = self.operand()?;
        let mut parts = Vec::new();
        while let Some((operator, place)) = self.operator()? {
            let right = self.operand()?;
            parts.push(compared(&left, operator, &right).map_err(|p| fault(place, &p))?);
            left = right;
        }
        match parts.len() {
            0 => Ok(left),
            1 => Ok(Operand::Condition(parts.remove(0))),
            _ => Ok(Operand::Condition(Query::And(parts))),
        }
    }

    /// The operator that comes next, if one does, and its place.
    fn operator(&mut self) -> Result<Option<(Operator, usize)>, QueryError> {
        let place = self.place();
        let operator = match *self.peek() {
            Token::Compare(comparison) => Operator::Compare(comparison),
            Token::In => Operator::In,
            Token::Not => Operator::NotIn,
            _ => return Ok(None),
        };
        self.next();
        if matches!(operator, Operator::NotIn) && !self.takes(&Token::In) {
            return Err(self.expected("'in'"));
        }
        Ok(Some((operator, place)))
    }

    fn operand(&mut self) -> Result<Operand, QueryError> {
        let operand = self.primary()?;
        match self.peek() {
            Token::Open => Err(self.fault("functions are not supported")),
            Token::OpenList => Err(self.fault("subscripts are not supported")),
            Token::Plus | Token::Minus => Err(self.fault("arithmetic is not supported")),
            _ => Ok(operand),
        }
    }

    fn primary(&mut self) -> Result<Operand, QueryError> {
        let place = self.place();
        match self.next() {
            Token::Name(name) | Token::Quoted(name) => Ok(Operand::Column(name)),
            Token::Value(value) => Ok(Operand::Value(value)),
            Token::OpenList => self.list(Vec::new(), &Token::CloseList),
            Token::Open => self.parenthesised(),
            Token::Invert => {
                let start = self.place();
                let negated = self.nested(Self::operand)?;
                Ok(Operand::Condition(Query::Not(Box::new(condition(negated, start)?))))
            }
            Token::Plus => signed(self.nested(Self::operand)?, 1, place),
            Token::Minus => signed(self.nested(Self::operand)?, -1, place),
            token => {
                let found = token.shown();
                let problem = format!("expected a column, a value or a condition, found {found}");
                Err(fault(place, &problem))
            }
        }
    }

    /// A condition, or a list where there is a comma.
    fn parenthesised(&mut self) -> Result<Operand, QueryError> {
        if self.takes(&Token::Close) {
            return Ok(Operand::List(Vec::new()));
        }
        let start = self.place();
        let inside = self.nested(Self::either)?;
        if self.takes(&Token::Close) {
            return Ok(inside);
        }
        if !self.takes(&Token::Comma) {
            return Err(self.expected("')'"));
        }
        self.list(vec![listed(inside, start)?], &Token::Close)
    }

    /// The rest of a list.
    fn list(&mut self, mut values: Vec<Value>, close: &Token) -> Result<Operand, QueryError> {
        loop {
            let start = self.place();
            if self.takes(close) {
                let kind = |value: &Value| match value {
                    Value::Text(_) => "text",
                    Value::Integer(_) | Value::Float(_) => "number",
                    Value::Flag(_) => "flag",
                };
                return match values.iter().all(|value| kind(value) == kind(&values[0])) {
                    true => Ok(Operand::List(values)),
                    false => Err(fault(start, "a list holds texts, or numbers, or True and False")),
                };
            }
            let value = self.nested(Self::operand)?;
            values.push(listed(value, start)?);
            if self.peek() != close && !self.takes(&Token::Comma) {
                return Err(self.expected(&format!("',' or {}", close.shown())));
            }
        }
    }
}

fn fault(place: usize, problem: &str) -> QueryError {
    QueryError { place, problem: problem.to_owned() }
}

/// A number with its sign.
fn signed(operand: Operand, sign: i8, place: usize) -> Result<Operand, QueryError> {
    let value = match operand {
        Operand::Value(Value::Float(x)) => Value::Float(f64::from(sign) * x),
        Operand::Value(Value::Integer(n)) => match i128::from(sign) * n {
            n if n >= i128::from(i64::MIN) => Value::Integer(n),
            n => {
                return Err(fault(
                    place,
                    &format!("expected a whole number from -2^63, found {n}"),
                ));
            }
        },
        _ => return Err(fault(place, "arithmetic is not supported")),
    };
    Ok(Operand::Value(value))
}

/// What holds for a cell, or not.
fn condition(operand: Operand, place: usize) -> Result<Query, QueryError> {
    let found = match operand {
        Operand::Condition(query) => return Ok(query),
        Operand::Column(name) => return Ok(Query::Flag(name)),
        Operand::Value(value) => value.to_string(),
        Operand::List(_) => "a list".to_owned(),
    };
    Err(fault(place, &format!("expected a condition, found {found}")))
}

/// What may stand in a list.
fn listed(operand: Operand, place: usize) -> Result<Value, QueryError> {
    match operand {
        Operand::Value(value) => Ok(value),
        Operand::Column(name) => Err(fault(
            place,
            &format!("a list holds values, and '{name}' is a column: texts stand in quotes"),
        )),
        Operand::Condition(_) => Err(fault(place, "a list holds values, and this is a condition")),
        Operand::List(_) => Err(fault(place, "a list holds values, and no lists")),
    }
}

/// The condition that two operands make.
fn compared(left: &Operand, operator: Operator, right: &Operand) -> Result<Query, String> {
    use Operand::{Column, Condition, List, Value as Constant};
    match (left, right) {
        (Condition(_), _) | (_, Condition(_)) => {
            Err("a condition is not compared: it holds or not, and not (...) negates it".to_owned())
        }
        (Column(left), Column(right)) => match operator {
            Operator::Compare(comparison) => {
                let (left, right) = (left.clone(), right.clone());
                Ok(Query::Columns { left, comparison, right })
            }
            _ => Err(format!("expected a list after 'in', found the column '{right}'")),
        },
        (Column(column), List(values)) | (List(values), Column(column)) => match operator {
            Operator::In | Operator::Compare(Comparison::Equal) => Ok(within(column, values)),
            Operator::NotIn | Operator::Compare(Comparison::NotEqual) => {
                Ok(Query::Not(Box::new(within(column, values))))
            }
            Operator::Compare(_) => Err("a list is neither smaller nor larger".to_owned()),
        },
        // A text is a list of one.
        (Column(column), Constant(value @ Value::Text(_)))
        | (Constant(value @ Value::Text(_)), Column(column))
            if !matches!(operator, Operator::Compare(comparison) if comparison.is_order()) =>
        {
            let values = vec![value.clone()];
            compared(&Column(column.clone()), operator, &List(values))
        }
        (Column(column), Constant(value)) | (Constant(value), Column(column)) => match operator {
            Operator::Compare(comparison) => {
                let is_mirrored = matches!(left, Constant(_));
                let comparison = if is_mirrored { comparison.mirrored() } else { comparison };
                Ok(Query::Compare { column: column.clone(), comparison, value: value.clone() })
            }
            _ => Err(format!("expected a list, found {value}")),
        },
        _ => Err("one side of a comparison has to be a column".to_owned()),
    }
}

fn within(column: &str, values: &[Value]) -> Query {
    Query::In { column: column.to_owned(), values: values.to_vec() }
}
