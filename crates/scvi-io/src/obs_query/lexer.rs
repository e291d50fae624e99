//! From text to words.

use super::{Comparison, QueryError};

/// A word of a query.
#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    Name(String),
    /// A name in backticks, which is no keyword.
    Quoted(String),
    Text(String),
    Number(f64),
    Compare(Comparison),
    And,
    Or,
    Not,
    In,
    Open,
    Close,
    OpenList,
    CloseList,
    Comma,
    End,
}

impl Token {
    /// As an error shows it.
    pub fn shown(&self) -> String {
        match self {
            Self::Name(name) => format!("'{name}'"),
            Self::Quoted(name) => format!("'`{name}`'"),
            Self::Text(text) => format!("the text \"{text}\""),
            Self::Number(number) => format!("the number {number}"),
            Self::Compare(_) => "a comparison".to_owned(),
            Self::And => "'and'".to_owned(),
            Self::Or => "'or'".to_owned(),
            Self::Not => "'not'".to_owned(),
            Self::In => "'in'".to_owned(),
            Self::Open => "'('".to_owned(),
            Self::Close => "')'".to_owned(),
            Self::OpenList => "'['".to_owned(),
            Self::CloseList => "']'".to_owned(),
            Self::Comma => "','".to_owned(),
            Self::End => "the end".to_owned(),
        }
    }
}

/// The words of a query with their places, the end included.
pub fn tokens(text: &str) -> Result<Vec<(Token, usize)>, QueryError> {
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        if chars[at].is_whitespace() {
            at += 1;
            continue;
        }
        let (token, len) = token(&chars[at..], at)?;
        found.push((token, at + 1));
        at += len;
    }
    found.push((Token::End, at + 1));
    Ok(found)
}

/// The first word of some characters, and its length.
fn token(rest: &[char], at: usize) -> Result<(Token, usize), QueryError> {
    let next = rest.get(1).copied();
    let compare = |comparison, len| Ok((Token::Compare(comparison), len));
    match rest[0] {
        '=' if next == Some('=') => compare(Comparison::Equal, 2),
        '!' if next == Some('=') => compare(Comparison::NotEqual, 2),
        '<' if next == Some('=') => compare(Comparison::LessOrEqual, 2),
        '>' if next == Some('=') => compare(Comparison::GreaterOrEqual, 2),
        '<' => compare(Comparison::Less, 1),
        '>' => compare(Comparison::Greater, 1),
        '&' => Ok((Token::And, 1)),
        '|' => Ok((Token::Or, 1)),
        '~' => Ok((Token::Not, 1)),
        '(' => Ok((Token::Open, 1)),
        ')' => Ok((Token::Close, 1)),
        '[' => Ok((Token::OpenList, 1)),
        ']' => Ok((Token::CloseList, 1)),
        ',' => Ok((Token::Comma, 1)),
        quote @ ('"' | '\'' | '`') => quoted(rest, quote, at),
        c if c.is_ascii_digit() || "+-.".contains(c) => number(rest, at),
        c if c.is_alphabetic() || c == '_' => Ok(word(rest)),
        c => Err(fault(at, "a name, a value or an operator", &format!("'{c}'"))),
    }
}

fn fault(at: usize, expected: &str, found: &str) -> QueryError {
    QueryError { place: at + 1, expected: expected.to_owned(), found: found.to_owned() }
}

fn quoted(rest: &[char], quote: char, at: usize) -> Result<(Token, usize), QueryError> {
    let Some(end) = rest[1..].iter().position(|&c| c == quote) else {
        return Err(fault(at, &format!("a closing {quote}"), "none"));
    };
    let text = rest[1..=end].iter().collect();
    let token = if quote == '`' { Token::Quoted(text) } else { Token::Text(text) };
    Ok((token, end + 2))
}

fn number(rest: &[char], at: usize) -> Result<(Token, usize), QueryError> {
    let is_part = |k: usize| {
        let (c, before) = (rest[k], rest[k.saturating_sub(1)]);
        c.is_ascii_alphanumeric()
            || c == '.'
            || ("+-".contains(c) && (k == 0 || "eE".contains(before)))
    };
    let len = (0..rest.len()).take_while(|&k| is_part(k)).count();
    let text: String = rest[..len].iter().collect();
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok((Token::Number(number), len)),
        _ => Err(fault(at, "a number", &format!("'{text}'"))),
    }
}

fn word(rest: &[char]) -> (Token, usize) {
    let is_part = |c: &&char| c.is_alphanumeric() || "_.".contains(**c);
    let len = rest.iter().take_while(is_part).count();
    let name: String = rest[..len].iter().collect();
    let token = match name.as_str() {
        "and" => Token::And,
        "or" => Token::Or,
        "not" => Token::Not,
        "in" => Token::In,
        _ => Token::Name(name),
    };
    (token, len)
}
