//! Queries from text to cells, and those that are none.

use proptest::prelude::*;

use super::{QueriedColumn, Query, QueryMismatch, Value, matching, parse};
use crate::anndata::{Categorical, Column};

/// What reading a column, or comparing it, can come to.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("no {0}")]
    Missing(String),
    #[error(transparent)]
    Mismatch(#[from] QueryMismatch),
}

fn column(name: &str) -> Result<QueriedColumn, Fault> {
    let texts = ["a", "b", "a", "c d"].map(|text| Some(text.to_owned()));
    let ordered = |ordered| Categorical {
        codes: vec![Some(0), None, Some(1), Some(1)],
        categories: vec!["day2".into(), "day10".into(), "unused".into()],
        ordered,
        ..Categorical::default()
    };
    let integers = |v: [Option<i64>; 4]| Column::Integers(v.into());
    let values = match name {
        "type" => Column::Strings(texts.into()),
        "null_text" => Column::Strings(vec![Some("a".into()), None, None, Some("b".into())]),
        "kind" => Column::Categorical(ordered(false)),
        "stage" => Column::Categorical(ordered(true)),
        "plate" => {
            Column::Categorical(integers([Some(10), Some(2), None, Some(10)]).to_categorical())
        }
        "age" => Column::Floats(vec![1.0, 2.5, f64::NAN, -3e2]),
        "small" => Column::Singles(vec![0.1, 2.5, f32::NAN, 16_777_216.0]),
        "large" => integers([Some(1 << 53), Some((1 << 53) + 1), Some(i64::MIN), Some(0)]),
        "n" => integers([Some(1), None, Some(3), None]),
        "odd name" => Column::Bools(vec![Some(true), Some(false), None, Some(true)]),
        "flag" => Column::Bools(vec![Some(true), Some(true), Some(false), Some(false)]),
        _ => return Err(Fault::Missing(name.to_owned())),
    };
    let is_nullable = matches!(name, "null_text" | "n" | "odd name");
    Ok(QueriedColumn { values, is_nullable })
}

/// Cells that a query holds for.
fn cells(text: &str) -> Vec<usize> {
    let holds = matching(&parse(text).unwrap(), &column).unwrap();
    (0..holds.len()).filter(|&cell| holds[cell]).collect()
}

#[track_caller]
fn choose(cases: &[(&str, &[usize])]) {
    for (query, want) in cases {
        assert_eq!(cells(query), *want, "{query}");
    }
}

#[test]
fn conditions() {
    choose(&[
        ("type == 'a'", &[0, 2]),
        ("type != \"a\"", &[1, 3]),
        ("type > 'a'", &[1, 3]),
        ("'b' <= type", &[1, 3]),
        ("type in ['b', 'c d']", &[1, 3]),
        ("type not in ('b',)", &[0, 2, 3]),
        ("['b', 'c d'] in type", &[1, 3]),
        ("type == []", &[]),
        ("age >= 1", &[0, 1]),
        ("age<-1e+2", &[3]),
        ("age > -inf", &[0, 1, 3]),
        ("age in [1, 2.5,]", &[0, 1]),
        ("-300 < age <= 1", &[0]),
        ("flag", &[0, 1]),
        ("flag == 1", &[0, 1]),
        ("`odd name` == True", &[0, 3]),
        ("not flag", &[2, 3]),
    ]);
}

#[test]
fn missing_values_are_unequal_or_not_available() {
    choose(&[
        ("age != 1", &[1, 2, 3]),
        ("age == age", &[0, 1, 3]),
        ("kind != 'day10'", &[0, 1]),
        // NA is neither, and so is its negation; but NA is in no list.
        ("n != 1", &[2]),
        ("not n == 1", &[2]),
        ("n not in [1]", &[1, 2, 3]),
        ("n == 1 or flag", &[0, 1]),
        ("n == 1 and flag", &[0]),
        ("not (n == 1 and flag)", &[2, 3]),
        ("`odd name`", &[0, 3]),
        ("~`odd name`", &[1]),
        ("null_text != 'a'", &[1, 2, 3]),
        ("not null_text < 'b'", &[3]),
        // NaN is NA where it meets a nullable column.
        ("n != age", &[]),
        ("not n == age", &[]),
        ("not age == small", &[0, 2, 3]),
    ]);
}

