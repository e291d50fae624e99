//! Numbers as a reader of the page sees them.

/// Four significant digits, whole numbers in groups of three, `–` for what is no number.
pub fn shown(value: f64) -> String {
    if !value.is_finite() {
        return if value.is_nan() { "–".to_owned() } else { value.to_string() };
    }
    let size = value.abs();
    if value.fract() == 0.0 && size < 1e15 {
        return grouped(value);
    }
    match size {
        _ if !(1e-4..1e15).contains(&size) => format!("{value:.2e}"),
        _ if size >= 1000.0 => grouped(value.round()),
        _ => {
            let digits = (3 - size.log10().floor() as i32).clamp(0, 7);
            format!("{value:.*}", digits as usize)
        }
    }
}

/// A count, in groups of three.
pub fn count(n: usize) -> String {
    grouped(n as f64)
}

fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::from(if value < 0.0 { "-" } else { "" });
    for (k, digit) in digits.chars().enumerate() {
        if k > 0 && (digits.len() - k).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn numbers_have_four_significant_digits() {
        for (value, expected) in [
            (0.0, "0"),
            (1_234_567.0, "1,234,567"),
            (-1234.6, "-1,235"),
            (12.3456, "12.35"),
            (0.012_345_6, "0.01235"),
            (1e-9, "1.00e-9"),
            (-1e20, "-1.00e20"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(shown(value), expected);
        }
    }
}
