use proptest::prelude::*;

use super::*;
use CategoryKind::{Bool, Datetime, Float, Integer, Single, Text, Timedelta};
use TimeUnit::{Nanosecond, Second};

fn field(kind: CategoryKind, categories: &[&str]) -> CategoricalField {
    let categories = categories.iter().map(|&c| c.to_owned()).collect();
    CategoricalField { key: "plate".to_owned(), categories, kind }
}

/// One category of each kind, all written alike where the kind allows it.
fn alike() -> [CategoricalField; 7] {
    [
        field(Text, &["1"]),
        field(Integer, &["1"]),
        field(Float, &["1.0"]),
        field(Single, &["1.0"]),
        field(Bool, &["True"]),
        field(Datetime(Second), &["1970-01-01 00:00:01"]),
        field(Timedelta(Second), &["0 days 00:00:01"]),
    ]
}

#[test]
fn numbers_are_equal_by_value_and_nothing_else_across_types() {
    let numbers = |kind| matches!(kind, Integer | Float | Single);
    for known in alike() {
        for found in alike() {
            let equal = known.kind == found.kind || numbers(known.kind) && numbers(found.kind);
            let codes = known.codes_of(&found).unwrap();
            assert_eq!(codes, [equal.then_some(0)], "{} {}", known.kind, found.kind);
        }
    }
}

#[test]
fn floats_are_compared_as_they_are_stored() {
    let single = field(Single, &["0.1", "1.5", "-0.0"]);
    let double = field(Float, &["0.1", "1.5", "0.0"]);
    assert_eq!(single.codes_of(&double).unwrap(), [None, Some(1), Some(2)]);
    let infinite = field(Float, &["inf", "-inf"]);
    assert_eq!(infinite.codes_of(&field(Single, &["-inf", "inf"])).unwrap(), [Some(1), Some(0)]);
}

#[test]
fn large_numbers_are_exact_among_themselves() {
    let known = field(Integer, &["9007199254740992", "9007199254740993", "18446744073709551615"]);
    let found = field(Integer, &["18446744073709551615", "9007199254740993", "-1"]);
    assert_eq!(known.codes_of(&found).unwrap(), [Some(2), Some(1), None]);
    // As a float the first two are one: neither is meant more than the other.
    let floats = field(Float, &["9007199254740992.0", "1.8446744073709552e+19"]);
    assert_eq!(known.codes_of(&floats).unwrap(), [None, Some(2)]);
    assert_eq!(floats.codes_of(&known).unwrap(), [Some(0), Some(0), Some(1)]);
}

#[test]
fn times_are_equal_in_any_unit_and_as_the_texts_that_write_them() {
    let known = field(Datetime(Second), &["2024-01-01 00:00:00", "2024-06-01 12:30:00"]);
    let finer = field(Datetime(Nanosecond), &["2024-06-01 12:30:00", "2024-01-01 00:00:00.5"]);
    assert_eq!(known.codes_of(&finer).unwrap(), [Some(1), None]);
    let texts = field(Text, &["2024-01-01", "2024-06-01T12:30:00.000", "June"]);
    assert_eq!(known.codes_of(&texts).unwrap(), [Some(0), Some(1), None]);
    // Known texts stay texts.
    assert_eq!(texts.codes_of(&known).unwrap(), [None, None]);
    let lengths = field(Timedelta(Nanosecond), &["1 days 00:00:00"]);
    assert_eq!(lengths.codes_of(&field(Text, &["1 days"])).unwrap(), [Some(0)]);
}

#[test]
fn cells_get_the_codes_of_the_model() {
    let known = field(Integer, &["2", "0", "1"]);
    let found = field(Float, &["0.0", "1.0", "2.0", "7.0"]);
    // No cell has the last of them.
    assert_eq!(known.transfer(&found, &[2, 2, 0, 1]).unwrap(), [0, 0, 1, 2]);
    let error = known.transfer(&found, &[0, 3]).unwrap_err().to_string();
    let expected = "column 'plate' has a category that the model does not know: 7.0 (float); it \
                    knows 2, 0, 1 (integer)";
    assert_eq!(error, expected);
    let many: Vec<String> = (0..14).map(|k| format!("d{k}")).collect();
    let many = CategoricalField { categories: many, ..field(Text, &[]) };
    let error = known.transfer(&many, &Vec::from_iter(0..14)).unwrap_err().to_string();
    assert!(
        error.contains("'d0', 'd1'") && error.contains("'d9', ... and 4 more (text)"),
        "{error}"
    );
}

#[test]
fn categories_of_the_other_type_are_told() {
    let told = |known: &CategoricalField, found: &CategoricalField| {
        let codes: Vec<u32> = (0..found.categories.len() as u32).collect();
        match known.transfer(found, &codes).unwrap_err() {
            CategoryError::Unknown { converts, .. } => converts,
            error => panic!("{error}"),
        }
    };
    let numbers = field(Integer, &["0", "1"]);
    assert!(told(&numbers, &field(Text, &["1", "0"])));
    assert!(told(&field(Text, &["0", "1"]), &numbers));
    assert!(told(&numbers, &field(Bool, &["False", "True"])));
    assert!(told(&field(Bool, &["False", "True"]), &field(Text, &["True"])));
    assert!(!told(&numbers, &field(Text, &["1", "2"])));
    assert!(!told(&numbers, &field(Integer, &["7"])));
}

