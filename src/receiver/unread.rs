//! Answers that leave while the request's body is unread.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::{Bytes, Payload};

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
