//! Handles one request to the intake listener, from top to bottom.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use arc_swap::ArcSwap;

use super::body_memory::BodyPermit;
use super::redaction::Redaction;
use super::refusal::Refusal;
use super::route::{IntakeUrl, Route};
use super::{Intake, IntakeSource, body, sender};
use crate::domain::{Headers, RawNotification};
use crate::providers::keys::equals_any;
use crate::providers::{Acknowledgement, Admission};

/// How long an answer waits for its refusal to be counted. A slower store counts it after the answer.
const COUNTING_TIME: Duration = Duration::from_millis(250);

/// The cause under which a panel's TEST button is counted.
const TEST_CALL: &str = "test_call";

pub(super) async fn answer(
    req: HttpRequest,
    mut payload: Payload,
    in_force: Data<ArcSwap<Intake>>,
) -> HttpResponse {
    let began = Instant::now();
    let intake = Data::from(in_force.load_full());
    let url = match Route::of(req.uri().path()) {
        Route::Health if matches!(*req.method(), Method::GET | Method::HEAD) => {
            return HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok");
        }
        Route::Health | Route::Nowhere => return Refusal::Nowhere.answer(payload),
        Route::Hooks(_) if req.method() != Method::POST => return Refusal::NotPost.answer(payload),
        Route::Hooks(url) => url,
    };
    let call = Call { sender: sender_of(&req, &intake), intake, began };
    let source = match call.source(url.as_ref()) {
        Ok(source) => source,
        Err(refusal) => return refusal.answer(payload),
    };
    match call.take(&req, &mut payload, source).await {
        Ok(acknowledgement) => acknowledge(acknowledgement),
        Err(refusal) => {
            call.count(source, &refusal).await;
            refusal.answer(payload)
        }
    }
}

/// Handles a POST to an intake URL.
struct Call {
    intake: Data<Intake>,
    sender: IpAddr,
    began: Instant,
}

impl Call {
    /// The source of a URL. Guessing reveals nothing, not even by the time that the answer takes.
    fn source(&self, url: Option<&IntakeUrl>) -> Result<&IntakeSource, Refusal> {
        let known = url.and_then(|url| Some((self.intake.parts.sources.get(&url.source)?, url)));
        let Some((source, url)) = known else {
            let refusal = Refusal::UnknownSource;
            self.intake.refusal_log.mention(refusal.cause(), None, self.sender, None);
            return Err(refusal);
        };
        let is_right = match (&source.path_token, &url.token) {
            (Some(token), Some(given)) => equals_any(given, std::slice::from_ref(token)),
            (None, None) => true,
            _ => false,
        };
        if is_right {
            return Ok(source);
        }
        let refusal = Refusal::WrongPathToken;
        self.note(source, &refusal);
        self.count_aside(source, refusal.cause());
        Err(refusal)
    }

    /// Reads, checks and stores one notification. If several refusals apply, the first of the order here is the answer.
    async fn take(
        &self,
        req: &HttpRequest,
        payload: &mut Payload,
        source: &IntakeSource,
    ) -> Result<Acknowledgement, Refusal> {
        let parts = &self.intake.parts;
        if is_encoded(req) {
            return Err(Refusal::Encoded);
        }
        let too_soon = match &self.intake.address_limit {
            Some(limit) => limit.check(self.sender).map_err(Refusal::RateLimited),
            None => Ok(()),
        };
        // A body without a length may still turn out to be too large.
        if let Some(length) = claimed_length(req) {
            if length > u64::try_from(parts.max_body).unwrap_or(u64::MAX) {
                return Err(Refusal::TooLarge);
            }
            too_soon.clone()?;
        }
        let (body, permit) =
            body::read(payload, parts.max_body, parts.body_time, &self.intake.memory).await?;
        too_soon?;
        let redaction = Redaction::of(source.path_token.as_ref());
        let content_type = req.headers().get(header::CONTENT_TYPE);
        let notification = RawNotification {
            source: source.name.clone(),
            provider: source.provider_name.to_owned(),
            received_at: parts.clock.now(),
            remote_addr: self.sender.to_string(),
            content_type: content_type.map(|value| redaction.apply(lossy(value.as_bytes()))),
            headers: headers_of(req, &redaction),
            body,
        };
        match source.provider.admit(&notification) {
            Admission::Admitted => self.store(source, notification, permit).await?,
            Admission::TestCall => {
                parts.metrics.refused(&source.name, TEST_CALL);
                self.intake.refusal_log.mention(TEST_CALL, Some(&source.name), self.sender, None);
                self.count_in_store(source, TEST_CALL).await;
            }
            Admission::Refused { cause, detail } => return Err(Refusal::NotAdmitted(cause, detail)),
        }
        Ok(source.provider.acknowledgement())
    }

