//! Answers that are sent before the request's body is read.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::{Bytes, Payload};

/// The text of an answer that is sent before the request's body is read. It holds the body until it is sent, which
/// makes the server close the connection; otherwise the server would read a chunked body, even one without end.
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
