//! Times as texts: `2024-01-31 12:00:00.5`, `-1 days +12:00:00`.
//!
//! As pandas writes a `Timestamp` and a `Timedelta`, without zeros at the end of a fraction, so
//! that one time has one text whatever unit it is counted in.

const SECOND: i128 = 1_000_000_000;
const DAY: i128 = 86_400 * SECOND;

/// A point in time, in nanoseconds since 1970.
pub fn datetime_str(nanoseconds: i128) -> String {
    let (year, month, day) = date_of(nanoseconds.div_euclid(DAY));
    let year = if year < 0 { format!("-{:04}", -year) } else { format!("{year:04}") };
    format!("{year}-{month:02}-{day:02} {}", clock_str(nanoseconds.rem_euclid(DAY)))
}

/// A length of time, in nanoseconds.
pub fn timedelta_str(nanoseconds: i128) -> String {
    let days = nanoseconds.div_euclid(DAY);
    let sign = if days < 0 { "+" } else { "" };
    format!("{days} days {sign}{}", clock_str(nanoseconds.rem_euclid(DAY)))
}

/// The nanoseconds since 1970 of a date, with or without a time of day.
pub(super) fn parse_datetime(text: &str) -> Option<i128> {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let (date, clock) = match unsigned.split_once([' ', 'T']) {
        Some((date, clock)) => (date, parse_clock(clock)?),
        None => (unsigned, 0),
    };
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() < 4 || month.len() != 2 || day.len() != 2 {
        return None;
    }
    let (year, month, day) = (sign * digits(year)?, digits(month)?, digits(day)?);
    let days = days_of(year, month, day);
    // A date that there is not comes back as another.
    (date_of(days) == (year, month, day)).then_some(days * DAY + clock)
}

/// The nanoseconds of a length of time.
pub(super) fn parse_timedelta(text: &str) -> Option<i128> {
    let (days, clock) = match text.split_once(" days") {
        Some((days, "")) => (days, 0),
        Some((days, clock)) => {
            let clock = clock.strip_prefix(' ')?;
            (days, parse_clock(clock.strip_prefix('+').unwrap_or(clock))?)
        }
        None => return None,
    };
    let days = match days.strip_prefix('-') {
        Some(days) => -digits(days)?,
        None => digits(days)?,
    };
    Some(days * DAY + clock)
}

/// A number of at most 15 digits: no time of 8 bytes has a year or days of more.
fn digits(text: &str) -> Option<i128> {
    let plain = !text.is_empty() && text.len() <= 15 && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

fn clock_str(nanoseconds: i128) -> String {
    let seconds = nanoseconds / SECOND;
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    match nanoseconds % SECOND {
        0 => clock,
        fraction => format!("{clock}.{}", format!("{fraction:09}").trim_end_matches('0')),
    }
}

/// Nanoseconds since midnight.
fn parse_clock(text: &str) -> Option<i128> {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) if (1..=9).contains(&fraction.len()) => {
            (clock, digits(fraction)? * 10_i128.pow(9 - fraction.len() as u32))
        }
        Some(_) => return None,
        None => (text, 0),
    };
    let mut seconds = 0;
    let parts: Vec<&str> = clock.split(':').collect();
    if parts.len() != 3 {
        return None;
    }
    for (part, limit) in parts.into_iter().zip([24, 60, 60]) {
        let part = digits(part).filter(|&n| part.len() == 2 && n < limit)?;
        seconds = seconds * 60 + part;
    }
    Some(seconds * SECOND + fraction)
}

/// Days since 1970 of a date of the Gregorian calendar.
///
/// Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`: years
/// begin with March, so that the leap day is the last.
fn days_of(year: i128, month: i128, day: i128) -> i128 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The reverse: `civil_from_days`.
fn date_of(days: i128) -> (i128, i128, i128) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let leap_days = day_of_era / 1460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let year = year_of_era + era * 400 + i128::from(month >= 10);
    (year, (month + 2) % 12 + 1, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn as_pandas_writes_them() {
        let datetimes = [
            (0, "1970-01-01 00:00:00"),
            (1_704_067_200_500_000_000, "2024-01-01 00:00:00.5"),
            (951_782_400_000_000_001, "2000-02-29 00:00:00.000000001"),
            (-1, "1969-12-31 23:59:59.999999999"),
            (-62_198_755_200 * SECOND, "-0001-01-01 00:00:00"),
        ];
        for (time, text) in datetimes {
            assert_eq!((datetime_str(time).as_str(), parse_datetime(text)), (text, Some(time)));
        }
        let timedeltas = [
            (0, "0 days 00:00:00"),
            (DAY + SECOND / 4, "1 days 00:00:00.25"),
            (-DAY / 2, "-1 days +12:00:00"),
        ];
        for (time, text) in timedeltas {
            assert_eq!((timedelta_str(time).as_str(), parse_timedelta(text)), (text, Some(time)));
        }
    }

    #[test]
    fn other_spellings() {
        let time = Some(1_704_067_200 * SECOND);
        for text in ["2024-01-01", "2024-01-01T00:00:00", "2024-01-01 00:00:00.000"] {
            assert_eq!(parse_datetime(text), time);
        }
        assert_eq!(parse_timedelta("2 days"), Some(2 * DAY));
        let no_dates = [
            "",
            "-",
            "2024",
            "2024-01",
            "2024-1-1",
            "2024-02-30",
            "2023-02-29",
            "2024-13-01",
            "2024-00-10",
            "2024-01-00",
            "24-01-01",
            "2024-01-01 ",
            "2024-01-01 24:00:00",
            "2024-01-01 00:60:00",
            "2024-01-01 00:00",
            "2024-01-01 00:00:00.",
            "2024-01-01-01",
            "9999999999999999-01-01",
            "2024-01-01 00:00:00.1234567890",
            "2024-01-01 +1:00:00",
            "é",
        ];
        for text in no_dates {
            assert_eq!(parse_datetime(text), None, "{text}");
        }
        for text in ["", "1", "days", "x days", "1 days1", "1 days 25:00:00", "--1 days"] {
            assert_eq!(parse_timedelta(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn there_and_back(time in any::<i64>(), unit in 0..4) {
            let time = i128::from(time) * 1000_i128.pow(unit as u32);
            prop_assert_eq!(parse_datetime(&datetime_str(time)), Some(time));
            prop_assert_eq!(parse_timedelta(&timedelta_str(time)), Some(time));
        }

        #[test]
        fn any_text_is_a_time_or_none(text in "[-0-9 :.dTays+]{0,30}") {
            let _ = (parse_datetime(&text), parse_timedelta(&text));
        }
    }
}
