//! Canned answers in place of the network, for tests that make millions of calls.

use std::fmt;
use std::sync::Arc;

use reqwest::header::HeaderMap;

use crate::domain::Failure;

/// Status, headers and body, or a network failure.
type CannedAnswer = Result<(u16, HeaderMap, Vec<u8>), Failure>;

/// Maps the path and query of a call to its answer.
#[derive(Clone)]
pub(super) struct CannedAnswers(Arc<dyn Fn(&str) -> CannedAnswer + Send + Sync>);

impl CannedAnswers {
    pub(super) fn new(answer: impl Fn(&str) -> CannedAnswer + Send + Sync + 'static) -> Self {
        Self(Arc::new(answer))
    }

    pub(super) fn answer(&self, path_and_query: &str) -> CannedAnswer {
        (self.0)(path_and_query)
    }
}

impl fmt::Debug for CannedAnswers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CannedAnswers")
    }
}
