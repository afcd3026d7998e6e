//! Kinguin's dates: with and without a fraction, with an offset, `Z`, or (before December 2020) a zone's name.

use std::time::Duration;

use crate::domain::{EventTime, Timestamp};

/// The end of a date, after the time.
enum Zone {
    /// Seconds east of UTC.
    Offset(i64),
    /// A name of unknown offset.
    Named,
    Missing,
}

/// Parses an `updatedAt`; `None` if it is not a date and time. Of zone names only `UTC` and `GMT` are
/// understood: with any other, the text is kept and nothing can be compared.
pub(super) fn read(text: &str) -> Option<EventTime> {
    let (date_time, rest) = text.split_at_checked(19)?;
    let naive = naive(date_time)?;
    let (milliseconds, zone) = fraction(rest)?;
    let naive = naive.plus(Duration::from_millis(milliseconds));
    let sent = Some(text.to_owned());
    Some(match self::zone(zone)? {
        Zone::Offset(seconds) => {
            let instant = Timestamp::from_millis(naive.millis().saturating_sub(seconds.saturating_mul(1000)));
            EventTime { sent, instant: Some(instant), order: Some(instant) }
        }
        Zone::Missing => EventTime { sent, instant: None, order: Some(naive) },
        Zone::Named => EventTime { sent, instant: None, order: None },
    })
}

/// The instant of an `updatedAt`, if it has one.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    read(text)?.instant
}

/// `2025-03-04T10:15:09`, or with a space for the `T`, in exactly this form: the parser alone would also
/// accept signs and single digits.
fn naive(text: &str) -> Option<Timestamp> {
    let in_place = text.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        10 => matches!(byte, b'T' | b't' | b' '),
        13 | 16 => byte == b':',
        _ => byte.is_ascii_digit(),
    });
    if !in_place {
        return None;
    }
    let (date, time) = text.split_at_checked(10)?;
    Timestamp::parse_naive(&format!("{date}T{}", time.get(1..)?), "%Y-%m-%dT%H:%M:%S")
}

/// Splits `.120+00:00` into whole milliseconds and the rest.
fn fraction(text: &str) -> Option<(u64, &str)> {
    let Some(digits) = text.strip_prefix('.') else { return Some((0, text)) };
    let length = digits.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = digits.split_at_checked(length)?;
    if digits.is_empty() {
        return None;
    }
    let milliseconds: String = digits.chars().chain("00".chars()).take(3).collect();
    Some((milliseconds.parse().ok()?, rest))
}

fn zone(text: &str) -> Option<Zone> {
    let text = text.trim();
    if text.is_empty() {
        return Some(Zone::Missing);
    }
    if ["Z", "UTC", "GMT"].iter().any(|utc| text.eq_ignore_ascii_case(utc)) {
        return Some(Zone::Offset(0));
    }
    let (sign, offset) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(east), _) => (1, east),
        (None, Some(west)) => (-1, west),
        (None, None) => return named(text),
    };
    let digits = match offset.as_bytes() {
        [_, _, b':', _, _] => offset.replacen(':', "", 1),
        [_, _, _, _] => offset.to_owned(),
        _ => return None,
    };
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: i64 = digits.parse().ok()?;
    let (hours, minutes) = (number / 100, number % 100);
    (hours < 24 && minutes < 60).then_some(Zone::Offset(sign * (hours * 3600 + minutes * 60)))
}

fn named(text: &str) -> Option<Zone> {
    let a_name = text.len() <= 40
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_-+:".contains(&b));
    a_name.then_some(Zone::Named)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_documented_form_is_the_same_instant() {
        let whole = Timestamp::parse_rfc3339("2025-03-04T10:15:09Z");
        for text in [
            "2025-03-04T10:15:09+00:00",
            "2025-03-04T10:15:09+0000",
            "2025-03-04T10:15:09Z",
            "2025-03-04T10:15:09UTC",
            "2025-03-04T10:15:09 GMT",
            "2025-03-04 10:15:09Z",
            "2025-03-04T12:15:09+02:00",
            "2025-03-04T07:45:09-0230",
        ] {
            assert_eq!(instant(text), whole, "{text}");
        }
        let fraction = Timestamp::parse_rfc3339("2025-03-04T10:15:09.120Z");
        for text in [
            "2025-03-04T10:15:09.120+00:00",
            "2025-03-04T10:15:09.12Z",
            "2025-03-04T10:15:09.1209999999999UTC",
        ] {
            assert_eq!(instant(text), fraction, "{text}");
        }
    }

    #[test]
    fn another_zones_name_keeps_the_text_and_compares_nothing() {
        for text in ["2025-03-04T10:15:09CET", "2025-03-04T10:15:09.120Europe/Warsaw"] {
            let time = read(text).unwrap();
            assert_eq!(time, EventTime { sent: Some(text.to_owned()), instant: None, order: None });
        }
    }

    #[test]
    fn a_time_without_a_zone_only_orders() {
        let time = read("2025-03-04T10:15:09").unwrap();
        assert_eq!(time.instant, None);
        assert_eq!(time.order, Timestamp::parse_rfc3339("2025-03-04T10:15:09Z"));
    }

    #[test]
    fn nonsense_is_no_date() {
        for text in [
            "",
            "yesterday",
            "2025-03-04",
            "1741083309",
            "2025-13-04T10:15:09Z",
            "2025-02-30T10:15:09Z",
            "2025-03-04T25:15:09Z",
            "2025-03-04T10:15:09+99:00",
            "2025-03-04T10:15:09+0",
            "2025-03-04T10:15:09.Z",
            "2025-03-04T10:15:09<script>",
            "2025-03-04T10:15:0é",
            "+025-03-04T10:15:09Z",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC*|[0-9TZ:.+-]{19,30}|2025-03-04T10:15:09.{0,12}") {
            let _ = read(&text);
        }
    }
}