#[test]
fn categories_are_what_they_are_in_the_data() {
    choose(&[
        ("stage > 'day2'", &[2, 3]),
        ("'day10' >= stage", &[0, 2, 3]),
        ("stage <= 'unused'", &[0, 2, 3]),
        ("kind == 'day10'", &[2, 3]),
        ("kind in ['day2', 'other']", &[0]),
        ("plate == 10", &[0, 3]),
        ("plate != 10.0", &[1, 2]),
        ("plate in [2, 3]", &[1]),
        ("kind == type", &[]),
        ("kind == kind", &[0, 2, 3]),
        ("stage < stage", &[]),
    ]);
    let told = |text: &str| matching(&parse(text).unwrap(), &column).unwrap_err().to_string();
    assert!(told("kind > 'day2'").contains("of column 'kind' have no order"));
    let order =
        "'stage' has no category that is the text \"day3\" (they are, in order: day2, day10,";
    assert!(told("stage > 'day3'").contains(order), "{}", told("stage > 'day3'"));
    let number = "'plate' holds categories that are whole numbers: the text \"10\" is none of them";
    assert!(told("plate == '10'").contains(number));
    assert!(told("stage == kind").contains("categories of one are ordered"));
    assert!(told("plate == plate").contains("compare each with values"));
}

#[test]
fn numbers_are_rounded_where_numpy_rounds_them() {
    choose(&[
        ("small == 0.1", &[0]),
        ("small in [0.1]", &[]),
        ("small == 16777217", &[3]),
        ("large == 9007199254740992", &[0]),
        ("large == 9007199254740992.0", &[0, 1]),
        ("large in [9007199254740993]", &[1]),
        ("large == -9223372036854775808", &[2]),
        ("large < 18446744073709551615", &[0, 1, 2, 3]),
    ]);
    let told = matching(&parse("large in [1.5]").unwrap(), &column).unwrap_err().to_string();
    assert!(told.contains("beyond 2^53"), "{told}");
}

#[test]
fn words_bind_as_in_python() {
    choose(&[
        ("flag or type == 'a' and age > 5", &[0, 1]),
        ("(flag or type == 'a') and age < 2", &[0]),
        ("not (flag or type == 'a')", &[3]),
        ("flag | age == -300", &[0, 1, 3]),
        ("age > 0 & flag", &[0, 1]),
        ("not flag & flag", &[]),
        ("~flag & type == 'a'", &[2]),
        ("not flag == True", &[2, 3]),
        ("((age)) > (1)", &[1]),
        ("not not ~~flag", &[0, 1]),
    ]);
}

