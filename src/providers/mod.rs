//! The providers: parsing and acknowledging notifications, asking the API, and comparing its answers. One folder per
//! family; [`KINDS`] is the only list of all.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::domain::panics::contained;
use crate::domain::{
    Answer, Claim, Course, Failure, FoundObject, Judge, ListRequest, Listing, RawNotification, Reading,
    Timestamp, Truth, Unasked,
};

#[cfg(test)]
mod canned;
pub mod ecwid;
mod foreign;
#[cfg(test)]
mod fuzzing;
mod gate;
pub mod http;
mod ids;
pub mod keys;
pub mod kinguin;
pub mod midas;
mod reply;
pub mod retry;

pub use http::Api;
pub use keys::{Key, KeyError, KeyKind, Keys};
pub use retry::CallRetries;

/// All providers; a source names one of them.
pub const KINDS: &[&ProviderKind] =
    &[&ecwid::ION, &ecwid::WEBHOOK, &kinguin::KINGUIN_POSTBACK, &kinguin::KINGUIN, &midas::MIDAS];

/// A provider, as named in the configuration.
#[derive(Debug)]
pub struct ProviderKind {
    /// The name in `provider = "…"`.
    pub name: &'static str,
    /// Its own keys, besides those of every source.
    pub keys: &'static [Key],
    /// The default of `api_base`.
    pub default_api_base: &'static str,
    /// The default of `rate_limit`, as written in the configuration.
    pub default_rate_limit: &'static str,
    /// How the owner makes the shop send to the intake URL.
    pub setup: &'static str,
    /// Builds the provider of one source from its keys, or lists the mistakes in them.
    pub build: fn(&Keys) -> Built,
}

/// The provider of one source, or the mistakes in its keys.
pub type Built = Result<Arc<dyn Provider>, Vec<KeyError>>;

/// Maximum number of subjects in one list call: the largest page of Ecwid's and Kinguin's lists.
pub const LIST_LIMIT: usize = 100;

/// Maximum number of readings of a list that changes while it is read.
pub const LIST_READINGS: usize = 5;

/// Maximum number of listed orders. A longer list is a failure: a shop with an endless list must not fill the memory.
pub const LONGEST_LIST: usize = 100_000;

/// Maximum size of what is kept of the listed orders, in bytes, for the same reason.
pub const LARGEST_LIST: usize = 64 << 20;

/// Finds a provider by its name.
#[must_use]
pub fn kind(name: &str) -> Option<&'static ProviderKind> {
    KINDS.iter().copied().find(|kind| kind.name == name)
}

/// One configured source's side of its provider.
pub trait Provider: Judge {
    /// The acknowledgement that ends the sender's retries.
    fn acknowledgement(&self) -> Acknowledgement;

    /// Checks the secret or signature, if one is configured. Runs before anything is stored.
    fn admit(&self, notification: &RawNotification) -> Admission;

    /// Parses a notification. Pure and total: the same notification and configuration give the same reading.
    fn read(&self, notification: &RawNotification) -> Reading;

    /// Asks the API the question of `claim`; every call goes through `api`.
    fn ask<'a>(&'a self, api: &'a Api, claim: &'a Claim) -> BoxFuture<'a, Answer>;

    /// Whether the question of `claim` can be asked by a list call together with others of its kind of call: a plain id
    /// (`[A-Za-z0-9_-]{1,40}`) and an API that has such a list.
    fn is_listable(&self, _claim: &Claim) -> bool {
        false
    }

    /// Asks about up to [`LIST_LIMIT`] listable claims of one kind of call in one call. The answers are in
    /// the order of the claims; `None` if the list does not show the object, which judges nothing. Claims
    /// that a list does not confirm must be asked about again by [`Provider::ask`].
    ///
    /// # Errors
    /// The list failed, so every claim must be asked alone.
    fn ask_list<'a>(
        &'a self,
        _api: &'a Api,
        claims: &'a [Claim],
    ) -> BoxFuture<'a, Result<Vec<Option<Answer>>, Failure>> {
        Box::pin(async move { Ok(vec![None; claims.len()]) })
    }

    /// Asks the API about one order by the id that `orders` keeps, in a call of its own.
    fn ask_order<'a>(&'a self, api: &'a Api, order_id: &'a str) -> BoxFuture<'a, Answer>;

    /// Lists what happened to the shop's orders, all pages, each order once; `None` if the API has no such list.
    ///
    /// # Errors
    /// The list could not be read completely, or changed too often meanwhile.
    fn list_orders<'a>(
        &'a self,
        _api: &'a Api,
        _request: ListRequest,
    ) -> BoxFuture<'a, Result<Option<Listing>, Failure>> {
        Box::pin(async { Ok(None) })
    }

    /// The ids by which notifications may name an order that the API shows.
    fn names_of(&self, object: &FoundObject) -> Vec<String> {
        let order = match &object.truth {
            Some(Truth::Order(order)) => order,
            Some(Truth::Product(_)) | None => return Vec::new(),
        };
        std::iter::once(order.order_id.clone()).chain(order.internal_id.clone()).collect()
    }

    /// The control question: a call without any foreign value, to find the scope of a failure.
    ///
    /// # Errors
    /// The failure of the control question. Then the source fails as a whole.
    fn control<'a>(&'a self, api: &'a Api) -> BoxFuture<'a, Result<(), Failure>>;

    /// Tests the credentials for `doctor`.
    fn examine<'a>(&'a self, api: &'a Api) -> BoxFuture<'a, Examination>;
}

