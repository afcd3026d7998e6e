//! Ecwid's errors: `{"errorMessage":…,"errorCode":…}`, or less.

use serde_json::json;

use crate::simulator::exchange::Response;

/// How a store writes the body of an error. Ecwid's documentation: all fields are optional, old pages show less.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ErrorBodies {
    /// `errorMessage` and `errorCode`.
    #[default]
    Coded,
    /// `errorMessage` alone, such as `Order #1207 not found`.
    MessageOnly,
    /// The code word in `errorMessage`, no `errorCode`.
    CodeAsMessage,
    /// No body.
    Empty,
}

/// The error answer to a call.
#[derive(Debug)]
pub(super) struct ErrorResponse {
    status: u16,
    code: &'static str,
    message: String,
    retry_after: Option<i64>,
}

impl ErrorResponse {
    pub(super) fn new(status: u16, code: &'static str, message: &str) -> Self {
        Self { status, code, message: message.to_owned(), retry_after: None }
    }

    pub(super) fn store_not_found(id: &str) -> Self {
        Self::new(404, "STORE_NOT_FOUND", &format!("Store {id} not found"))
    }

    pub(super) fn order_not_found(id: &str) -> Self {
        Self::new(404, "ORDER_NOT_FOUND", &format!("Order #{id} not found"))
    }

    pub(super) fn product_not_found(id: &str) -> Self {
        Self::new(404, "PRODUCT_NOT_FOUND", &format!("Product #{id} not found"))
    }

    pub(super) fn wrong_parameter(name: &str) -> Self {
        Self::new(400, "WRONG_PARAMETER", &format!("Wrong value of {name}"))
    }

    /// 429; `seconds` until the oldest counted call leaves the window.
    pub(super) fn rate_limited(seconds: i64) -> Self {
        let failure = Self::new(429, "RATE_LIMITED", "Too many requests");
        Self { retry_after: Some(seconds), ..failure }
    }

    pub(super) fn answer(&self, bodies: ErrorBodies) -> Response {
        let answer = match bodies {
            ErrorBodies::Coded => {
                Response::json(self.status, &json!({"errorMessage": self.message, "errorCode": self.code}))
            }
            ErrorBodies::MessageOnly => Response::json(self.status, &json!({"errorMessage": self.message})),
            ErrorBodies::CodeAsMessage => Response::json(self.status, &json!({"errorMessage": self.code})),
            ErrorBodies::Empty => Response::empty(self.status),
        };
        match self.retry_after {
            Some(seconds) => answer.header("retry-after", &seconds.to_string()),
            None => answer,
        }
    }
}
