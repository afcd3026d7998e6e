//! Applies faults to an answer and sends it.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use actix_web::body::{BodyStream, BoxBody, SizedStream};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpResponse, HttpResponseBuilder};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::stream;

use super::exchange::Response;
use super::faults::{FaultId, Trouble};
use super::gzip;
use super::time;

/// The answer after a trouble that changes what it says.
pub(super) fn replaced(answer: Response, trouble: &Trouble) -> Response {
    match trouble {
        Trouble::Answer { status, headers, body } => {
            let mut answer = Response::text(*status, "application/json", "");
            answer.headers.extend(headers.iter().cloned());
            answer.body.clone_from(body);
            answer
        }
        Trouble::Redirect(location) => Response::empty(302).header("location", location),
        Trouble::NotJson => {
            Response::text(200, "text/html", "<!doctype html><title>Gateway</title><p>Please wait.")
        }
        Trouble::Huge(bytes) => padded(answer, *bytes),
        _ => answer,
    }
}

/// The same JSON object with a padding field, so that only a limit on the size can refuse it.
fn padded(mut answer: Response, bytes: usize) -> Response {
    if answer.body.last() == Some(&b'}') {
        answer.body.pop();
        answer.body.extend_from_slice(if answer.body.ends_with(b"{") { b"" } else { b"," });
        answer.body.extend_from_slice(b"\"padding\":\"");
        answer.body.resize(answer.body.len() + bytes, b'x');
        answer.body.extend_from_slice(b"\"}");
    }
    answer
}

/// An answer without troubles.
pub(super) fn plain(answer: Response, now: DateTime<Utc>) -> HttpResponse {
    response(answer, now, &[])
}

/// An answer as it is sent, after the troubles of date, encoding and transport.
pub(super) fn response(answer: Response, now: DateTime<Utc>, met: &[(FaultId, Trouble)]) -> HttpResponse {
    let mut date = now;
    let mut body = Bytes::from(answer.body);
    let mut transport = None;
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut head = HttpResponse::build(status);
    for (name, value) in &answer.headers {
        append(&mut head, name, value);
    }
    for (_, trouble) in met {
        match trouble {
            Trouble::DateSkew(seconds) => date = skewed(date, *seconds),
            Trouble::Gzip => {
                body = Bytes::from(gzip::packed(&body));
                append(&mut head, "content-encoding", "gzip");
            }
            Trouble::Reset | Trouble::Truncate | Trouble::Dribble(_) => transport = Some(trouble),
            _ => {}
        }
    }
    append(&mut head, "date", &time::http_date(date));
    match transport {
        Some(Trouble::Reset) => cut(head),
        Some(Trouble::Truncate) => truncated(head, &body),
        Some(Trouble::Dribble(pause)) => dribble(head, *pause),
        _ => head.body(body),
    }
}

fn append(head: &mut HttpResponseBuilder, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
        head.append_header((name, value));
    }
}

fn skewed(date: DateTime<Utc>, seconds: i64) -> DateTime<Utc> {
    TimeDelta::try_seconds(seconds).and_then(|skew| date.checked_add_signed(skew)).unwrap_or(date)
}

/// Drops the connection; what the server has not flushed by then, the head included, never leaves.
fn cut(mut head: HttpResponseBuilder) -> HttpResponse {
    let broken = stream::iter([Err::<Bytes, _>(io::Error::from(io::ErrorKind::ConnectionReset))]);
    head.body(BoxBody::new(SizedStream::new(1, broken)))
}

/// Announces a whole body, sends half of it, then drops the connection.
fn truncated(mut head: HttpResponseBuilder, body: &Bytes) -> HttpResponse {
    let announced = u64::try_from(body.len()).unwrap_or(u64::MAX).max(1);
    let half = body.slice(..body.len() / 2);
    let steps = stream::unfold(Some(half), |half| async move {
        match half {
            Some(half) => Some((Ok(half), None)),
            None => {
                // A pending body makes the server flush what it has; only then may the error end the connection.
                tokio::task::yield_now().await;
                Some((Err(io::Error::from(io::ErrorKind::ConnectionReset)), None))
            }
        }
    });
    head.body(BoxBody::new(SizedStream::new(announced, Box::pin(steps))))
}

fn dribble(mut head: HttpResponseBuilder, pause: Duration) -> HttpResponse {
    let steps = stream::unfold(false, move |begun| async move {
        if begun {
            tokio::time::sleep(pause).await;
        }
        Some((Ok::<_, Infallible>(Bytes::from_static(if begun { b" " } else { b"{" })), true))
    });
    head.body(BoxBody::new(BodyStream::new(Box::pin(steps))))
}
