//! Texts and numbers as Python writes them.

use super::Value;

/// A text in quotes, and how many characters it takes.
///
/// `rest` begins with the quote. Escapes are those of Python; one that it does not know stays as it
/// is written.
///
/// # Errors
/// How many characters in something is wrong, and what.
pub(super) fn text(rest: &[char], is_raw: bool) -> Result<(String, usize), (usize, String)> {
    let quote = rest[0];
    let (mut text, mut at) = (String::new(), 1);
    loop {
        match rest.get(at) {
            None => return Err((0, format!("expected a closing {quote}, found none"))),
            Some(&c) if c == quote => return Ok((text, at + 1)),
            Some('\\') if is_raw => {
                text.push('\\');
                text.extend(rest.get(at + 1));
                at += 2;
            }
            Some('\\') => {
                let (c, len) = escape(&rest[at + 1..]).map_err(|problem| (at, problem))?;
                match c {
                    Some(c) => text.push(c),
                    None => text.extend(&rest[at..][..len + 1]),
                }
                at += 1 + len;
            }
            Some(&c) => {
                text.push(c);
                at += 1;
            }
        }
    }
}

/// What stands after a backslash: the character that is meant, `None` for both as they are, and how
/// many characters say so.
fn escape(rest: &[char]) -> Result<(Option<char>, usize), String> {
    let Some(&first) = rest.first() else { return Ok((None, 0)) };
    let simple = |c| Ok((Some(c), 1));
    match first {
        '\\' | '\'' | '"' => simple(first),
        'a' => simple('\u{7}'),
        'b' => simple('\u{8}'),
        'f' => simple('\u{c}'),
        'n' => simple('\n'),
        'r' => simple('\r'),
        't' => simple('\t'),
        'v' => simple('\u{b}'),
        'x' => code(&rest[1..], 2, 2, 16).map(|(c, len)| (Some(c), 1 + len)),
        'u' => code(&rest[1..], 4, 4, 16).map(|(c, len)| (Some(c), 1 + len)),
        'U' => code(&rest[1..], 8, 8, 16).map(|(c, len)| (Some(c), 1 + len)),
        'N' => {
            Err("characters are not escaped by their names here: write \\u and their code".into())
        }
        '0'..='7' => code(rest, 1, 3, 8).map(|(c, len)| (Some(c), len)),
        _ => Ok((None, 1)),
    }
}

/// A character by its code, in `min` to `max` digits.
fn code(rest: &[char], min: usize, max: usize, radix: u32) -> Result<(char, usize), String> {
    let digits: String = rest.iter().take(max).take_while(|c| c.is_digit(radix)).collect();
    let found = u32::from_str_radix(&digits, radix).ok().and_then(char::from_u32);
    match found.filter(|_| digits.len() >= min) {
        Some(c) => Ok((c, digits.len())),
        None => Err(format!("expected the code of a character in {min} digits, found '{digits}'")),
    }
}

/// A number without its sign, and how many characters it takes.
pub(super) fn number(rest: &[char]) -> Result<(Value, usize), String> {
    let is_part = |k: usize| {
        let (c, before) = (rest[k], rest[k.saturating_sub(1)]);
        c.is_alphanumeric() || c == '.' || c == '_' || ("+-".contains(c) && "eE".contains(before))
    };
    let len = (0..rest.len()).take_while(|&k| is_part(k)).count();
    let text: String = rest[..len].iter().collect();
    let is_integer = text.bytes().all(|b| b.is_ascii_digit());
    let value = match is_integer {
        // Python takes 00 and refuses 01.
        true if text.starts_with('0') && text.bytes().any(|b| b != b'0') => None,
        true => text.parse().ok().filter(|&n| n <= i128::from(u64::MAX)).map(Value::Integer),
        false => text.parse().ok().filter(|n: &f64| n.is_finite()).map(Value::Float),
    };
    match value {
        Some(value) => Ok((value, len)),
        None if is_integer => Err(format!("expected a whole number below 2^64, found '{text}'")),
        None => Err(format!("expected a number, found '{text}'")),
    }
}
