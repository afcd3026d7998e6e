//! The answer of a shop's API, independent of the provider.

use std::time::Duration;

use serde_json::{Map, Value};

use super::claim::{Claim, SubjectKind};
use super::course::Course;
use super::panics::Panicked;
use super::replaced::plain;
use super::time::Timestamp;
use super::verdict::{Cause, Outcome};

/// The API's answer to one verification, or its failure.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// When the first request was sent. The answer judges only notifications stored before.
    pub asked_at: Timestamp,
    /// The answer's own `Date` header.
    pub date: Option<Timestamp>,
    /// The HTTP status that the answer is based on; `None` if there was no answer.
    pub http_status: Option<u16>,
    /// From sending the first request to the end of the last answer.
    pub latency_ms: u64,
    pub result: CallResult,
}

/// The outcome of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum CallResult {
    /// The API shows an object.
    Found(Box<FoundObject>),
    /// The API says that there is no such object, in its own words and not just by a status.
    NotFound(NotFoundEvidence),
    Failed(Failure),
}

/// An object as the API shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundObject {
    /// The object's JSON, possibly only the requested fields.
    pub body: Value,
    /// The part that the store keeps; `None` if it must not be stored (for example another project's transaction).
    pub truth: Option<Truth>,
    /// The values that verification compares, and a product's price, quantity and availability. A confirmation is
    /// news if they differ from the last confirmed ones.
    pub compared: Map<String, Value>,
}

/// The API's statement that an object does not exist.
#[derive(Clone, Debug, PartialEq)]
pub struct NotFoundEvidence {
    /// The fields of the answer that it is based on.
    pub evidence: Value,
    pub detail: String,
    /// The result of the list of deletions, if the claim needs it.
    pub deletion: Deletion,
}

/// Whether the list of deletions has an object that was not found.
#[derive(Clone, Debug, PartialEq)]
pub enum Deletion {
    /// The claim is not a deletion, so the list was not called.
    NotAsked,
    /// Listed; with the list's item.
    Listed(Value),
    /// Not listed, on any page.
    NotListed,
}

/// A call without a usable answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub cause: Cause,
    /// An explanation without secrets or bodies.
    pub detail: String,
    /// The HTTP status, if there was an answer.
    pub http_status: Option<u16>,
    /// The time to wait, from `Retry-After`.
    pub retry_after: Option<Duration>,
    pub scope: FailureScope,
    /// Whether the API answered, and no later answer can tell more about this subject.
    pub is_hopeless: bool,
    /// Whether the API says that it could not look. Such a failure may end at any time, however often it was
    /// repeated.
    pub is_passing: bool,
}

/// The scope of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureScope {
    /// Unknown; the control question decides.
    Unclear,
    Source,
    /// One kind of call (a scope that the token lacks).
    CallKind,
    Subject,
}

impl Failure {
    /// A failure of unknown scope.
    #[must_use]
    pub fn new(cause: Cause, detail: impl Into<String>) -> Self {
        Self {
            cause,
            detail: detail.into(),
            http_status: None,
            retry_after: None,
            scope: FailureScope::Unclear,
            is_hopeless: false,
            is_passing: false,
        }
    }

    /// Adds the HTTP status of the answer.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        Self { http_status: Some(status), ..self }
    }

    #[must_use]
    pub fn with_scope(self, scope: FailureScope) -> Self {
        Self { scope, ..self }
    }

    /// Marks an answer that can never tell about this subject, so that retries end.
    #[must_use]
    pub fn hopeless(self) -> Self {
        Self { is_hopeless: true, ..self.with_scope(FailureScope::Subject) }
    }

    /// Marks an error by which the API says that it could not look.
    #[must_use]
    pub fn passing(self) -> Self {
        Self { is_passing: true, ..self }
    }

    /// Whether the API refused the request itself (401, 402, 403 or an unexpected 4xx), or its answer is hopeless.
    /// While the source works, such an answer is the subject's own failure.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        let is_refused = matches!(self.http_status, Some(400..=499))
            && matches!(self.cause, Cause::ApiDenied | Cause::ApiError);
        (is_refused && !self.is_passing) || self.is_hopeless
    }
}

impl From<Panicked> for Failure {
    fn from(panicked: Panicked) -> Self {
        Self::new(Cause::ApiError, panicked.to_string()).hopeless()
    }
}

/// The latest truth fetched about one order or product.
#[derive(Clone, Debug, PartialEq)]
pub enum Truth {
    /// A row of `orders`.
    Order(OrderTruth),
    /// A row of `products`.
    Product(ProductTruth),
}

/// The columns of `orders`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OrderTruth {
    /// The API's id (Midas: `external_id`).
    pub order_id: String,
    /// A second id that notifications may use (Ecwid: `internalId`).
    pub internal_id: Option<String>,
    /// Order status; Ecwid: payment status.
    pub status: Option<String>,
    /// Ecwid's fulfilment status; `None` for other providers.
    pub fulfillment_status: Option<String>,
    /// The total as decimal text.
    pub total: Option<String>,
    /// An ISO 4217 code, as the API spells it.
    pub currency: Option<String>,
    /// The buyer's or the account's address.
    pub email: Option<String>,
    /// The API's own time of the last change.
    pub updated_at: Option<Timestamp>,
    /// The API's JSON, as asked for.
    pub raw: String,
}