/// A notification as parsed by its provider.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    pub reading: Reading,
    /// Whether its question may share a list call.
    pub is_listable: bool,
    /// The position of its claim in the course of its subject.
    pub course: Course,
}

/// Parses a notification. If the rules panic on it, it is malformed.
#[must_use]
pub fn read(provider: &dyn Provider, notification: &RawNotification) -> Read {
    let read = contained(|| {
        let reading = provider.read(notification);
        let (is_listable, course) = match &reading {
            Reading::Claim(claim) => (provider.is_listable(claim), course(provider, claim)),
            Reading::Unasked(_) => (false, Course::default()),
        };
        Read { reading, is_listable, course }
    });
    read.unwrap_or_else(|panicked| {
        log::error!(
            "source={} a notification could not be read and is malformed: {panicked}",
            notification.source
        );
        let reading = Unasked::malformed(panicked.to_string()).into();
        Read { reading, is_listable: false, course: Course::default() }
    })
}

/// A claim with an unreadable value equals nothing, so nothing explains it.
fn course(provider: &dyn Provider, claim: &Claim) -> Course {
    let course = provider.course(claim);
    Course { asserted: course.asserted.filter(|_| claim.unreadable_value().is_none()), ..course }
}

/// The acknowledgement of a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    pub status: u16,
    /// Body; may be empty.
    pub body: &'static str,
    /// The Content-Type, if there is a body.
    pub content_type: Option<&'static str>,
}

/// Whether a notification may be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Nothing is configured to check, or the check passed.
    Admitted,
    /// A panel's TEST button: acknowledged, counted, not stored.
    TestCall,
    Refused {
        /// Counted in `refusals`: `missing_secret`, `wrong_secret`, `missing_signature`, `wrong_signature` or `unreadable`.
        cause: &'static str,
        /// For the log: the remedy, if `cause` does not imply it; contains no secret.
        detail: Option<String>,
    },
}

impl Admission {
    /// A refusal whose cause needs no explanation.
    #[must_use]
    pub fn refused(cause: &'static str) -> Self {
        Self::Refused { cause, detail: None }
    }
}

/// The result of `doctor` for a source's API.
#[derive(Clone, Debug, Default)]
pub struct Examination {
    /// The checks, one line each.
    pub checks: Vec<DoctorCheck>,
    /// The API's own clock, from its `Date` header, and our clock when the answer came.
    pub clock: Option<(Timestamp, Timestamp)>,
}

/// One check of `doctor`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoctorCheck {
    pub good: bool,
    /// The finding in plain words, with the remedy if it failed.
    pub words: String,
}

impl DoctorCheck {
    /// A check that passed.
    #[must_use]
    pub fn good(words: impl Into<String>) -> Self {
        Self { good: true, words: words.into() }
    }

    /// A check that failed; the text says what to do.
    #[must_use]
    pub fn bad(words: impl Into<String>) -> Self {
        Self { good: false, words: words.into() }
    }
}

/// Whether a body is what a panel's TEST button sends: nothing, or an empty JSON object.
#[must_use]
pub fn is_test_body(body: &[u8]) -> bool {
    let trimmed = foreign::content(body).trim_ascii();
    trimmed.is_empty()
        || trimmed
            .strip_prefix(b"{")
            .and_then(|rest| rest.strip_suffix(b"}"))
            .is_some_and(|inside| inside.trim_ascii().is_empty())
}
