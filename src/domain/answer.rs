//! What came back when the shop's API was asked, in words that no provider owns.

use std::time::Duration;

use serde_json::{Map, Value};

use super::claim::{Claim, SubjectKind};
use super::course::Course;
use super::panics::Panicked;
use super::replaced::plain;
use super::time::Timestamp;
use super::verdict::{Cause, Outcome};

/// The API's answer to one question, also when there was none.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// When the first request of the question was sent; the answer judges only what was stored before.
    pub asked_at: Timestamp,
    /// The answer's own `Date` header.
    pub date: Option<Timestamp>,
    /// The HTTP status that the answer rests on; `None` where no answer came.
    pub http_status: Option<u16>,
    /// From sending the first request to the end of the last answer.
    pub latency_ms: u64,
    /// What was said.
    pub said: Said,
}

/// The content of an [`Answer`].
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// The API shows an object.
    There(Box<Sighting>),
    /// The API says that there is no such object: its own words for it, not just a status.
    NotThere(Absence),
    /// Nothing that judges anything.
    Failed(Failure),
}

/// An object as the API shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sighting {
    /// The object's JSON, as asked for.
    pub body: Value,
    /// What the store keeps of it; `None` where it must not land there (another project's transaction, say).
    pub truth: Option<Truth>,
    /// The values that verification compares, and of a product price, quantity and availability: when they differ
    /// from those confirmed before, a confirmation is news.
    pub compared: Map<String, Value>,
}

/// The API's statement that an object does not exist.
#[derive(Clone, Debug, PartialEq)]
pub struct Absence {
    /// The fields of the answer that say so.
    pub evidence: Value,
    /// The same in plain words.
    pub detail: String,
    /// What the list of deletions says, where the claim asked for it.
    pub deletion: Deletion,
}

/// What a list of deletions says about an object that is not there.
#[derive(Clone, Debug, PartialEq)]
pub enum Deletion {
    /// No claim of a deletion; the list was not asked.
    NotAsked,
    /// Listed: the list's item.
    Listed(Value),
    /// All pages read, not listed.
    NotListed,
}

/// A question without a usable answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What kind of failure.
    pub cause: Cause,
    /// What happened, in plain words; holds no secret and no body.
    pub detail: String,
    /// The HTTP status, where an answer came.
    pub http_status: Option<u16>,
    /// How long the API asked us to wait, as read from `Retry-After`.
    pub retry_after: Option<Duration>,
    /// Whose trouble it is.
    pub trouble: Trouble,
    /// Whether the API answered, and no further answer can tell more about this subject.
    pub is_hopeless: bool,
    /// Whether the API says itself that it could not look: it may be able to any time, however often it was not.
    pub is_passing: bool,
}

/// Whose trouble a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Not known: the control question tells.
    Unclear,
    /// The whole source's.
    Source,
    /// One kind of call's (a scope that the token lacks).
    Lane,
    /// This subject's alone.
    Subject,
}

impl Failure {
    /// A failure whose owner the control question must tell.
    #[must_use]
    pub fn new(cause: Cause, detail: impl Into<String>) -> Self {
        Self {
            cause,
            detail: detail.into(),
            http_status: None,
            retry_after: None,
            trouble: Trouble::Unclear,
            is_hopeless: false,
            is_passing: false,
        }
    }

    /// The same with the HTTP status of the answer.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        Self { http_status: Some(status), ..self }
    }

    /// The same, with its owner known.
    #[must_use]
    pub fn troubling(self, trouble: Trouble) -> Self {
        Self { trouble, ..self }
    }

    /// The same for a good answer that can never tell about this subject: asking again would go on for ever.
    #[must_use]
    pub fn hopeless(self) -> Self {
        Self { is_hopeless: true, ..self.troubling(Trouble::Subject) }
    }

    /// The same for an error by which the API says that it could not look.
    #[must_use]
    pub fn passing(self) -> Self {
        Self { is_passing: true, ..self }
    }

    /// Whether the API refused the request itself: 401, 402, 403 or an unexpected 4xx; or its answer is hopeless. While
    /// the source is well, such an answer about one subject is the subject's own.
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

/// What `orders` keeps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OrderTruth {
    /// The API's id (Midas: `external_id`).
    pub order_id: String,
    /// A second id by which notifications may name the order (Ecwid: `internalId`).
    pub internal_id: Option<String>,
    /// Order status; Ecwid: payment status.
    pub status: Option<String>,
    /// Ecwid only.
    pub fulfillment_status: Option<String>,
    /// Decimal text.
    pub total: Option<String>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// The buyer's or the account's address.
    pub email: Option<String>,
    /// The API's own time of the last change.
    pub updated_at: Option<Timestamp>,
    /// The API's JSON, as asked for.
    pub raw: String,
}

