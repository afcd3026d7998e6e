//! Kinguin's errors: `kind`, `status`, `title`, `detail`, `path`, `method`, `trace`, `timestamp`.

use serde_json::{Value, json};

use crate::simulator::exchange::{Request, Response};
use crate::simulator::time;

/// The error answer to a call.
#[derive(Debug)]
pub(super) struct ErrorResponse {
    status: u16,
    kind: String,
    title: &'static str,
    detail: String,
    /// Property and value that a validation refused.
    violation: Option<Box<(String, String)>>,
    retry_after: Option<i64>,
}

impl ErrorResponse {
    pub(super) fn new(status: u16, kind: &str, title: &'static str, detail: &str) -> Self {
        let (kind, detail) = (kind.to_owned(), detail.to_owned());
        Self { status, kind, title, detail, violation: None, retry_after: None }
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(401, "Authorization", "Unauthorized", "The API key is not valid")
    }

    /// `kind`: the word that this account has for it.
    pub(super) fn product(kind: &str, id: &str) -> Self {
        Self::new(404, kind, "Not Found", &format!("Product {id} not found"))
    }

    pub(super) fn violation(property: &str, value: &str) -> Self {
        let failure = Self::new(400, "ConstraintViolation", "Bad Request", "The value is not valid");
        Self { violation: Some(Box::new((property.to_owned(), value.to_owned()))), ..failure }
    }

    pub(super) fn too_many(seconds: i64) -> Self {
        let failure = Self::new(429, "Http", "Too Many Requests", "Slow down");
        Self { retry_after: Some(seconds), ..failure }
    }

    pub(super) fn answer(&self, request: &Request<'_>) -> Response {
        // Kinguin's documentation prints the 401 with `type` in place of `title`, and fewer fields.
        let mut body = if self.status == 401 {
            json!({"kind": self.kind, "status": self.status, "detail": self.detail, "type": self.title})
        } else {
            json!({
                "kind": self.kind, "status": self.status, "title": self.title, "detail": self.detail,
                "path": format!("/api/{}", request.path), "method": request.method, "trace": "0a1b2c3d4e",
                "timestamp": time::kinguin(request.now),
            })
        };
        if let (Some(violation), Value::Object(body)) = (&self.violation, &mut body) {
            body.insert("propertyPath".to_owned(), json!(violation.0));
            body.insert("invalidValue".to_owned(), json!(violation.1));
        }
        let answer = Response::json(self.status, &body);
        match self.retry_after {
            Some(seconds) => answer.header("retry-after", &seconds.to_string()),
            None => answer,
        }
    }
}
