//! The providers' time formats.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};

/// The source of a simulator's time; a test may pass its own.
pub type TimeSource = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// Ecwid's documentation: `2025-11-24 16:00:00 +0000`.
pub(super) fn ecwid(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S +0000").to_string()
}

/// Kinguin's documentation: `2025-03-04T10:15:00+00:00`, whole seconds in the API's answers.
pub(super) fn kinguin(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

/// RFC 3339 with milliseconds, for people.
pub(super) fn millis(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The form of HTTP's `Date` header.
pub(super) fn http_date(at: DateTime<Utc>) -> String {
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// A date parameter of either API, UTC where it names no zone.
///
/// Ecwid's documentation: unix seconds, a date, a date with time, the same with an offset. Kinguin's documentation:
/// a date, a date with time after a space or a `T`, and RFC 3339.
pub(super) fn parse(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(seconds) = text.parse() {
        return DateTime::from_timestamp(seconds, 0);
    }
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.to_utc());
    }
    if let Ok(at) = DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S %z") {
        return Some(at.to_utc());
    }
    let naive = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S")
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S"))
        .ok()
        .or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0))?;
    Some(naive.and_utc())
}