#[test]
fn texts_are_written_as_in_python() {
    for (query, want) in [
        (r"type == 'it\'s'", "it's"),
        (r#"type == "say \"x\" \\""#, r#"say "x" \"#),
        (r"type == '\t\x41\u00e9\U0001F600\101\0'", "\tA\u{e9}\u{1f600}A\0"),
        (r"type == r'a\n\'b'", r"a\n\'b"),
        (r"type == '\d'", r"\d"),
        ("type == u'é'", "é"),
    ] {
        let values = vec![Value::Text(want.to_owned())];
        assert_eq!(parse(query), Ok(Query::In { column: "type".to_owned(), values }), "{query}");
    }
}

#[test]
fn errors_say_what_was_expected_and_where() {
    for (query, want) in [
        ("", "character 1: expected a column, a value or a condition, found the end"),
        ("type == a b", "character 11: expected 'and', 'or' or the end, found 'b'"),
        ("type in [a]", "character 10: a list holds values, and 'a' is a column: texts stand in q"),
        ("type == 'a", "character 9: expected a closing ', found none"),
        ("type = 'a'", "character 6: a single = assigns; equality is =="),
        ("(flag", "character 6: expected ')', found the end"),
        ("flag flag", "character 6: expected 'and', 'or' or the end, found 'flag'"),
        ("type in ['a' 'b']", "character 14: expected ',' or ']', found the text"),
        ("type in [1, 'b']", "a list holds texts, or numbers, or True and False"),
        ("type not 'a'", "character 10: expected 'in'"),
        ("age == 1e999", "character 8: expected a number, found '1e999'"),
        ("age == 18446744073709551616", "expected a whole number below 2^64"),
        ("age == -9223372036854775809", "character 8: expected a whole number from -2^63"),
        ("age == 0x10", "expected a number"),
        ("age == 01", "expected a whole number"),
        ("age < [1]", "character 5: a list is neither smaller nor larger"),
        ("age in 1", "character 5: expected a list, found the number 1"),
        ("1 < 2", "character 3: one side of a comparison has to be a column"),
        ("(age > 1) == True", "character 11: a condition is not compared"),
        ("~flag == True", "a condition is not compared"),
        ("age + 1 > 2", "character 5: arithmetic is not supported"),
        ("-age > 2", "character 1: arithmetic is not supported"),
        ("age * 2 > 1", "character 5: arithmetic is not supported"),
        ("abs(age) > 2", "character 4: functions are not supported"),
        ("(flag and abs(age) > 2)", "functions are not supported"),
        ("type.str.len() > 1", "character 5: attributes and methods are not supported"),
        ("type[0] == 'a'", "character 5: subscripts are not supported"),
        ("@env('x')", "character 1: variables (@) do not exist here"),
        ("type == None", "character 9: None equals nothing"),
        ("class == 'a'", "character 1: 'class' is a word of Python"),
        ("type in {'a'}", "sets and dictionaries are not supported"),
        ("type == b'a'", "texts with the prefix b are not supported"),
        ("type == 'a\\N{DASH}'", "character 11: characters are not escaped by their names"),
        ("type == '\\ud800'", "character 10: expected the code of a character"),
        ("`it's` == 1", "character 4: a name with '\\'' cannot stand in a query"),
        ("flag\nand flag", "character 5: a query is one line"),
        ("flag\u{a0}and flag", "character 5: expected a name, a value or an operator"),
        ("True", "character 1: expected a condition, found True"),
    ] {
        let error = parse(query).unwrap_err().to_string();
        assert!(error.contains(want), "{query}: {error}");
    }
    let told = |text: &str| matching(&parse(text).unwrap(), &column).unwrap_err().to_string();
    assert!(told("type == 1").contains("'type' holds texts: the number 1 is none of them"));
    assert!(told("age == 'a'").contains("'age' holds numbers: the text \"a\" is none"));
    assert!(told("age").contains("alone is no condition"));
    assert!(told("nothing == 1").contains("no nothing"));
    assert!(told("type == age").contains("'type' holds texts, and column 'age' numbers"));
}

/// Hostile depth ends in an error, not in a stack overflow.
#[test]
fn nesting_is_limited() {
    for deep in ["(", "not ", "~", "-", "[", "flag in ("] {
        let query = deep.repeat(100_000) + "flag";
        assert!(parse(&query).unwrap_err().to_string().contains("more than 64 levels"));
    }
    for word in [" and ", " or "] {
        assert_eq!(cells(&vec!["flag"; 10_000].join(word)), [0, 1]);
    }
    // Each kind of nesting takes from the same allowance.
    let mixed = "not (a == 1 and ".repeat(100_000) + "flag" + &")".repeat(100_000);
    assert!(parse(&mixed).unwrap_err().to_string().contains("more than 64 levels"));
}

/// Words that stand in queries, and some that do not.
const WORDS: [&str; 36] = [
    "type",
    "kind",
    "stage",
    "plate",
    "age",
    "small",
    "n",
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
    "-",
    "True",
    "inf",
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
