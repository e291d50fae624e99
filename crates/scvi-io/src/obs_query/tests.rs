//! Queries from text to cells, and those that are none.

use proptest::prelude::*;

use super::{QueryMismatch, matching, parse};
use crate::anndata::{Categorical, Column};

/// What reading a column, or comparing it, can come to.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("no {0}")]
    Missing(String),
    #[error(transparent)]
    Mismatch(#[from] QueryMismatch),
}

fn column(name: &str) -> Result<Column, Fault> {
    let texts = ["a", "b", "a", "c d"].map(|text| Some(text.to_owned()));
    Ok(match name {
        "type" => Column::Strings(texts.into()),
        "kind" => Column::Categorical(Categorical {
            codes: vec![Some(0), None, Some(1), Some(1)],
            categories: vec!["x".into(), "y".into()],
            ..Categorical::default()
        }),
        "age" => Column::Floats(vec![1.0, 2.5, f64::NAN, -3e2]),
        "odd name" => Column::Bools(vec![Some(true), Some(false), None, Some(true)]),
        "flag" => Column::Bools(vec![Some(true), Some(true), Some(false), Some(false)]),
        _ => return Err(Fault::Missing(name.to_owned())),
    })
}

/// Cells that a query holds for.
fn cells(text: &str) -> Vec<usize> {
    let holds = matching(&parse(text).unwrap(), &column).unwrap();
    (0..holds.len()).filter(|&cell| holds[cell]).collect()
}

#[test]
fn conditions() {
    for (query, want) in [
        ("type == 'a'", &[0, 2][..]),
        ("type != \"a\"", &[1, 3]),
        ("type > 'a'", &[1, 3]),
        ("type in ['b', 'c d']", &[1, 3]),
        ("type not in ['b']", &[0, 2, 3]),
        ("kind == 'y'", &[2, 3]),
        ("kind != 'y'", &[0, 1]),
        ("age >= 1", &[0, 1]),
        ("age<-1e+2", &[3]),
        ("age != 1", &[1, 2, 3]),
        ("age in [1, 2.5]", &[0, 1]),
        ("flag", &[0, 1]),
        ("`odd name` == True", &[0, 3]),
        ("not flag", &[2, 3]),
        ("~flag & type == 'a'", &[2]),
    ] {
        assert_eq!(cells(query), want, "{query}");
    }
}

#[test]
fn and_binds_before_or_and_parentheses_before_both() {
    assert_eq!(cells("flag or type == 'a' and age > 5"), [0, 1]);
    assert_eq!(cells("(flag or type == 'a') and age < 2"), [0]);
    assert_eq!(cells("not (flag or type == 'a')"), [3]);
    assert_eq!(cells("flag | age == -300"), [0, 1, 3]);
}

#[test]
fn errors_say_what_was_expected_and_where() {
    for (query, want) in [
        ("", "character 1: expected a column of obs, found the end"),
        ("type == a", "character 9: expected a value: texts stand in quotes, found 'a'"),
        ("type == 'a", "character 9: expected a closing ', found none"),
        ("type = 'a'", "character 6: expected a name"),
        ("(flag", "character 6: expected ')', found the end"),
        ("flag flag", "character 6: expected 'and', 'or' or the end, found 'flag'"),
        ("type in []", "character 10: expected a value, found ']'"),
        ("type in ['a' 'b']", "expected ',' or ']', found the text"),
        ("type not 'a'", "expected 'in'"),
        ("age == 1e999", "character 8: expected a number, found '1e999'"),
        ("@env('x')", "character 1"),
        ("age == 0x10", "expected a number"),
    ] {
        let error = parse(query).unwrap_err().to_string();
        assert!(error.starts_with(want) || error.contains(want), "{query}: {error}");
    }
    let told = |text: &str| matching(&parse(text).unwrap(), &column).unwrap_err().to_string();
    assert!(told("type == 1").contains("'type' holds texts, not the number 1"));
    assert!(told("age == 'a'").contains("'age' holds numbers"));
    assert!(told("age").contains("alone is no condition"));
    assert!(told("nothing == 1").contains("no nothing"));
}

/// Hostile depth ends in an error, not in a stack overflow.
#[test]
fn nesting_is_limited() {
    for deep in ["(", "not ", "~"] {
        let query = deep.repeat(100_000) + "flag";
        assert!(parse(&query).unwrap_err().to_string().contains("at most 64"));
    }
    let long = vec!["flag"; 100_000].join(" and ");
    assert!(parse(&long).unwrap_err().to_string().contains("at most 64"));
    assert!(parse(&vec!["flag"; 60].join(" or ")).is_ok());
    // Each kind of nesting takes from the same allowance.
    let mixed = "not (a == 1 and ".repeat(100_000) + "flag" + &")".repeat(100_000);
    assert!(parse(&mixed).unwrap_err().to_string().contains("at most 64"));
}

/// Words that stand in queries, and some that do not.
const WORDS: [&str; 30] = [
    "type",
    "kind",
    "age",
    "`odd name`",
    "flag",
    "and",
    "or",
    "not",
    "in",
    "&",
    "|",
    "~",
    "(",
    ")",
    "[",
    "]",
    ",",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "'a'",
    "\"c d\"",
    "1",
    "-3e2",
    "True",
    "\u{0}",
    "é",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn whatever_text_comes_it_answers(text in any::<String>()) {
        if let Ok(query) = parse(&text) {
            let _ = matching(&query, &column);
        }
    }

    /// An expression answers for every cell; what is none is told with its place.
    #[test]
    fn whatever_words_come_it_answers(words in prop::collection::vec(0..WORDS.len(), 0..60)) {
        let words: Vec<&str> = words.into_iter().map(|word| WORDS[word]).collect();
        let text = words.join(" ");
        match parse(&text) {
            Ok(query) => {
                if let Ok(holds) = matching(&query, &column) {
                    prop_assert_eq!(holds.len(), 4);
                }
            }
            Err(error) => {
                prop_assert!((1..=text.chars().count() + 1).contains(&error.place), "{}", error);
            }
        }
    }

    /// Any expression within the limit means the same in parentheses.
    #[test]
    fn parentheses_change_nothing(depth in 0usize..60, not in any::<bool>()) {
        let inner = if not { "not flag" } else { "flag or age > 1" };
        let text = "(".repeat(depth) + inner + &")".repeat(depth);
        prop_assert_eq!(cells(&text), cells(inner));
    }
}
