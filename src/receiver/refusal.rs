//! Refusals: why a request is not stored, and the answer to its sender. The answer says whether to retry, and nothing
//! about the store or other sources.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Bytes, Payload};

use super::drain_body::WithUnread;
use crate::store::StoreError;

/// The `Retry-After` of a notification that the store did not take: long enough for a lock to end, short enough that
/// refused senders do not pile up.
const STORE_PAUSE: Duration = Duration::from_secs(10);

/// The text for a person who opens an intake URL in a browser.
const FOR_A_PERSON: &str = "This URL receives notifications from a shop by POST. Enter it in the shop's \
    panel; there is nothing to see in a browser.\n";

/// Why a request is not stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Not a POST, on any path below `/hooks/`.
    NotPost,
    Nowhere,
    UnknownSource,
    /// A wrong, missing or unexpected path token.
    WrongPathToken,
    /// Too many requests from this address; the value is the time to wait.
    RateLimited(Duration),
    /// Too little free disk space.
    LowDisk,
    /// The store did not take it, for this cause.
    NotStored(&'static str),
    /// Other bodies use all the memory for bodies.
    BodiesFull,
    /// The sender is not proven, and rows that cannot be removed fill `store.max_unproven`.
    UnprovenFull,
    /// The body is longer than allowed.
    TooLarge,
    /// The body took too long to arrive.
    TooSlow,
    /// The body broke off or is not framed as HTTP demands.
    BrokenOff,
    /// The body is compressed, or encoded in another way that no shop documents.
    Encoded,
    /// The provider's check failed; its word for the cause, and for the log what to do.
    NotAdmitted(&'static str, Option<String>),
}

impl Refusal {
    /// The cause, as counted and logged.
    pub(super) fn cause(&self) -> &'static str {
        match self {
            Self::NotPost => "not_post",
            Self::Nowhere => "nowhere",
            Self::UnknownSource => "unknown_source",
            Self::WrongPathToken => "wrong_path_token",
            Self::RateLimited(_) => "rate_limited",
            Self::LowDisk => "low_disk",
            Self::BodiesFull => "bodies_full",
            Self::UnprovenFull => "unproven_full",
            Self::TooLarge => "too_large",
            Self::TooSlow => "too_slow",
            Self::BrokenOff => "broken_off",
            Self::Encoded => "encoding",
            Self::NotAdmitted(cause, _) | Self::NotStored(cause) => cause,
        }
    }

    /// The remedy, if `cause` does not imply it.
    pub(super) fn detail(&self) -> Option<&str> {
        match self {
            Self::NotAdmitted(_, detail) => detail.as_deref(),
            Self::UnprovenFull => Some("pending notifications of unproven senders fill store.max_unproven"),
            _ => None,
        }
    }

    /// Whether the store counts it, by source and day: refusals that the source's owner can fix or should
    /// know.
    pub(super) fn is_counted(&self) -> bool {
        matches!(self, Self::NotAdmitted(..) | Self::TooLarge | Self::Encoded | Self::UnprovenFull)
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::NotPost => StatusCode::METHOD_NOT_ALLOWED,
            Self::Nowhere | Self::UnknownSource | Self::WrongPathToken => StatusCode::NOT_FOUND,
            Self::RateLimited(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::LowDisk | Self::BodiesFull | Self::NotStored(_) | Self::UnprovenFull => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::BrokenOff => StatusCode::BAD_REQUEST,
            Self::Encoded => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NotAdmitted(..) => StatusCode::UNAUTHORIZED,
        }
    }

    fn message(&self) -> &'static str {
        match self {
            Self::NotPost => FOR_A_PERSON,
            Self::Nowhere | Self::UnknownSource | Self::WrongPathToken => "not found",
            Self::RateLimited(_) => "too many requests, try again later",
            Self::LowDisk | Self::BodiesFull | Self::NotStored(_) | Self::UnprovenFull => {
                "not stored, try again later"
            }
            Self::TooLarge => "the body is too large",
            Self::TooSlow => "the body took too long",
            Self::BrokenOff => "the body could not be read",
            Self::Encoded => "send the body without Content-Encoding",
            Self::NotAdmitted(..) => "the secret or signature is missing or wrong",
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited(wait) => Some(*wait),
            Self::LowDisk | Self::BodiesFull | Self::NotStored(_) | Self::UnprovenFull => Some(STORE_PAUSE),
            _ => None,
        }
    }

    /// The refusal for an error of the store. The writer logs the error itself if waiting does not solve it.
    pub(super) fn of_store(error: &StoreError) -> Self {
        Self::NotStored(match error {
            StoreError::Full => "store_full",
            StoreError::Locked(_) => "store_locked",
            StoreError::Slow => "store_slow",
            StoreError::Closed => "store_closing",
            StoreError::Damaged(_) => "store_damaged",
            StoreError::Engine(_) | StoreError::Failed(_) | StoreError::Panicked(_) => "store_failed",
        })
    }

    /// Builds the answer. `unread` is the unread part of the request's body.
    pub(super) fn answer(self, unread: Payload) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status());
        if let Some(wait) = self.retry_after() {
            let whole_seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
            answer.insert_header((header::RETRY_AFTER, whole_seconds.max(1)));
        }
        if matches!(self, Self::TooLarge | Self::TooSlow | Self::BrokenOff | Self::BodiesFull) {
            answer.force_close();
        }
        let text = if self == Self::NotPost {
            answer.insert_header((header::ALLOW, "POST")).content_type("text/plain; charset=utf-8");
            self.message().to_owned()
        } else {
            answer.content_type("application/json");
            serde_json::json!({ "processed": false, "message": self.message() }).to_string()
        };
        answer.body(BoxBody::new(WithUnread::new(Bytes::from(text), unread)))
    }
}

