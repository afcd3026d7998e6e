//! The calls of Ecwid's API v3.

use std::ops::ControlFlow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use crate::domain::{Answer, CallResult, Cause, Deletion, Failure, FoundObject, NotFoundEvidence, Timestamp};
use crate::providers::http::{Api, Reply};
use crate::providers::keys::equals_any;

use super::errors::{self, undocumented};
use super::object;

/// Everything but RFC 3986's unreserved characters, so that an encoded value stays one path segment or query value.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The control question, without any foreign value. It needs only the scope `read_orders`.
pub(super) const CONTROL: &str = "orders?limit=1&responseFields=total";

/// The largest page of Ecwid's lists.
pub(super) const PAGE: u64 = 100;

/// Maximum number of pages read of a list by id. Such a list also shows orders whose prefix or suffix is the
/// id; more pages are an error.
pub(super) const NEAR_MATCH_PAGES: usize = 10;

/// The fields that distinguish an order from a near match.
pub(super) const IDS: &str = "responseFields=total,items(id,internalId,orderNumber)";

/// Maximum number of pages of a list of deletions, which is read completely; no store deletes more in the
/// days asked for.
pub(super) const DELETION_PAGES: usize = 1000;

/// One store at Ecwid and the token that opens it.
#[derive(Clone, Debug)]
pub(super) struct Shop {
    /// The store's number, digits alone.
    pub(super) store_id: String,
    /// The app's access token for this store, `secret_…`.
    token: SecretString,
}

impl Shop {
    pub(super) fn new(store_id: &str, token: SecretString) -> Self {
        Self { store_id: store_id.to_owned(), token }
    }

    /// Whether `secret` is the access token.
    pub(super) fn has_token(&self, secret: &SecretString) -> bool {
        equals_any(secret.expose_secret(), std::slice::from_ref(&self.token))
    }

    /// Whether the token begins as Ecwid's access tokens do.
    pub(super) fn token_looks_right(&self) -> bool {
        looks_like_token(&self.token)
    }

    pub(super) async fn control(&self, api: &Api) -> Result<(), Failure> {
        let mut inquiry = Inquiry::new(self, api, None);
        let reply = inquiry.get(CONTROL).await?;
        inquiry.total(&reply).map(|_| ())
    }
}

/// Whether a secret begins as Ecwid's access tokens do.
pub(super) fn looks_like_token(secret: &SecretString) -> bool {
    secret.expose_secret().starts_with("secret_")
}

/// A value as one path segment or one query value.
pub(super) fn encoded(value: &str) -> String {
    utf8_percent_encode(value, RESERVED).to_string()
}

/// One page of a list.
pub(super) struct Page {
    /// The items of all pages.
    pub(super) total: u64,
    /// The number of items on this page; a list of orders may contain one without an id.
    pub(super) items: Vec<Value>,
}

/// The calls of one question: when the first was sent, how long they took, and what the last answer said.
pub(super) struct Inquiry<'a> {
    shop: &'a Shop,
    api: &'a Api,
    /// A value of the notification that the call contains; an error message may repeat it.
    foreign: Option<&'a str>,
    begun_at: Timestamp,
    first_sent_at: Option<Timestamp>,
    latency_ms: u64,
    last: Option<Reply>,
    /// The statements of the answers about an absence, for the verification row.
    evidence: Map<String, Value>,
}

impl<'a> Inquiry<'a> {
    pub(super) fn new(shop: &'a Shop, api: &'a Api, foreign: Option<&'a str>) -> Self {
        Self {
            shop,
            api,
            foreign,
            begun_at: api.now(),
            first_sent_at: None,
            latency_ms: 0,
            last: None,
            evidence: Map::new(),
        }
    }

    /// Sends `GET {base}/{store_id}/{path_and_query}` with the token.
    pub(super) async fn get(&mut self, path_and_query: &str) -> Result<Reply, Failure> {
        let bearer = SecretString::from(format!("Bearer {}", self.shop.token.expose_secret()));
        let path = format!("/{}/{path_and_query}", self.shop.store_id);
        let reply = self.api.get(&path, &[("authorization", bearer)]).await?;
        self.first_sent_at.get_or_insert(reply.asked_at);
        self.latency_ms = self.latency_ms.saturating_add(reply.latency_ms);
        self.last = Some(reply.clone());
        Ok(reply)
    }