/// What `products` keeps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProductTruth {
    /// Ecwid's id, Kinguin's kinguinId.
    pub product_id: String,
    /// A second id (Kinguin: `productId`).
    pub internal_id: Option<String>,
    /// The product's name.
    pub name: Option<String>,
    /// Decimal text.
    pub price: Option<String>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// Pieces on offer; `None` where unlimited or not told.
    pub qty: Option<i64>,
    /// Whether it can be bought.
    pub available: Option<bool>,
    /// The API's own time of the last change.
    pub updated_at: Option<Timestamp>,
    /// The API's JSON, as asked for.
    pub raw: String,
}

impl Truth {
    /// Order or product.
    #[must_use]
    pub fn kind(&self) -> SubjectKind {
        match self {
            Self::Order(_) => SubjectKind::Order,
            Self::Product(_) => SubjectKind::Product,
        }
    }

    /// The API's id of it.
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

/// The truth that the store holds about a subject before an answer lands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The id in `orders` or `products`.
    pub resolved_id: String,
    /// The second id, as in [`OrderTruth::internal_id`] and [`ProductTruth::internal_id`].
    pub internal_id: Option<String>,
    /// The API's own time of the last change.
    pub updated_at: Option<Timestamp>,
    /// When the question was asked that brought it.
    pub fetched_at: Timestamp,
    /// Whether it is known by nothing but the second id being the subject's; see [`Judge::names_by_internal_id`].
    pub by_internal_id: bool,
}

/// What we know beside the answer, when a claim is held against it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The truth held about the subject.
    pub held: Option<Held>,
    /// Whether any question of this source ever found an object: before that, an absence may mean that we ask wrongly.
    pub source_found_any: bool,
}

/// A claim held against an answer; says nothing about time.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// `match`, `unavailable`, `deleted`, `not_found`, `mismatch`, `wrong_store`, or `not_yet` for an answer that is
    /// behind the claim.
    pub outcome: Outcome,
    /// Which field differs and how, in plain words.
    pub detail: Option<String>,
    /// The fields of the answer that the outcome rests on.
    pub evidence: Value,
    /// Of an unavailable product: whether we hold the truth about it, with the ids of the claim.
    pub held_before: bool,
}

impl Comparison {
    /// Everything that the claim asserts agrees.
    #[must_use]
    pub fn agrees(evidence: Value) -> Self {
        Self { outcome: Outcome::Match, detail: None, evidence: plain(evidence), held_before: false }
    }

    /// Any other outcome, with its cause in words.
    #[must_use]
    pub fn differs(outcome: Outcome, detail: impl Into<String>, evidence: Value) -> Self {
        Self { outcome, detail: Some(detail.into()), evidence: plain(evidence), held_before: false }
    }
}

/// The rules of one provider that judge: pure and total, for any claim and any answer.
pub trait Judge: Send + Sync {
    /// Holds a claim against an answer that is not a failure.
    fn compare(&self, claim: &Claim, answer: &Answer, known: &Known) -> Comparison;

    /// Where a claim stands in the course of its subject: what it explains, once confirmed, is what it says that was before,
    /// else what comes before it in the provider's progression. The statuses are named and spelled as [`Judge::statuses`]
    /// does.
    fn course(&self, _claim: &Claim) -> Course {
        Course::default()
    }

    /// The latest time that the object of an answer carries: a claim of that time or an earlier one is no claim about the
    /// future, whatever the clocks say.
    fn latest_time(&self, answer: &Answer) -> Option<Timestamp> {
        match &answer.said {
            Said::There(sighting) => sighting.truth.as_ref().and_then(Truth::updated_at),
            Said::NotThere(_) | Said::Failed(_) => None,
        }
    }

    /// The statuses of an order among the values of [`Sighting::compared`], in the API's words, by the names of the
    /// API's fields; none of what is no finished order.
    fn statuses(&self, _compared: &Map<String, Value>) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Whether a notification of this format has a word for `status` in the API's `field`.
    fn can_tell(&self, _field: &str, _status: &str) -> bool {
        true
    }

    /// Whether an order with these values of [`Sighting::compared`] can change no more.
    fn is_final(&self, _compared: &Map<String, Value>) -> bool {
        false
    }

    /// Whether a claim says that its order is gone.
    fn tells_deletion(&self, _claim: &Claim) -> bool {
        false
    }

    /// Whether `claim` names its subject by an object's second id. Where it does not, an object whose second id merely
    /// looks the same is another one, and the absence of the subject says nothing about it.
    fn names_by_internal_id(&self, _claim: &Claim) -> bool {
        false
    }
}