/// Logs refusals, at most once a second per cause.
#[derive(Default)]
pub(super) struct RefusalLog(Mutex<HashMap<&'static str, Throttle>>);

struct Throttle {
    at: Instant,
    suppressed: u64,
}

impl RefusalLog {
    /// Logs a refusal, with its remedy if `detail` has one, or only counts it for the next line.
    pub(super) fn mention(
        &self,
        cause: &'static str,
        source: Option<&str>,
        sender: IpAddr,
        detail: Option<&str>,
    ) {
        let Some(suppressed) = self.turn(cause, Instant::now()) else { return };
        let source = source.map(|name| format!(" source={name}")).unwrap_or_default();
        let detail = detail.map(|text| format!(" detail=\"{text}\"")).unwrap_or_default();
        let others = if suppressed == 0 { String::new() } else { format!(" suppressed={suppressed}") };
        log::info!("refused cause={cause}{source} sender={sender}{detail}{others}");
    }

    /// The number of refusals since the last log line; `None` if that was less than a second ago.
    fn turn(&self, cause: &'static str, now: Instant) -> Option<u64> {
        let mut causes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match causes.get_mut(cause) {
            Some(throttle) if now.saturating_duration_since(throttle.at) < Duration::from_secs(1) => {
                throttle.suppressed = throttle.suppressed.saturating_add(1);
                None
            }
            known => {
                let suppressed = known.map_or(0, |throttle| throttle.suppressed);
                causes.insert(cause, Throttle { at: now, suppressed: 0 });
                Some(suppressed)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_is_mentioned_once_a_second() {
        let (log, start) = (RefusalLog::default(), Instant::now());
        let later = |ms| start + Duration::from_millis(ms);
        assert_eq!(log.turn("too_large", start), Some(0));
        assert_eq!(log.turn("too_large", later(1)), None);
        assert_eq!(log.turn("too_large", later(999)), None);
        assert_eq!(log.turn("wrong_secret", later(999)), Some(0));
        assert_eq!(log.turn("too_large", later(1000)), Some(2));
        assert_eq!(log.turn("too_large", later(2000)), Some(0));
    }
}
