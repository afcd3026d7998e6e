//! Reading a request's body within bounds, and refusing the rest of it.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::{Bytes, Payload};
use futures_util::StreamExt as _;

use super::refusal::Refusal;

/// Reads the whole body.
///
/// # Errors
/// It is longer than `max` bytes, takes longer than `time`, or breaks off.
pub(super) async fn read(payload: &mut Payload, max: usize, time: Duration) -> Result<Vec<u8>, Refusal> {
    let all = async {
        // Whatever length it claims, room is made for what has arrived: most bodies arrive at once.
        let mut body = Vec::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| Refusal::BrokenOff)?;
            if chunk.len() > max - body.len() {
                return Err(Refusal::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    };
    actix_web::rt::time::timeout(time, all).await.unwrap_or(Err(Refusal::TooSlow))
}

/// The text of an answer that leaves while the request's body is unread. It holds on to that body until it is sent: the
/// server then closes the connection, where it would otherwise read a chunked body to its end, if it has one.
pub(super) struct WithUnread {
    text: Bytes,
    _unread: Payload,
}

impl WithUnread {
    pub(super) fn new(text: Bytes, unread: Payload) -> Self {
        Self { text, _unread: unread }
    }
}

impl MessageBody for WithUnread {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        self.text.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.text).poll_next(cx)
    }
}
