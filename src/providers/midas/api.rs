//! `QueryTransaction`, the only call of this provider, and its answers.

use std::time::Instant;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::domain::{
    Answer, CallResult, Cause, Deletion, Failure, FailureScope, FoundObject, NotFoundEvidence, OrderTruth,
    Truth, decimal,
};
use crate::providers::Api;
use crate::providers::http::Reply;

use super::Midas;
use super::fields::{self, Object, SHOWN, cut};
use super::object::Transaction;
use super::signature::Stamp;

const PATH: &str = "/v1/mor/transaction/query";

/// An id that does not exist, to test whether the API accepts the credentials.
const CONTROL_ID: &str = "countersign-control";

/// Everything but RFC 3986 unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Maximum length of the API's error word in a message, in characters.
const WORD: usize = 60;

/// An answer that can judge a claim, with its signature checked if answers are checked.
#[derive(Debug)]
pub(super) enum Opened {
    /// 200 with a JSON object.
    Object(Object),
    /// 404 with the API's own error body.
    NoSuch(NotFoundEvidence),
}

impl Midas {
    /// Asks about the transaction that the merchant calls `external_id`.
    pub(super) async fn question(&self, api: &Api, external_id: &str) -> Answer {
        let asked_at = api.now();
        let started = Instant::now();
        match self.query(api, external_id).await {
            Ok(reply) => reply.answer(reply.asked_at, reply.latency_ms, self.interpret(&reply, external_id)),
            Err(failure) => Answer {
                asked_at,
                date: None,
                http_status: failure.http_status,
                latency_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
                result: CallResult::Failed(failure),
            },
        }
    }

    /// Asks about an id without any foreign value.
    pub(super) async fn control_question(&self, api: &Api) -> Result<Reply, Failure> {
        self.query(api, CONTROL_ID).await
    }

    async fn query(&self, api: &Api, external_id: &str) -> Result<Reply, Failure> {
        let encode = |text| utf8_percent_encode(text, RESERVED);
        let asked = format!("{PATH}?{}={}", encode(&self.id_param), encode(external_id));
        let signed = format!("{}{}", api.base_path(), if self.sign_query { &asked } else { PATH });
        let sign = |now| {
            let authorization = self.signer.authorization(&signed, now).ok_or_else(|| {
                Failure::new(
                    Cause::ApiError,
                    "the call could not be signed: the system gives no random numbers",
                )
                .with_scope(FailureScope::Source)
            })?;
            Ok(vec![("authorization", authorization)])
        };
        api.get_with(&asked, sign).await
    }

    /// The result of a call about `external_id`. Only the documented answer with exactly this id shows a
    /// transaction.
    pub(super) fn interpret(&self, reply: &Reply, external_id: &str) -> CallResult {
        match self.open(reply) {
            Ok(Opened::Object(object)) => {
                shown(reply, object, external_id, &self.project_id).unwrap_or_else(|detail| {
                    CallResult::Failed(
                        reply.failure(format!("the API's answer is not as documented: {detail}")),
                    )
                })
            }
            Ok(Opened::NoSuch(absence)) => CallResult::NotFound(absence),
            Err(failure) => CallResult::Failed(failure),
        }
    }

    /// Interprets an answer. A refusal (401, 403 and the like) is judged by its status alone: a gateway
    /// before the API may have sent it, unsigned.
    pub(super) fn open(&self, reply: &Reply) -> Result<Opened, Failure> {
        if reply.status == 200 {
            self.check_signed(reply)?;
            return match reply.json() {
                Some(Value::Object(object)) => Ok(Opened::Object(object)),
                _ => Err(reply.failure("the API's answer is not a JSON object")),
            };
        }
        match (reply.status, error_description(reply)) {
            (404, Some((description, evidence))) => {
                self.check_signed(reply)?;
                Ok(Opened::NoSuch(absence(format!("the API knows no such transaction ({description})"), evidence)))
            }
            (404, None) => Err(reply.failure(
                "404 without the API's error body: api_base is wrong, or a gateway answers instead",
            )),
            (401, description) => Err(reply.failure(format!(
                "the API does not accept our signature ({}): merchant_id, serial_no, private_key or the clock",
                status_with(401, description)
            ))),
            (402 | 403, description) => {
                Err(reply.failure(format!("the API denies access ({})", status_with(reply.status, description))))
            }
            (status, description) => {
                Err(reply.failure(format!("the API refuses the question ({})", status_with(status, description))))
            }
        }
    }