    /// Returns when the notification is on disk. It is stored even if the sender hangs up meanwhile.
    async fn store(
        &self,
        source: &IntakeSource,
        notification: RawNotification,
        permit: BodyPermit,
    ) -> Result<(), Refusal> {
        let parts = &self.intake.parts;
        if !parts.has_room.load(Ordering::Relaxed) {
            return Err(Refusal::LowDisk);
        }
        if !self.intake.unproven_limit.lets_in(parts.store.reader(), &notification.remote_addr).await {
            return Err(Refusal::UnprovenFull);
        }
        let at = notification.received_at;
        let stored = parts.store.append_holding(notification, permit).await;
        let id = stored.map_err(|error| Refusal::of_store(&error))?;
        source.counters.stored(self.began.elapsed(), at);
        log::debug!("stored notification={id} source={} provider={}", source.name, source.provider_name);
        Ok(())
    }

    async fn count(&self, source: &IntakeSource, refusal: &Refusal) {
        self.note(source, refusal);
        if refusal.is_counted() {
            self.count_in_store(source, refusal.cause()).await;
        }
    }

    fn note(&self, source: &IntakeSource, refusal: &Refusal) {
        let (cause, name) = (refusal.cause(), source.name.as_str());
        self.intake.parts.metrics.refused(name, cause);
        self.intake.refusal_log.mention(cause, Some(name), self.sender, refusal.detail());
    }

    async fn count_in_store(&self, source: &IntakeSource, cause: &'static str) {
        let parts = &self.intake.parts;
        let sender = self.sender.to_string();
        let counted = parts.store.count_refusal(&source.name, cause, &sender, parts.clock.now());
        if let Ok(Err(error)) = actix_web::rt::time::timeout(COUNTING_TIME, counted).await {
            log::debug!("cannot count a refusal: {error:#}");
        }
    }

    /// Counts without delaying the answer: a slower answer would reveal that the source exists.
    fn count_aside(&self, source: &IntakeSource, cause: &'static str) {
        let Ok(place) = Arc::clone(&self.intake.guesses).try_acquire_owned() else { return };
        let (intake, name, sender) =
            (Data::clone(&self.intake), source.name.clone(), self.sender.to_string());
        actix_web::rt::spawn(async move {
            let parts = &intake.parts;
            if let Err(error) = parts.store.count_refusal(&name, cause, &sender, parts.clock.now()).await {
                log::debug!("cannot count a refusal: {error:#}");
            }
            drop(place);
        });
    }
}

fn acknowledge(acknowledgement: Acknowledgement) -> HttpResponse {
    let status = StatusCode::from_u16(acknowledgement.status).unwrap_or(StatusCode::OK);
    let mut answer = HttpResponse::build(status);
    match acknowledgement.content_type {
        _ if acknowledgement.body.is_empty() => answer.finish(),
        Some(content_type) => answer.content_type(content_type).body(acknowledgement.body),
        None => answer.body(acknowledgement.body),
    }
}

fn sender_of(req: &HttpRequest, intake: &Intake) -> IpAddr {
    let peer = req.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    let forwarded: Vec<String> =
        req.headers().get_all(header::X_FORWARDED_FOR).map(|value| lossy(value.as_bytes())).collect();
    if !forwarded.is_empty() && !sender::is_trusted(peer, &intake.parts.trusted_proxies) {
        intake.untrusted_proxies.mention(peer);
    }
    sender::address(peer, forwarded.iter().map(String::as_str), &intake.parts.trusted_proxies)
}

/// Whether the body must be decoded before it can be read. No shop sends such a body, and a small one can decode to any
/// size.
fn is_encoded(req: &HttpRequest) -> bool {
    let mut values = req.headers().get_all(header::CONTENT_ENCODING);
    values.any(|value| {
        let mut codings = value.as_bytes().split(|b| *b == b',').map(<[u8]>::trim_ascii);
        codings.any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity"))
    })
}

/// The body length that the head of a request claims.
fn claimed_length(req: &HttpRequest) -> Option<u64> {
    req.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// All headers by name, with repeated ones in the order of arrival.
fn headers_of(req: &HttpRequest, redaction: &Redaction<'_>) -> Headers {
    let value = |value: &HeaderValue| redaction.apply(lossy(value.as_bytes()));
    let mut pairs: Vec<(&str, String)> =
        req.headers().iter().map(|(name, text)| (name.as_str(), value(text))).collect();
    pairs.sort_by_key(|(name, _)| *name);
    Headers::new(pairs)
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
