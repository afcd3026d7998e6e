//! Parsers of arguments: states, reasons, ids, times and durations.

use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::config::length_of_time;
use crate::domain::{Clock, DeliveryState, Reason, State, Timestamp};

pub(super) fn state(states: &[State]) -> impl TypedValueParser<Value = State> + use<> {
    let words: Vec<&'static str> = states.iter().map(|state| state.as_str()).collect();
    PossibleValuesParser::new(words)
        .try_map(|word| State::parse(&word).ok_or_else(|| format!("{word} is not a state")))
}

/// One of these states of a delivery.
pub(super) fn delivery_state(
    states: &[DeliveryState],
) -> impl TypedValueParser<Value = DeliveryState> + use<> {
    let words: Vec<&'static str> = states.iter().map(|state| state.as_str()).collect();
    PossibleValuesParser::new(words)
        .try_map(|word| DeliveryState::parse(&word).ok_or_else(|| format!("{word} is not a state")))
}

pub(super) fn reason() -> impl TypedValueParser<Value = Reason> {
    let words: Vec<&'static str> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    PossibleValuesParser::new(words)
        .try_map(|word| Reason::parse(&word).ok_or_else(|| format!("{word} is not a reason")))
}

/// The id of a notification or a delivery.
pub(super) fn id() -> clap::builder::RangedI64ValueParser<i64> {
    clap::value_parser!(i64).range(1..)
}

/// The start of a window: an age (`90s`, `15m`, `24h`, `7d`), an RFC 3339 time or a date (UTC).
pub(super) fn since(text: &str) -> Result<Timestamp, String> {
    match length_of_time(text) {
        Some(ago) => Ok(Clock::system().now().minus(ago)),
        None => instant(text).map_err(|_| {
            "give an age (90s, 15m, 24h, 7d), a time (2026-01-02T03:04:05Z) or a date (2026-01-02)".to_owned()
        }),
    }
}

/// An RFC 3339 time or a date (UTC).
pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    let day = || Timestamp::parse_naive(&format!("{text} 00:00:00"), "%Y-%m-%d %H:%M:%S");
    Timestamp::parse_rfc3339(text)
        .or_else(day)
        .ok_or_else(|| "give a time (2026-01-02T03:04:05Z) or a date (2026-01-02)".to_owned())
}

/// A duration: `90s`, `15m`, `24h`, `30d`.
pub(super) fn length(text: &str) -> Result<Duration, String> {
    length_of_time(text).ok_or_else(|| "give a duration (90s, 15m, 24h, 30d)".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_begins_some_time_ago_or_at_an_instant() {
        assert_eq!(length_of_time("24h"), Some(Duration::from_secs(86_400)));
        assert_eq!(length_of_time("500ms"), Some(Duration::from_millis(500)));
        for nonsense in ["", "h", "24", "1.5h", "-1h", "99999999999999999999d", "24h ", "1w", "٣h"] {
            assert_eq!(length_of_time(nonsense), None, "{nonsense}");
            assert!(since(nonsense).is_err(), "{nonsense}");
        }
        assert_eq!(since("2026-01-02T03:04:05+01:00").unwrap().to_string(), "2026-01-02T02:04:05.000Z");
        assert_eq!(since("2026-01-02").unwrap().to_string(), "2026-01-02T00:00:00.000Z");
        assert_eq!(since("18446744073709551615d").unwrap(), Timestamp::from_millis(i64::MIN));
    }
}
