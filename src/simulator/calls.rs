//! The call log: every request that a simulated API received, in order of arrival.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// The provider whose API was called.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ProviderApi {
    /// The Ecwid REST API v3.
    Ecwid,
    /// The Kinguin eCommerce API.
    Kinguin,
    /// The Midas QueryTransaction call.
    Midas,
}

impl ProviderApi {
    /// The name used in paths and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ecwid => "ecwid",
            Self::Kinguin => "kinguin",
            Self::Midas => "midas",
        }
    }

    /// Parses the name used in paths and JSON.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Ecwid, Self::Kinguin, Self::Midas].into_iter().find(|provider| provider.word() == word)
    }
}

/// One request to a simulated API.
#[derive(Clone, Debug)]
pub struct Call {
    pub provider: ProviderApi,
    /// Ecwid's store id, the Kinguin account's name or Midas' merchant id; empty if the credentials match
    /// none.
    pub store: String,
    /// `GET` and the like.
    pub method: String,
    /// Path and query exactly as received, with the base path of the simulator.
    pub target: String,
    /// The caller's `User-Agent`; empty if it sent none.
    pub user_agent: String,
    /// When it arrived, by the simulator's clock.
    pub at: DateTime<Utc>,
    /// Calls in flight when it arrived, this one included.
    pub in_flight: usize,
    /// The status of the answer; `None` until it is answered, or if the connection was cut instead.
    pub status: Option<u16>,
    /// From arrival to the answer's head.
    pub took: Option<Duration>,
    /// A call that a verifier must never make (Kinguin's purchased keys).
    pub forbidden: bool,
}

#[derive(Debug, Default)]
pub(super) struct CallLog {
    pub(super) calls: Vec<Call>,
    pub(super) answered: usize,
    pub(super) in_flight: usize,
    pub(super) max_in_flight: usize,
    /// Counts how often the log was emptied, so that a late answer cannot update another call's row.
    pub(super) generation: u64,
}

impl CallLog {
    pub(super) fn arrive(&mut self, mut call: Call) -> usize {
        self.in_flight += 1;
        self.max_in_flight = self.max_in_flight.max(self.in_flight);
        call.in_flight = self.in_flight;
        self.calls.push(call);
        self.calls.len() - 1
    }

    pub(super) fn answer(&mut self, generation: u64, index: usize, status: Option<u16>, took: Duration) {
        if generation != self.generation {
            return;
        }
        self.answered += 1;
        if let Some(call) = self.calls.get_mut(index) {
            call.status = status;
            call.took = Some(took);
        }
    }

    pub(super) fn clear(&mut self) {
        self.calls.clear();
        self.answered = 0;
        self.max_in_flight = self.in_flight;
        self.generation += 1;
    }
}