/// The columns of `products`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProductTruth {
    /// Ecwid's id, Kinguin's kinguinId.
    pub product_id: String,
    /// A second id (Kinguin: `productId`).
    pub internal_id: Option<String>,
    pub name: Option<String>,
    /// The price as decimal text.
    pub price: Option<String>,
    /// An ISO 4217 code, as the API spells it.
    pub currency: Option<String>,
    /// Quantity on offer; `None` if unlimited or unknown.
    pub qty: Option<i64>,
    /// Whether it can be bought.
    pub available: Option<bool>,
    /// The API's own time of the last change.
    pub updated_at: Option<Timestamp>,
    /// The API's JSON, as asked for.
    pub raw: String,
}

impl Truth {
    #[must_use]
    pub fn kind(&self) -> SubjectKind {
        match self {
            Self::Order(_) => SubjectKind::Order,
            Self::Product(_) => SubjectKind::Product,
        }
    }

    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Order(order) => &order.order_id,
            Self::Product(product) => &product.product_id,
        }
    }

    /// The API's own time of the last change.
    #[must_use]
    pub fn updated_at(&self) -> Option<Timestamp> {
        match self {
            Self::Order(order) => order.updated_at,
            Self::Product(product) => product.updated_at,
        }
    }
}

/// The stored truth about a subject before an answer is applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredObject {
    /// The id in `orders` or `products`.
    pub resolved_id: String,
    /// The second id, as in [`OrderTruth::internal_id`] and [`ProductTruth::internal_id`].
    pub internal_id: Option<String>,
    /// The API's own time of the last change.
    pub updated_at: Option<Timestamp>,
    /// When the call was made that fetched it.
    pub fetched_at: Timestamp,
    /// Whether it was found only by the second id; see [`Judge::names_by_internal_id`].
    pub by_internal_id: bool,
}

/// The facts besides the answer when a claim is compared with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The stored truth about the subject.
    pub stored: Option<StoredObject>,
    /// Whether any call of this source ever found an object. Before that, "not found" may mean a wrong configuration.
    pub source_found_any: bool,
}

/// The result of comparing a claim with an answer, regardless of the time.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// `match`, `unavailable`, `deleted`, `not_found`, `mismatch`, `wrong_store`, or `not_yet` for an answer older
    /// than the claim.
    pub outcome: Outcome,
    /// Which field differs, and how.
    pub detail: Option<String>,
    /// The fields of the answer that the outcome is based on.
    pub evidence: Value,
    /// For an unavailable product: whether it is stored with the ids of the claim.
    pub stored_before: bool,
}

impl Comparison {
    /// Everything that the claim asserts agrees.
    #[must_use]
    pub fn agrees(evidence: Value) -> Self {
        Self { outcome: Outcome::Match, detail: None, evidence: plain(evidence), stored_before: false }
    }

    /// Any other outcome, with an explanation.
    #[must_use]
    pub fn differs(outcome: Outcome, detail: impl Into<String>, evidence: Value) -> Self {
        Self { outcome, detail: Some(detail.into()), evidence: plain(evidence), stored_before: false }
    }
}

/// A provider's rules for comparing: pure and total, for any claim and any answer.
pub trait Judge: Send + Sync {
    /// Compares a claim with an answer that is not a failure.
    fn compare(&self, claim: &Claim, answer: &Answer, known: &Known) -> Comparison;

    /// The position of a claim in the course of its subject: once confirmed, it explains the statuses that it
    /// states as previous, otherwise those before it in the provider's progression. Statuses are named and
    /// spelled as in [`Judge::statuses`].
    fn course(&self, _claim: &Claim) -> Course {
        Course::default()
    }

    /// The latest time that the object of an answer carries. A claim with this time or an earlier one is not
    /// about the future, whatever the clocks say.
    fn latest_time(&self, answer: &Answer) -> Option<Timestamp> {
        match &answer.result {
            CallResult::Found(object) => object.truth.as_ref().and_then(Truth::updated_at),
            CallResult::NotFound(_) | CallResult::Failed(_) => None,
        }
    }

    /// An order's statuses in [`FoundObject::compared`], in the API's words, by the API's field names; empty for
    /// anything else.
    fn statuses(&self, _compared: &Map<String, Value>) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Whether a notification of this format has a word for `status` in the API's `field`.
    fn can_announce(&self, _field: &str, _status: &str) -> bool {
        true
    }

    /// Whether an order with these values of [`FoundObject::compared`] is final.
    fn is_final(&self, _compared: &Map<String, Value>) -> bool {
        false
    }

    /// Whether a claim says that its order was deleted.
    fn is_deletion(&self, _claim: &Claim) -> bool {
        false
    }

    /// Whether `claim` names its subject by an object's second id. If it does not, an object whose second id happens
    /// to be equal is another object, and the subject's absence says nothing about it.
    fn names_by_internal_id(&self, _claim: &Claim) -> bool {
        false
    }
}
