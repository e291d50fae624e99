//! Text that others wrote, where it may be read as something else.

/// Text without characters that no document may hold, or that reorder what stands around them.
pub fn plain(text: &str) -> String {
    let is_bad = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FFFE}' | '\u{FFFF}')
    };
    text.chars().map(|c| if is_bad(c) { '\u{FFFD}' } else { c }).collect()
}

/// Text between tags, or in an attribute in double quotes.
pub fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// JSON within a script element: nothing in it ends the element, or opens a comment.
pub fn json_in_script(value: &serde_json::Value) -> String {
    let mut out = String::new();
    for c in value.to_string().chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", c as u32));
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    proptest! {
        #[test]
        fn text_stays_text(text in any::<String>()) {
            let escaped = html(&text);
            let ends_text = ['<', '>', '"', '\''];
            prop_assert!(!escaped.contains(ends_text));
            let script = json_in_script(&json!(text));
            let ends_script = ['<', '>', '&', '\u{2028}', '\u{2029}'];
            prop_assert!(!script.contains(ends_script));
            let back: String = serde_json::from_str(&script).unwrap();
            prop_assert_eq!(back, text);
        }
    }

    #[test]
    fn characters_that_reorder_text_are_replaced() {
        assert_eq!(plain("a\u{202E}b\0c\u{1b}[1m"), "a\u{FFFD}b\u{FFFD}c\u{FFFD}[1m");
        assert_eq!(html("</script>&\"'"), "&lt;/script&gt;&amp;&quot;&#39;");
    }
}
