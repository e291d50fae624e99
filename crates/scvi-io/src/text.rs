//! Lists that people write as text: names of genes or cells, one a line.

use std::fs;
use std::path::Path;

use crate::IoError;

/// A character that editors of Windows put before a text; it is part of no name.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A line of a list that is not blank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListLine {
    /// Its number in the file, from 1.
    pub number: usize,
    /// What it holds, without spaces around it.
    pub text: String,
}

/// Reads the lines of a list that are not blank.
///
/// The text is UTF-8, with or without a byte order mark; lines end as in any system (`\n`, `\r\n`,
/// `\r`).
///
/// # Errors
/// [`IoError::NotText`] where the file is of another encoding, others where it cannot be read.
pub fn read_list(path: &Path) -> Result<Vec<ListLine>, IoError> {
    let bytes = fs::read(path).map_err(|e| IoError::os("read", path, e))?;
    let not_text = |problem| IoError::NotText { path: path.into(), problem };
    Ok(lines(&decode(bytes).map_err(not_text)?))
}

/// A name as messages show it: what cannot be seen in it is escaped.
pub fn visible(name: &str) -> String {
    name.escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\"")
}

/// The text, or why it is none.
fn decode(bytes: Vec<u8>) -> Result<String, String> {
    let marked = |name| Err(format!("it begins with the byte order mark of {name}"));
    match bytes[..] {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => return marked("UTF-32"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return marked("UTF-16"),
        _ => {}
    }
    if bytes.contains(&0) {
        return Err("it holds zero bytes, as UTF-16 and binary files do".into());
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let line = 1 + bytes[..at].iter().filter(|&&byte| byte == b'\n').count();
        format!("line {line} holds the byte {:#04x} where no character begins", bytes[at])
    })
}

fn lines(text: &str) -> Vec<ListLine> {
    let text = text.replace("\r\n", "\n");
    let is_around = |c: char| c.is_whitespace() || c == BYTE_ORDER_MARK;
    let lines = text.split(['\n', '\r']).map(|line| line.trim_matches(is_around));
    let numbered = (1..).zip(lines).filter(|(_, line)| !line.is_empty());
    numbered.map(|(number, line)| ListLine { number, text: line.to_owned() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<(usize, String)>, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), bytes).unwrap();
        let list = read_list(file.path()).map_err(|error| error.to_string())?;
        Ok(list.into_iter().map(|line| (line.number, line.text)).collect())
    }

    #[test]
    fn every_system_ends_lines_its_way() {
        let want = vec![(1, "a".to_owned()), (3, "b c".to_owned())];
        for end in ["\n", "\r\n", "\r"] {
            for mark in ["", "\u{feff}"] {
                for tail in ["", end, "\n\n \n"] {
                    let text = format!("{mark}a {end}{end}  b c{tail}");
                    assert_eq!(read(text.as_bytes()).unwrap(), want, "{text:?}");
                }
            }
        }
        // Lists that were joined have a mark in the middle.
        let joined = read("\u{feff}a\n\u{feff}é\n".as_bytes()).unwrap();
        assert_eq!(joined, [(1, "a".to_owned()), (2, "é".to_owned())]);
        assert_eq!(read(b"").unwrap(), []);
        assert_eq!(read("\u{feff}\r\n".as_bytes()).unwrap(), []);
    }

    #[test]
    fn other_encodings_are_named() {
        let utf16 = |big: bool, mark: bool| {
            let text = if mark { "\u{feff}CD4\n" } else { "CD4\n" };
            let units = text.encode_utf16();
            let bytes = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
            units.flat_map(bytes).collect::<Vec<u8>>()
        };
        for (bytes, part) in [
            (utf16(false, true), "UTF-16"),
            (utf16(true, true), "UTF-16"),
            (utf16(false, false), "zero bytes"),
            (b"\xff\xfe\0\0C\0\0\0".to_vec(), "UTF-32"),
            (b"\0\0\xfe\xff\0\0\0C".to_vec(), "UTF-32"),
            (b"CD4\nNa\xefve\n".to_vec(), "line 2 holds the byte 0xef"),
        ] {
            let error = read(&bytes).unwrap_err();
            assert!(error.contains("not UTF-8 text") && error.contains(part), "{error}");
        }
    }

    #[test]
    fn what_cannot_be_seen_is_shown() {
        assert_eq!(visible("5'-nt \"x\" é"), "5'-nt \"x\" é");
        assert_eq!(visible("CD4\u{200b}\t"), "CD4\\u{200b}\\t");
    }
}
