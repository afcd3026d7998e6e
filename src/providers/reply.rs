//! An API's answer to one call, and the failures that follow from its status alone.

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;

use super::foreign;
use crate::domain::replaced::{holds_any, plain_json};
use crate::domain::{Answer, CallResult, Cause, Failure, FailureScope, Timestamp};

/// The pause if the shop's is missing or makes no sense; Ecwid's own client uses the same.
const DEFAULT_PAUSE: Duration = Duration::from_secs(10);

/// Maximum pause that a shop may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// An answer whose status a provider may interpret: 2xx, and 4xx except 408 and 429.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    /// The body, decompressed, at most [`super::http::ANSWER_CAP`] bytes.
    pub body: Vec<u8>,
    /// When the request was sent.
    pub asked_at: Timestamp,
    /// The duration until the end of the answer.
    pub latency_ms: u64,
}

impl Reply {
    /// The body as JSON, with [`crate::domain::replaced`] texts; `None` if it is not JSON.
    #[must_use]
    pub fn json(&self) -> Option<Value> {
        foreign::json(&self.body)
    }

    /// The text of the body that was read as `json`: as received, or [`plain_json`] if a part of it could not
    /// be read.
    #[must_use]
    pub fn text(&self, json: &Value) -> String {
        if holds_any(json) {
            return plain_json(json);
        }
        String::from_utf8_lossy(foreign::content(&self.body)).into_owned()
    }

    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The API's own clock.
    #[must_use]
    pub fn date(&self) -> Option<Timestamp> {
        self.header("date").and_then(Timestamp::parse_http_date)
    }

    /// A failure of this answer: `api_denied` for 401, 402 and 403, otherwise `api_error`. The control
    /// question decides its scope.
    #[must_use]
    pub fn failure(&self, detail: impl Into<String>) -> Failure {
        let cause = if matches!(self.status, 401..=403) { Cause::ApiDenied } else { Cause::ApiError };
        Failure::new(cause, detail).with_status(self.status)
    }

    /// The answer with the this result to a question whose first request was sent at `asked_at`.
    #[must_use]
    pub fn answer(&self, asked_at: Timestamp, latency_ms: u64, result: CallResult) -> Answer {
        Answer { asked_at, date: self.date(), http_status: Some(self.status), latency_ms, result }
    }

    pub(super) fn as_failure(&self, now: Timestamp) -> Option<Failure> {
        let status = self.status;
        let retry_after = self.header("retry-after");
        let fail = |cause, detail: String| Some(Failure::new(cause, detail).with_status(status));
        match status {
            408 => fail(Cause::ApiUnreachable, "the API timed out (408)".to_owned()),
            429 => Some(self.rate_limited(retry_after, now)),
            503 if retry_after.is_some() => Some(self.rate_limited(retry_after, now)),
            200..=299 => None,
            400..=499 => None,
            300..=399 => {
                fail(Cause::ApiError, format!("the API redirects ({status}); redirects are not followed"))
            }
            _ => fail(Cause::ApiError, format!("the API failed ({status})")),
        }
    }

    fn rate_limited(&self, retry_after: Option<&str>, now: Timestamp) -> Failure {
        let pause = pause(retry_after, now);
        let detail = format!("the API asks us to wait {} s ({})", pause.as_secs(), self.status);
        Failure {
            retry_after: Some(pause),
            ..Failure::new(Cause::ApiRateLimited, detail)
                .with_status(self.status)
                .with_scope(FailureScope::Source)
        }
    }
}

/// The pause that `Retry-After` asks for: seconds or a date, at most an hour; ten seconds if it is missing or
/// makes no sense.
fn pause(retry_after: Option<&str>, now: Timestamp) -> Duration {
    let Some(text) = retry_after.map(str::trim) else { return DEFAULT_PAUSE };
    let asked = match text.parse::<u64>() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => Some(LONGEST_PAUSE),
        Err(_) => Timestamp::parse_http_date(text).filter(|until| *until > now).map(|until| until.since(now)),
    };
    match asked {
        Some(asked) if !asked.is_zero() => asked.min(LONGEST_PAUSE),
        _ => DEFAULT_PAUSE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_senseless_retry_after_is_ten_seconds_and_none_is_over_an_hour() {
        let now = Timestamp::parse_rfc3339("2026-01-02T03:00:00Z").unwrap();
        let cases = [
            (None, 10),
            (Some("7"), 7),
            (Some("0"), 10),
            (Some("-5"), 10),
            (Some("soon"), 10),
            (Some("1.5"), 10),
            (Some("86400"), 3600),
            (Some("99999999999999999999999"), 3600),
            (Some("Fri, 02 Jan 2026 03:00:30 GMT"), 30),
            (Some("Fri, 02 Jan 2026 02:00:00 GMT"), 10),
        ];
        for (header, seconds) in cases {
            assert_eq!(pause(header, now), Duration::from_secs(seconds), "{header:?}");
        }
    }
}
