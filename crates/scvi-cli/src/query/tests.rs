//! Queries from text to cells, and those that are none.

use scvi_io::h5ad::{Categorical, Column};

use super::{matching, parse};
use crate::error::CliError;

fn column(name: &str) -> Result<Column, CliError> {
    let texts = ["a", "b", "a", "c d"].map(|text| Some(text.to_owned()));
    Ok(match name {
        "type" => Column::Strings(texts.into()),
        "kind" => Column::Categorical(Categorical {
            codes: vec![Some(0), None, Some(1), Some(1)],
            categories: vec!["x".into(), "y".into()],
            ordered: false,
        }),
        "age" => Column::Floats(vec![1.0, 2.5, f64::NAN, -3e2]),
        "odd name" => Column::Bools(vec![Some(true), Some(false), None, Some(true)]),
        "flag" => Column::Bools(vec![Some(true), Some(true), Some(false), Some(false)]),
        _ => return Err(CliError::Query { told: format!("no {name}") }),
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
    // Whatever bytes come, it answers.
    for text in ["\u{0}", "é == 'é'", "a.b == '🦀'", "((((((", "]]", "1 == 1", "''", "`"] {
        let _ = parse(text);
    }
}
