//! What the page was made from.

use crate::page::{Block, Section, Table};

/// What the page was made from, so that it can be cited and made again.
#[derive(Debug, Clone, Default)]
pub struct Provenance {
    /// The command, as it can be typed.
    pub command: String,
    /// Names with values: versions, files, hashes, seeds.
    pub entries: Vec<(String, String)>,
}

impl Provenance {
    /// The section.
    pub fn section(&self) -> Section {
        let command = ("command".to_owned(), self.command.clone());
        let entries = std::iter::once(&command).filter(|(_, c)| !c.is_empty()).chain(&self.entries);
        let rows = entries.map(|(name, value)| vec![name.clone(), value.clone()]).collect();
        let table = Table {
            caption: "The same command gives the same page, byte by byte.".to_owned(),
            columns: [("what", false), ("value", false)]
                .map(|(name, is_number)| (name.to_owned(), is_number))
                .to_vec(),
            rows,
        };
        let text = "Cite the versions and hashes below with any figure from this page.".to_owned();
        let blocks = vec![Block::Text(text), Block::Table(table)];
        Section { id: "provenance", heading: "Provenance", blocks }
    }
}
