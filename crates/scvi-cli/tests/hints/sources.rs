//! The hints as they stand in the sources.

/// Where hints are worded.
const SOURCES: [(&str, &str); 5] = [
    ("scvi-cli/src/hint.rs", include_str!("../../src/hint.rs")),
    ("scvi-cli/src/category_advice.rs", include_str!("../../src/category_advice.rs")),
    ("scvi-cli/src/input_advice.rs", include_str!("../../src/input_advice.rs")),
    ("scvi-io/src/hint.rs", include_str!("../../../scvi-io/src/hint.rs")),
    ("scvi-io/src/shell.rs", include_str!("../../../scvi-io/src/shell.rs")),
];

/// Checks that every text of a hint was part of one that was seen.
pub fn check_all_seen(seen: &[String]) {
    for (path, source) in SOURCES {
        for text in texts(source) {
            for part in parts(&text) {
                let is_seen = seen.iter().any(|hint| hint.contains(&part));
                assert!(is_seen, "{path}: the walk over all hints provokes none with {part:?}");
            }
        }
    }
}

/// The string literals of a source before its tests.
fn texts(source: &str) -> Vec<String> {
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = lines.collect::<Vec<_>>().join("\n").replace("'\"'", "");
    let mut texts = Vec::new();
    let mut chars = code.chars();
    while chars.by_ref().any(|c| c == '"') {
        let mut text = String::new();
        while let Some(c) = chars.next().filter(|&c| c != '"') {
            match c {
                '\\' => match chars.next() {
                    // A line that goes on without the space in front of it.
                    Some('\n') => {
                        let rest = chars.as_str().trim_start();
                        chars = rest.chars();
                    }
                    Some(c) => text.push(c),
                    None => {}
                },
                c => text.push(c),
            }
        }
        texts.push(text);
    }
    texts
}

/// What stands between the values that are put into a text, as far as it is words.
fn parts(text: &str) -> Vec<String> {
    let parts = text.split('{').enumerate().map(|(k, part)| match k {
        0 => part,
        _ => part.split_once('}').map_or("", |(_, after)| after),
    });
    parts.filter(|part| part.trim().contains(' ')).map(str::to_owned).collect()
}

#[test]
fn texts_of_a_source() {
    let source = "/// \"no\"\nlet a = \"one \\\n    two\"; // no\nf(\"{x:.1} of \\\"q\\\" it\", '\"')\n#[cfg(test)]\n\"no\"";
    assert_eq!(texts(source), ["one two", "{x:.1} of \"q\" it"]);
    assert_eq!(parts("a word {x} then {}"), ["a word "]);
}
