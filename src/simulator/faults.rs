//! Faults on demand: their kind, the calls that they affect, and how often.

use std::time::Duration;

use super::calls::ProviderApi;

/// The id of a fault, to clear it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FaultId(pub u64);

#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Trouble {
    /// The answer, computed at once, is sent after this delay.
    Latency(Duration),
    /// The answer, computed at once, is sent when this fault is cleared.
    Hold,
    /// Another answer instead.
    Answer {
        status: u16,
        /// Headers such as `Retry-After`.
        headers: Vec<(String, String)>,
        /// The body, JSON or not.
        body: Vec<u8>,
    },
    /// The connection is cut without an answer.
    Reset,
    /// The connection is cut in the middle of the body.
    Truncate,
    /// The right answer, padded to more than this many bytes.
    Huge(usize),
    /// A body that never ends: one byte each time this has passed.
    Dribble(Duration),
    /// 302 to another path or address.
    Redirect(String),
    /// 200 with a page of HTML.
    NotJson,
    /// Midas: signed, but not over this body.
    WrongSignature,
    /// Midas: no `Txgw-` headers.
    Unsigned,
    /// The `Date` header is off by this many seconds.
    DateSkew(i64),
    /// The body is sent as gzip, asked for or not.
    Gzip,
}

/// A [`Trouble`] and the calls that it affects; by default every call, until it is cleared.
#[derive(Clone, Debug)]
pub struct Fault {
    pub(super) trouble: Trouble,
    pub(super) provider: Option<ProviderApi>,
    pub(super) store: Option<String>,
    pub(super) path: Option<String>,
    pub(super) times: Option<u32>,
}

impl Fault {
    /// A fault of every call.
    #[must_use]
    pub fn new(trouble: Trouble) -> Self {
        Self { trouble, provider: None, store: None, path: None, times: None }
    }

    /// An answer with this status and a JSON body that says so.
    #[must_use]
    pub fn status(status: u16) -> Self {
        let body = format!("{{\"errorMessage\":\"simulated {status}\"}}").into_bytes();
        Self::new(Trouble::Answer { status, headers: Vec::new(), body })
    }

    /// 429, with this `Retry-After` unchanged (valid or not), or without one.
    #[must_use]
    pub fn too_many(retry_after: Option<&str>) -> Self {
        let headers = retry_after.map(|value| ("retry-after".to_owned(), value.to_owned()));
        let body = br#"{"errorMessage":"Too many requests","errorCode":"RATE_LIMITED"}"#.to_vec();
        Self::new(Trouble::Answer { status: 429, headers: headers.into_iter().collect(), body })
    }

    /// Only calls to this provider.
    #[must_use]
    pub fn provider(mut self, provider: ProviderApi) -> Self {
        self.provider = Some(provider);
        self
    }

    /// Only calls to this store, account or merchant (see [`super::Call::store`]).
    #[must_use]
    pub fn store(mut self, store: impl Into<String>) -> Self {
        self.store = Some(store.into());
        self
    }

    /// Only calls whose path and query, as received, contain this.
    #[must_use]
    pub fn path(mut self, part: impl Into<String>) -> Self {
        self.path = Some(part.into());
        self
    }

    /// Only this many matching calls.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    fn fits(&self, provider: ProviderApi, store: &str, target: &str) -> bool {
        self.times != Some(0)
            && self.provider.is_none_or(|wanted| wanted == provider)
            && self.store.as_deref().is_none_or(|wanted| wanted == store)
            && self.path.as_deref().is_none_or(|part| target.contains(part))
    }
}

/// The faults that are set, in order of setting.
#[derive(Debug, Default)]
pub(super) struct Faults {
    set: Vec<(FaultId, Fault)>,
    last: u64,
}

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) -> FaultId {
        self.last += 1;
        self.set.push((FaultId(self.last), fault));
        FaultId(self.last)
    }

    pub(super) fn clear(&mut self, id: FaultId) {
        self.set.retain(|(set, _)| *set != id);
    }

    pub(super) fn clear_all(&mut self) {
        self.set.clear();
    }

    pub(super) fn is_set(&self, id: FaultId) -> bool {
        self.set.iter().any(|(set, _)| *set == id)
    }

    pub(super) fn list(&self) -> &[(FaultId, Fault)] {
        &self.set
    }

    /// The troubles of this call; each counts as used.
    pub(super) fn meet(
        &mut self,
        provider: ProviderApi,
        store: &str,
        target: &str,
    ) -> Vec<(FaultId, Trouble)> {
        let mut met = Vec::new();
        for (id, fault) in &mut self.set {
            if fault.fits(provider, store, target) {
                fault.times = fault.times.map(|times| times.saturating_sub(1));
                met.push((*id, fault.trouble.clone()));
            }
        }
        met
    }
}
