//! Kinguin's API: the calls for verification, and the meaning of its answers.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::fields;
use super::object::{self, Parsed};
use crate::domain::replaced::plain_json;
use crate::domain::{
    Answer, CallResult, Cause, Claim, Deletion, Failure, FailureScope, NotFoundEvidence, SubjectKind,
    Timestamp,
};
use crate::providers::http::Reply;
use crate::providers::ids::is_asked_by_query;
use crate::providers::{Api, LIST_LIMIT};

/// Everything but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The page size of a search, Kinguin's default. An order includes every key, so large pages become heavy.
const SEARCH_PAGE: usize = 25;

/// Maximum number of pages of a search; beyond it the search is no answer.
const SEARCH_PAGES: usize = 10;

/// Asks about the order or product of `claim`.
pub(super) async fn ask(api: &Api, key: &SecretString, claim: &Claim) -> Answer {
    let id = &claim.subject.id;
    let asked_at = api.now();
    let result = match claim.subject.kind {
        SubjectKind::Order => return ask_order(api, key, id).await,
        SubjectKind::Product => get(api, key, &format!("/v1/products/{}", encoded(id)))
            .await
            .map(|reply| reply.answer(reply.asked_at, reply.latency_ms, product_result(&reply))),
    };
    result.unwrap_or_else(|failure| unanswered(api, asked_at, failure))
}

/// Asks about one order.
pub(super) async fn ask_order(api: &Api, key: &SecretString, id: &str) -> Answer {
    let asked_at = api.now();
    let result = if is_asked_by_query(id) {
        search(api, key, id).await
    } else {
        get(api, key, &format!("/v1/order/{}", encoded(id)))
            .await
            .map(|reply| reply.answer(reply.asked_at, reply.latency_ms, order_result(&reply)))
    };
    result.unwrap_or_else(|failure| unanswered(api, asked_at, failure))
}