    /// One object; `None` for a 404 that is not about the store as a whole.
    pub(super) async fn object(&mut self, path: &str) -> Result<Option<Value>, Failure> {
        let reply = self.get(path).await?;
        if reply.status != 404 {
            let object = self.accept(&reply)?;
            let has_id = object.get("id").and_then(object::id_text).is_some();
            return if has_id { Ok(Some(object)) } else { Err(undocumented(&reply, "the object has no id")) };
        }
        let word = self.word(&reply);
        if word.as_deref().is_some_and(errors::is_about_the_store) {
            return Err(self.refusal(&reply));
        }
        self.evidence.insert("status".to_owned(), json!(404));
        if let Some(word) = word {
            self.evidence.insert("errorCode".to_owned(), Value::String(word));
        }
        Ok(None)
    }

    /// Whether the last 404 of [`Inquiry::object`] had the word `word`.
    pub(super) fn last_error_is(&self, word: &str) -> bool {
        self.evidence.get("errorCode").and_then(Value::as_str) == Some(word)
    }

    /// Reads the list `path_and_query` page by page and passes every item, with its position, to `visit`
    /// until that breaks off. Starts again if the list's `total` changes meanwhile, because items may then
    /// have moved to a page that was already read.
    ///
    /// # Errors
    /// Also if `most_pages` did not reach the end.
    pub(super) async fn each_item(
        &mut self,
        path_and_query: &str,
        most_pages: usize,
        mut visit: impl FnMut(u64, Value) -> ControlFlow<()> + Send,
    ) -> Result<(), Failure> {
        let (mut offset, mut limit, mut seen_total, mut is_odd) = (0_u64, PAGE, None, false);
        for _ in 0..most_pages {
            let Page { total, items } = self.page(path_and_query, offset, &mut limit).await?;
            if seen_total.replace(total).is_some_and(|before| before != total) && offset > 0 {
                offset = 0;
                continue;
            }
            for (position, item) in (offset..).zip(items) {
                offset = position.saturating_add(1);
                is_odd |= item.get("id").and_then(object::id_text).is_none();
                if visit(position, item).is_break() {
                    return Ok(());
                }
            }
            if offset >= total {
                // An item without an id may be the wanted one.
                let odd = Failure::new(Cause::ApiError, "an item of the list has no id").with_status(200);
                return if is_odd { Err(odd) } else { Ok(()) };
            }
        }
        Err(too_long(most_pages))
    }

    /// The page of the list `path_and_query` that begins at `offset`, with at most `limit` items. If its
    /// answer is too large or breaks off, `limit` is halved until it passes.
    ///
    /// # Errors
    /// Also for a page without items before the end of the list.
    pub(super) async fn page(
        &mut self,
        path_and_query: &str,
        offset: u64,
        limit: &mut u64,
    ) -> Result<Page, Failure> {
        let joint = if path_and_query.contains('?') { '&' } else { '?' };
        let from = if offset == 0 { String::new() } else { format!("&offset={offset}") };
        let reply = loop {
            match self.get(&format!("{path_and_query}{joint}limit={limit}{from}")).await {
                Err(Failure { cause: Cause::ApiError, http_status: Some(200..=299), .. }) if *limit > 1 => {
                    *limit /= 2;
                }
                reply => break reply?,
            }
        };
        let mut page = self.accept(&reply)?;
        let Some(total) = page.get("total").and_then(number) else {
            return Err(undocumented(&reply, "the list has no total"));
        };
        let Some(Value::Array(items)) = page.get_mut("items").map(Value::take) else {
            return Err(undocumented(&reply, "the list has no items"));
        };
        self.evidence.insert("total".to_owned(), json!(total));
        if items.is_empty() && offset < total {
            return Err(undocumented(&reply, &format!("the list ends after {offset} of {total} items")));
        }
        Ok(Page { total, items })
    }

