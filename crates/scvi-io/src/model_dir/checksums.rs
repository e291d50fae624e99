//! `SHA256SUMS`: what was written is what is read.

use crate::checksum::sha256_hex;

/// The lines for some files, as `sha256sum` writes them.
pub(super) fn lines(files: &[(String, Vec<u8>)]) -> String {
    files.iter().map(|(name, bytes)| format!("{}  {name}\n", sha256_hex(bytes))).collect()
}

/// Whether a file is the one that the lines speak of.
pub(super) fn check(lines: &str, name: &str, bytes: &[u8]) -> Result<(), String> {
    let mut lines = lines.lines().filter_map(|line| line.split_once("  "));
    match lines.find(|(_, of)| *of == name) {
        Some((sum, _)) if sum == sha256_hex(bytes) => Ok(()),
        Some(_) => Err(format!("{name} is damaged: its SHA-256 is not the one in SHA256SUMS")),
        None => Err(format!("SHA256SUMS has no line for {name}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_shows() {
        let lines = lines(&[("a".to_owned(), b"abc".to_vec()), ("b".to_owned(), Vec::new())]);
        // What `printf abc | sha256sum` says.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert!(lines.starts_with(&format!("{abc}  a\n")));
        check(&lines, "a", b"abc").unwrap();
        check(&lines, "b", b"").unwrap();
        assert!(check(&lines, "a", b"abd").unwrap_err().contains("a is damaged"));
        assert!(check(&lines, "c", b"").unwrap_err().contains("no line for c"));
        assert!(check("", "a", b"abc").is_err());
    }
}