/// Asks about up to [`LIST_LIMIT`] products by one call; `None` if the list shows no such product, or shows it
/// twice and differently.
pub(super) async fn ask_products(
    api: &Api,
    key: &SecretString,
    claims: &[Claim],
) -> Result<Vec<Option<Answer>>, Failure> {
    let mut ids: Vec<&str> = claims.iter().map(|claim| claim.subject.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let reply =
        get(api, key, &format!("/v1/products?kinguinId={}&limit={LIST_LIMIT}", ids.join(","))).await?;
    let Page { results, .. } = page_of(&reply)?;
    let answer = |claim: &Claim| {
        let id = &claim.subject.id;
        let mut shown = results.iter().filter(|item| fields::id_of(item, "kinguinId").as_ref() == Some(id));
        let first = shown.next()?;
        if shown.any(|other| other != first) {
            return None;
        }
        let object = object::product(first, plain_json(first)).ok()?;
        Some(reply.answer(reply.asked_at, reply.latency_ms, CallResult::Found(Box::new(object))))
    };
    Ok(claims.iter().map(answer).collect())
}

/// Asks for any one order: a question without a foreign value.
pub(super) async fn control(api: &Api, key: &SecretString) -> Result<Reply, Failure> {
    let reply = get(api, key, "/v1/order?limit=1").await?;
    page_of(&reply)?;
    Ok(reply)
}

/// The result of a call about one order. Only the kind `OrderNotFound` means not there: a 404 of any other
/// kind may come from a wrong path or a gateway.
pub(super) fn order_result(reply: &Reply) -> CallResult {
    if is_good(reply) {
        return found(reply, object::order);
    }
    match (reply.status, kind(reply).as_deref()) {
        (400..=499, Some("OrderNotFound")) => CallResult::NotFound(absence(reply.status, "OrderNotFound")),
        // A real order of Kinguin's old platform, which the API cannot read.
        (400..=499, Some("OrderNotSupported")) => CallResult::Failed(
            Failure::new(
                Cause::ApiError,
                "the order is one of Kinguin's old platform, which the API cannot read (kind OrderNotSupported)",
            )
            .with_status(reply.status)
            .with_scope(FailureScope::Subject),
        ),
        // Kinguin did not reach its own backend, whatever the status is.
        (400..=499, Some("HttpClient" | "Http")) => CallResult::Failed(refusal(reply).passing()),
        _ => CallResult::Failed(refusal(reply)),
    }
}

/// The result of a call about one product. A 404 with Kinguin's own error means that it is not shown now,
/// except for the kind `Http`, which a wrong path gives.
pub(super) fn product_result(reply: &Reply) -> CallResult {
    if is_good(reply) {
        return found(reply, object::product);
    }
    match (reply.status, kind(reply).as_deref()) {
        (404, Some(kind)) if kind != "Http" => CallResult::NotFound(absence(404, kind)),
        _ => CallResult::Failed(refusal(reply)),
    }
}

pub(super) async fn get(api: &Api, key: &SecretString, path_and_query: &str) -> Result<Reply, Failure> {
    api.get(path_and_query, &[("X-Api-Key", key.clone())]).await
}

fn is_good(reply: &Reply) -> bool {
    (200..=299).contains(&reply.status)
}

pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Searches for an order by the list's filter. Only `OrderNotFound` means that an order is not there, so a
/// list without it settles nothing.
async fn search(api: &Api, key: &SecretString, id: &str) -> Result<Answer, Failure> {
    let mut asked_at = None;
    let mut latency_ms = 0_u64;
    let mut seen = 0_usize;
    for page in 1..=SEARCH_PAGES {
        let query = format!("/v1/order?orderId={}&limit={SEARCH_PAGE}&page={page}", encoded(id));
        let reply = get(api, key, &query).await?;
        let first_asked_at = *asked_at.get_or_insert(reply.asked_at);
        latency_ms = latency_ms.saturating_add(reply.latency_ms);
        if !is_good(&reply) {
            return Ok(reply.answer(first_asked_at, latency_ms, order_result(&reply)));
        }
        let Page { results, item_count } = page_of(&reply)?;
        if let Some(item) = results.iter().find(|item| fields::id_of(item, "orderId").as_deref() == Some(id))
        {
            let result = call_result(&reply, object::order(item, plain_json(item)));
            return Ok(reply.answer(first_asked_at, latency_ms, result));
        }
        seen += results.len();
        if results.len() < SEARCH_PAGE || item_count.is_some_and(|all| seen >= all) {
            let detail = "the list shows no order with this id, and does not say that there is none";
            let failure = reply.failure(detail).hopeless();
            return Ok(reply.answer(first_asked_at, latency_ms, CallResult::Failed(failure)));
        }
    }
    let detail = format!("{SEARCH_PAGES} pages of orders with other ids");
    Err(Failure::new(Cause::ApiError, detail).with_status(200).hopeless())
}

/// One page of a list.
pub(super) struct Page {
    pub(super) results: Vec<Value>,
    /// The number of items on all pages; `None` if the answer does not say.
    pub(super) item_count: Option<usize>,
}

pub(super) fn page_of(reply: &Reply) -> Result<Page, Failure> {
    if !is_good(reply) {
        return Err(refusal(reply));
    }
    let undocumented = || reply.failure("the answer is not a list as Kinguin documents it");
    let mut list = reply.json().ok_or_else(undocumented)?;
    // An unreadable count must not pass for zero: the first short page would end the list.
    let item_count = match list.get("item_count") {
        None | Some(Value::Null) => None,
        Some(_) => {
            let count = fields::count_of(&list, "item_count").and_then(|count| usize::try_from(count).ok());
            Some(count.ok_or_else(undocumented)?)
        }
    };
    match list.get_mut("results").map(Value::take) {
        Some(Value::Array(results)) => Ok(Page { results, item_count }),
        _ => Err(undocumented()),
    }
}

/// The word that distinguishes Kinguin's errors.
fn kind(reply: &Reply) -> Option<String> {
    fields::text_of(&reply.json()?, "kind").map(str::to_owned)
}

fn refusal(reply: &Reply) -> Failure {
    let kind =
        kind(reply).map_or_else(|| "no kind".to_owned(), |kind| format!("kind {}", fields::shown(&kind)));
    reply.failure(format!("the API answered {} ({kind})", reply.status))
}

fn absence(status: u16, kind: &str) -> NotFoundEvidence {
    NotFoundEvidence {
        evidence: json!({"http_status": status, "kind": kind}),
        detail: format!("the API does not show it ({status}, kind {})", fields::shown(kind)),
        deletion: Deletion::NotAsked,
    }
}

/// A call without an answer, or with one that no provider could read.
fn unanswered(api: &Api, asked_at: Timestamp, failure: Failure) -> Answer {
    let waited = api.now().since(asked_at).as_millis();
    Answer {
        asked_at,
        date: None,
        http_status: failure.http_status,
        latency_ms: u64::try_from(waited).unwrap_or(u64::MAX),
        result: CallResult::Failed(failure),
    }
}

fn found(reply: &Reply, read: fn(&Value, String) -> Parsed) -> CallResult {
    match reply.json() {
        Some(body) => call_result(reply, read(&body, reply.text(&body))),
        None => CallResult::Failed(reply.failure("the answer is not JSON")),
    }
}

fn call_result(reply: &Reply, read: Parsed) -> CallResult {
    match read {
        Ok(object) => CallResult::Found(Box::new(object)),
        Err(why) => CallResult::Failed(reply.failure(format!("the answer is not as documented: {why}"))),
    }
}