    /// The one item of the list `path_and_query` that `is_it` accepts, with its position, however many near
    /// matches there are.
    pub(super) async fn find(
        &mut self,
        path_and_query: &str,
        most_pages: usize,
        is_it: impl Fn(&Value) -> bool + Send + Sync,
    ) -> Result<Option<(u64, Value)>, Failure> {
        let mut found = None;
        let search = self.each_item(path_and_query, most_pages, |position, item| {
            if is_it(&item) {
                found = Some((position, item));
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        search.await?;
        Ok(found)
    }

    /// The one order of the list by `id` that `is_it` accepts. Only ids are requested, however many near
    /// matches there are; whole orders would be megabytes per page.
    pub(super) async fn find_order(
        &mut self,
        id: &str,
        is_it: impl Fn(&Value) -> bool + Send + Sync,
    ) -> Result<Option<Value>, Failure> {
        let list = format!("orders?ids={}", encoded(id));
        let found = self.find(&format!("{list}&{IDS}"), NEAR_MATCH_PAGES, &is_it).await?;
        let Some((position, _)) = found else { return Ok(None) };
        let Page { items, .. } = self.page(&list, position, &mut 1).await?;
        let whole = items.into_iter().find(is_it);
        whole.map(Some).ok_or_else(|| {
            Failure::new(Cause::ApiError, "the list changed while it was read").with_status(200)
        })
    }

    /// The length of the list that an answer is a page of.
    pub(super) fn total(&self, reply: &Reply) -> Result<u64, Failure> {
        let page = self.accept(reply)?;
        page.get("total").and_then(number).ok_or_else(|| undocumented(reply, "the list has no total"))
    }

    /// The JSON object of a good answer.
    fn accept(&self, reply: &Reply) -> Result<Value, Failure> {
        if !(200..=299).contains(&reply.status) {
            return Err(self.refusal(reply));
        }
        reply
            .json()
            .filter(Value::is_object)
            .ok_or_else(|| undocumented(reply, "the answer is not a JSON object"))
    }

    /// The error word of a body; see [`errors::word`].
    pub(super) fn word(&self, reply: &Reply) -> Option<String> {
        errors::word(reply, self.foreign.unwrap_or_default())
    }

    fn refusal(&self, reply: &Reply) -> Failure {
        errors::refusal(reply, self.word(reply).as_deref())
    }

    /// The answer to a question, whatever its outcome; `read` parses the object.
    pub(super) fn answer(
        self,
        asked: Result<Option<Value>, Failure>,
        read: fn(Value) -> Result<FoundObject, String>,
        absence: &str,
    ) -> Answer {
        self.answer_to_deletion(asked.map(|object| object.ok_or(Deletion::NotAsked)), read, absence)
    }

    /// The same for an absence that comes with the result of the list of deletions.
    pub(super) fn answer_to_deletion(
        self,
        asked: Result<Result<Value, Deletion>, Failure>,
        read: fn(Value) -> Result<FoundObject, String>,
        absence: &str,
    ) -> Answer {
        match asked {
            Ok(Ok(object)) => match read(object) {
                Ok(object) => self.shown(object),
                Err(detail) => {
                    let status = self.last.as_ref().map(|reply| reply.status);
                    let failure = Failure::new(Cause::ApiError, detail);
                    self.saying(status, CallResult::Failed(Failure { http_status: status, ..failure }))
                }
            },
            Ok(Err(deletion)) => {
                let missing = self.evidence.get("status").map(|_| 404);
                let status = missing.or(self.last.as_ref().map(|reply| reply.status));
                let evidence = Value::Object(self.evidence.clone());
                let absence = NotFoundEvidence { evidence, detail: absence.to_owned(), deletion };
                self.saying(status, CallResult::NotFound(absence))
            }
            Err(failure) => self.saying(failure.http_status, CallResult::Failed(failure)),
        }
    }

    /// The answer that shows an object.
    pub(super) fn shown(&self, object: FoundObject) -> Answer {
        self.saying(self.last.as_ref().map(|reply| reply.status), CallResult::Found(Box::new(object)))
    }

    fn saying(&self, http_status: Option<u16>, result: CallResult) -> Answer {
        Answer {
            asked_at: self.first_sent_at.unwrap_or(self.begun_at),
            date: self.last.as_ref().and_then(Reply::date),
            http_status,
            latency_ms: self.latency_ms,
            result,
        }
    }
}

/// A retry would read as many pages again.
pub(super) fn too_long(pages: usize) -> Failure {
    let detail = format!("the list is longer than {pages} pages");
    Failure::new(Cause::ApiError, detail).with_status(200).hopeless()
}

/// A count, quoted or not.
fn number(value: &Value) -> Option<u64> {
    object::id_text(value)?.parse().ok()
}
