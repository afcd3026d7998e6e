//! The meaning of API v3's errors (Ecwid's documentation: API v3, errors). The status decides; the error
//! word, if there is one, distinguishes errors of one status.

use serde_json::Value;

use crate::domain::{Cause, Failure, FailureScope};
use crate::providers::http::Reply;

/// The words that distinguish answers of one status.
const WORDS: [&str; 7] = [
    "ORDER_NOT_FOUND",
    "PRODUCT_NOT_FOUND",
    "STORE_NOT_FOUND",
    "PROFILE_NOT_FOUND",
    "INSUFFICIENT_APP_SCOPE",
    "INVALID_API_TOKEN",
    "STORE_IS_SUSPENDED",
];

/// A 404 with such a word is not about an order or product.
pub(super) fn is_about_the_store(word: &str) -> bool {
    matches!(word, "STORE_NOT_FOUND" | "PROFILE_NOT_FOUND")
}

/// The error word of a body, at most 60 characters of it, from `errorCode` or, in old answers,
/// `errorMessage`. The message may repeat `foreign`, the id in the call, and the stranger who chose it must
/// not choose the word.
pub(super) fn word(reply: &Reply, foreign: &str) -> Option<String> {
    let body = reply.json()?;
    let text = |name| body.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    if let Some(code) = text("errorCode") {
        return Some(code.chars().take(60).collect());
    }
    let message = text("errorMessage")?;
    let foreign = foreign.to_ascii_uppercase();
    let is_word = |piece: &&str| WORDS.contains(piece) && !foreign.contains(*piece);
    message.split(|c: char| !c.is_ascii_uppercase() && c != '_').find(is_word).map(str::to_owned)
}

/// The failure for a status other than success, with its error word.
pub(super) fn refusal(reply: &Reply, word: Option<&str>) -> Failure {
    let said = word.map(|word| format!(" {}", excerpt(word))).unwrap_or_default();
    let failure = reply.failure(format!("the API refuses: {}{said}", reply.status));
    match (reply.status, word) {
        (404, Some(word)) if is_about_the_store(word) => {
            Failure { cause: Cause::ApiDenied, ..failure }.with_scope(FailureScope::Source)
        }
        (403, Some("INSUFFICIENT_APP_SCOPE")) => failure.with_scope(FailureScope::CallKind),
        _ => failure,
    }
}

/// An answer that is not the documented JSON.
pub(super) fn undocumented(reply: &Reply, detail: &str) -> Failure {
    Failure::new(Cause::ApiError, detail).with_status(reply.status)
}

/// A stranger's text, cut and escaped for one line.
pub(super) fn excerpt(text: &str) -> String {
    let short: String = text.chars().take(40).collect();
    let dots = if short.len() < text.len() { "…" } else { "" };
    format!("{}{dots}", short.escape_debug())
}
