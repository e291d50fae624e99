//! From text to words.

use super::literal::{number, text};
use super::{Comparison, QueryError, Value};

/// A word of a query.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Name(String),
    /// A name in backticks, which is no keyword.
    Quoted(String),
    Value(Value),
    Compare(Comparison),
    And,
    Or,
    Not,
    In,
    Invert,
    Plus,
    Minus,
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
            Self::Value(value) => value.to_string(),
            Self::Compare(_) => "a comparison".to_owned(),
            Self::And => "'and'".to_owned(),
            Self::Or => "'or'".to_owned(),
            Self::Not => "'not'".to_owned(),
            Self::In => "'in'".to_owned(),
            Self::Invert => "'~'".to_owned(),
            Self::Plus => "'+'".to_owned(),
            Self::Minus => "'-'".to_owned(),
            Self::Open => "'('".to_owned(),
            Self::Close => "')'".to_owned(),
            Self::OpenList => "'['".to_owned(),
            Self::CloseList => "']'".to_owned(),
            Self::Comma => "','".to_owned(),
            Self::End => "the end".to_owned(),
        }
    }
}

/// Words of Python that are no names.
const KEYWORDS: [&str; 28] = [
    "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else",
    "except", "finally", "for", "from", "global", "if", "import", "is", "lambda", "nonlocal",
    "pass", "raise", "return", "try", "while", "with", "yield",
];

/// The words of a query with their places, the end included.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, usize)>, QueryError> {
    let chars: Vec<char> = text.chars().collect();
    let (mut found, mut at) = (Vec::new(), 0);
    // Python reads a query of one line, without the blanks around it.
    let end = chars.iter().rposition(|c| !c.is_whitespace()).map_or(0, |last| last + 1);
    let start = chars.iter().position(|c| !c.is_whitespace()).unwrap_or(0);
    if let Some(at) = chars[start..end].iter().position(|&c| is_line_end(c)) {
        return Err(fault(start + at, "a query is one line"));
    }
    while at < end {
        if at < start || " \t".contains(chars[at]) {
            at += 1;
            continue;
        }
        let (token, len) =
            token(&chars[at..end]).map_err(|(inside, problem)| fault(at + inside, problem))?;
        found.push((token, at + 1));
        at += len;
    }
    found.push((Token::End, end + 1));
    Ok(found)
}

fn fault(at: usize, problem: impl Into<String>) -> QueryError {
    QueryError { place: at + 1, problem: problem.into() }
}

/// Where Python's `str.splitlines` ends a line.
fn is_line_end(c: char) -> bool {
    matches!(
        c,
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// The first word of some characters, and its length; or how many characters in something is wrong.
fn token(rest: &[char]) -> Result<(Token, usize), (usize, String)> {
    let next = rest.get(1).copied();
    let compare = |comparison, len| Ok((Token::Compare(comparison), len));
    let sign = |token| Ok((token, 1));
    match rest[0] {
        '=' if next == Some('=') => compare(Comparison::Equal, 2),
        '!' if next == Some('=') => compare(Comparison::NotEqual, 2),
        '<' if next == Some('=') => compare(Comparison::LessOrEqual, 2),
        '>' if next == Some('=') => compare(Comparison::GreaterOrEqual, 2),
        '<' => compare(Comparison::Less, 1),
        '>' => compare(Comparison::Greater, 1),
        '&' => sign(Token::And),
        '|' => sign(Token::Or),
        '~' => sign(Token::Invert),
        '(' => sign(Token::Open),
        ')' => sign(Token::Close),
        '[' => sign(Token::OpenList),
        ']' => sign(Token::CloseList),
        ',' => sign(Token::Comma),
        '+' => sign(Token::Plus),
        '-' => sign(Token::Minus),
        '"' | '\'' => quoted(rest, 0),
        '`' => backticked(rest),
        '.' if next.is_none_or(|c| !c.is_ascii_digit()) => Err((0, unsupported('.'))),
        c if c.is_ascii_digit() || c == '.' => {
            let (value, len) = number(rest).map_err(|problem| (0, problem))?;
            Ok((Token::Value(value), len))
        }
        c if is_name_start(c) => word(rest),
        c => Err((0, unsupported(c))),
    }
}

/// What a character that begins no word would be in Python.
fn unsupported(c: char) -> String {
    let what = match c {
        '=' => "a single = assigns; equality is ==",
        '@' => "variables (@) do not exist here",
        '.' => "attributes and methods are not supported; a name with a dot stands in `backticks`",
        '*' | '/' | '%' | '^' => "arithmetic is not supported",
        '{' | '}' | ':' => "sets and dictionaries are not supported; a list stands in [brackets]",
        _ => return format!("expected a name, a value or an operator, found '{c}'"),
    };
    what.to_owned()
}

/// A text; its first quote stands behind a prefix.
fn quoted(rest: &[char], prefix: usize) -> Result<(Token, usize), (usize, String)> {
    let is_raw = prefix == 1 && "rR".contains(rest[0]);
    let (text, len) =
        text(&rest[prefix..], is_raw).map_err(|(at, problem)| (prefix + at, problem))?;
    Ok((Token::Value(Value::Text(text)), prefix + len))
}

fn backticked(rest: &[char]) -> Result<(Token, usize), (usize, String)> {
    let Some(end) = rest[1..].iter().position(|&c| c == '`') else {
        return Err((0, "expected a closing `, found none".to_owned()));
    };
    let name = &rest[1..=end];
    // pandas turns these into identifiers, and no others.
    let is_known = |c: char| is_name_part(c) || " !$%&()*+,-./:;<=>?@[]^{|}~€°".contains(c);
    match name.iter().position(|&c| !is_known(c)) {
        _ if name.is_empty() => Err((0, "expected a name between the backticks".to_owned())),
        Some(at) => Err((1 + at, format!("a name with {:?} cannot stand in a query", name[at]))),
        None => Ok((constant(name).unwrap_or_else(Token::Quoted), end + 2)),
    }
}

fn word(rest: &[char]) -> Result<(Token, usize), (usize, String)> {
    let len = rest.iter().take_while(|&&c| is_name_part(c)).count();
    let name = match constant(&rest[..len]) {
        Ok(token) => return Ok((token, len)),
        Err(name) => name,
    };
    if rest.get(len).is_some_and(|c| "\"'".contains(*c)) {
        return match name.as_str() {
            "r" | "R" | "u" | "U" => quoted(rest, len),
            _ => Err((0, format!("texts with the prefix {name} are not supported"))),
        };
    }
    let token = match name.as_str() {
        "and" => Token::And,
        "or" => Token::Or,
        "not" => Token::Not,
        "in" => Token::In,
        "True" | "False" => Token::Value(Value::Flag(name == "True")),
        "None" => return Err((0, "None equals nothing, a missing value neither".to_owned())),
        _ if KEYWORDS.contains(&name.as_str()) => {
            return Err((
                0,
                format!(
                    "'{name}' is a word of Python: a column of that name stands in `backticks`"
                ),
            ));
        }
        _ => Token::Name(name),
    };
    Ok((token, len))
}

/// A name that pandas takes for a constant, in backticks too; otherwise the name.
fn constant(name: &[char]) -> Result<Token, String> {
    let name: String = name.iter().collect();
    match name.as_str() {
        "inf" | "Inf" => Ok(Token::Value(Value::Float(f64::INFINITY))),
        _ => Err(name),
    }
}

fn is_name_start(c: char) -> bool {
    c == '_' || unicode_ident::is_xid_start(c)
}

fn is_name_part(c: char) -> bool {
    unicode_ident::is_xid_continue(c)
}