#[test]
fn new_categories_follow_the_known_ones_in_the_order_of_their_kind() {
    let mut texts = field(Text, &["30", "4"]);
    let codes = [0, 1, 2];
    assert_eq!(texts.extend(&field(Text, &["9", "4", "10"]), &codes).unwrap(), ["10", "9"]);
    assert_eq!(texts.categories, ["30", "4", "10", "9"]);
    let mut numbers = field(Integer, &["30", "4"]);
    let found = field(Integer, &["9", "30", "10", "-1", "77"]);
    assert_eq!(numbers.extend(&found, &[0, 1, 2, 3]).unwrap(), ["-1", "9", "10"]);
    assert!(numbers.extend(&found, &[2, 1]).unwrap().is_empty());
    assert_eq!(numbers.kind, Integer);
}

#[test]
fn old_and_new_categories_get_a_common_type_or_none() {
    let mut numbers = field(Integer, &["0", "1"]);
    assert_eq!(numbers.extend(&field(Float, &["1.0", "2.5"]), &[0, 1]).unwrap(), ["2.5"]);
    assert_eq!(numbers, field(Float, &["0.0", "1.0", "2.5"]));
    let mut times = field(Datetime(Second), &["2024-01-01 00:00:00"]);
    let finer = field(Datetime(Nanosecond), &["2024-01-01 00:00:00.5"]);
    times.extend(&finer, &[0]).unwrap();
    assert_eq!(times.kind, Datetime(Nanosecond));
    assert_eq!(times.extend(&field(Text, &["2023-01-01"]), &[0]).unwrap(), ["2023-01-01 00:00:00"]);
    let refused = |known: CategoricalField, found: CategoricalField| {
        let error = known.clone().extend(&found, &[0]).unwrap_err();
        assert!(matches!(error, CategoryError::OtherType { .. }), "{error}");
        error.to_string()
    };
    let error = refused(field(Text, &["a"]), field(Integer, &["3"]));
    let expected = "column 'plate' has new categories of another type: 3 (integer); the model \
                    knows 'a' (text)";
    assert_eq!(error, expected);
    refused(field(Integer, &["1"]), field(Text, &["a"]));
    refused(field(Bool, &["True"]), field(Integer, &["1"]));
    refused(times, field(Text, &["soon"]));
}

#[test]
fn categories_that_are_none_or_twice_there() {
    assert_eq!(field(Float, &["0.5", "inf", "1e-05"]).check(), Ok(()));
    let error = |field: CategoricalField| field.check().unwrap_err().to_string();
    for (kind, text) in [
        (Integer, "1.0"),
        (Integer, "18446744073709551616"),
        (Float, "nan"),
        (Bool, "true"),
        (Datetime(Second), "2024-01-01 00:00:00.5"),
        (Datetime(Nanosecond), "3000-01-01 00:00:00"),
    ] {
        let error = error(field(kind, &[text]));
        assert!(error.contains(text) && error.contains(&kind.to_string()), "{error}");
    }
    let twice = "column 'plate' has two categories of one value: ";
    assert_eq!(error(field(Text, &["a", "b", "a"])), format!("{twice}'a'"));
    assert_eq!(error(field(Float, &["0.0", "-0.0"])), format!("{twice}-0.0"));
}

#[test]
fn more_categories_than_half_of_the_cells() {
    let names = |n: usize| CategoricalField {
        categories: (0..n).map(|k| format!("cell{k}")).collect(),
        ..field(Text, &[])
    };
    for (n, n_cells) in [(10, 10), (30, 60), (0, 0), (11, 22)] {
        assert_eq!(names(n).check_number(n_cells), Ok(()));
    }
    for (n, n_cells) in [(11, 11), (31, 60), (11, 21)] {
        let error = names(n).check_number(n_cells).unwrap_err().to_string();
        let expected = format!("has {n} categories for {n_cells} cells");
        assert!(error.contains(&expected) && error.contains("'cell9', ... and"), "{error}");
    }
    // What a model knows is not counted.
    assert_eq!(names(50).check_number_from(40, 3), Ok(()));
    let error = names(52).check_number_from(40, 3).unwrap_err().to_string();
    assert!(
        error.contains("12 new categories for 3 cells") && error.contains("'cell40'"),
        "{error}"
    );
}

proptest! {
    /// Whatever is written of numbers is read as the same number, and found again.
    #[test]
    fn every_float_is_found_again(values in prop::collection::hash_set(any::<u64>(), 1..20)) {
        let mut floats: Vec<f64> = values.into_iter().map(f64::from_bits).collect();
        floats.retain(|x| !x.is_nan() && *x != 0.0);
        let texts = floats.iter().map(|&x| float_str(x)).collect();
        let field = CategoricalField { categories: texts, ..field(Float, &[]) };
        prop_assert_eq!(field.check(), Ok(()));
        let codes = field.codes_of(&field).unwrap();
        prop_assert_eq!(codes, (0..floats.len() as u32).map(Some).collect::<Vec<_>>());
    }

    #[test]
    fn texts_are_equal_where_they_are_the_same(
        texts in prop::collection::hash_set(any::<String>(), 1..20)
    ) {
        let texts: Vec<String> = texts.into_iter().collect();
        let known = CategoricalField { categories: texts.clone(), ..field(Text, &[]) };
        let found = CategoricalField { categories: texts.into_iter().rev().collect(), ..field(Text, &[]) };
        let n = known.categories.len() as u32;
        let all: Vec<u32> = (0..n).collect();
        prop_assert_eq!(known.transfer(&found, &all).unwrap(), (0..n).rev().collect::<Vec<_>>());
    }
}