    fn check_signed(&self, reply: &Reply) -> Result<(), Failure> {
        if !self.checks_answers() {
            return Ok(());
        }
        // Its status is not authentic either: a 404 that the platform did not sign refuses nothing.
        Stamp::of_answer(&reply.headers).check(&self.platform, &reply.body).map_err(|unsigned| {
            Failure::new(
                Cause::ApiError,
                format!("the API's answer is not signed by the platform: {}", unsigned.describe()),
            )
        })
    }
}

/// Reads a 200. The error names the field that is not as documented.
fn shown(reply: &Reply, object: Object, external_id: &str, project_id: &str) -> Result<CallResult, String> {
    let transaction = Transaction::read(&object)?;
    if transaction.is_none() {
        // An error in a 200, for example, does not state that a transaction does not exist.
        let documented = ["transaction", "payment_details", "user"];
        if !object.is_empty() && !documented.iter().any(|name| object.contains_key(*name)) {
            return Err("it holds none of transaction, payment_details and user".to_owned());
        }
        let detail = "the API's answer holds no transaction".to_owned();
        return Ok(CallResult::NotFound(absence(detail, Value::Object(transaction.evidence()))));
    }
    let Some(actual) = transaction.external_id.as_deref() else {
        return Err("transaction.external_id is missing".to_owned());
    };
    if actual != external_id {
        let (actual, asked) = (cut(actual, SHOWN), cut(external_id, SHOWN));
        let detail = format!("the API answers with transaction.external_id {actual}, not {asked}");
        return Ok(CallResult::NotFound(absence(detail, Value::Object(transaction.evidence()))));
    }
    let Some(project) = transaction.project_id.as_deref() else {
        return Err("transaction.project.id is missing".to_owned());
    };
    let compared = transaction.compared();
    let body = Value::Object(object);
    let raw = reply.text(&body);
    let truth = (project == project_id).then(|| {
        Truth::Order(OrderTruth {
            order_id: external_id.to_owned(),
            status: transaction.status,
            total: transaction.amount.filter(|amount| decimal::is_decimal(amount)),
            currency: transaction.currency,
            email: transaction.email,
            raw,
            ..OrderTruth::default()
        })
    });
    Ok(CallResult::Found(Box::new(FoundObject { body, truth, compared })))
}

fn absence(detail: String, evidence: Value) -> NotFoundEvidence {
    NotFoundEvidence { evidence, detail, deletion: Deletion::NotAsked }
}

fn status_with(status: u16, description: Option<(String, Value)>) -> String {
    description.map_or_else(|| status.to_string(), |(description, _)| format!("{status} {description}"))
}

/// The error body's `name`, the field that it complains about and the `debug_id` that the provider's support
/// asks for, as text and as JSON. `None` if the body is not the API's error body, of which only `name` is
/// certain.
fn error_description(reply: &Reply) -> Option<(String, Value)> {
    let Some(Value::Object(body)) = reply.json() else { return None };
    let name = fields::text(&body, &["name"]).ok().flatten()?;
    let mut description = cut(&name, WORD);
    let mut evidence = json!({ "name": cut(&name, WORD) });
    let field = body.get("details").and_then(|details| details.get(0)?.get("field")?.as_str());
    if let Some(field) = field.filter(|field| !field.is_empty()) {
        description.push_str(&format!(", field {}", cut(field, WORD)));
    }
    if let Some(debug_id) = fields::id(&body, &["debug_id"]).ok().flatten() {
        description.push_str(&format!(", debug_id {}", cut(&debug_id, WORD)));
        evidence["debug_id"] = Value::from(cut(&debug_id, WORD));
    }
    Some((description, evidence))
}
