//! The gate that every API call passes.

use std::fmt;

use futures_util::future::BoxFuture;

use crate::domain::Failure;

/// Admits a call when the source's rate limit and the service's concurrency allow it.
pub trait Gate: Send + Sync {
    /// Waits for admission. The call ends when the pass is dropped.
    ///
    /// # Errors
    /// The call must not be sent: the API has asked us to wait.
    fn enter(&self) -> BoxFuture<'_, Result<Pass, Failure>>;
}

/// A permit for one call, released when dropped.
pub struct Pass {
    #[expect(dead_code, reason = "held for its Drop")]
    held: Box<dyn Send>,
    on_failure: Option<Box<dyn FnOnce() + Send>>,
}

impl Pass {
    /// A pass that holds `until_over` until the call is over.
    pub fn holding(until_over: impl Send + 'static) -> Self {
        Self { held: Box::new(until_over), on_failure: None }
    }

    /// Calls `callback` if the call fails, before the held values are released.
    #[must_use]
    pub fn on_failure(self, callback: impl FnOnce() + Send + 'static) -> Self {
        Self { on_failure: Some(Box::new(callback)), ..self }
    }

    /// Marks the call as failed.
    pub(super) fn failed(&mut self) {
        if let Some(callback) = self.on_failure.take() {
            callback();
        }
    }
}

impl fmt::Debug for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pass")
    }
}

/// A gate that is always open, for `doctor` and tests.
#[derive(Debug)]
pub struct OpenGate;

impl Gate for OpenGate {
    fn enter(&self) -> BoxFuture<'_, Result<Pass, Failure>> {
        Box::pin(async { Ok(Pass::holding(())) })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use reqwest::header::HeaderMap;

    use super::super::canned::CannedAnswers;
    use super::super::http::{Api, Client};
    use super::*;
    use crate::domain::Clock;
    use crate::metrics::Metrics;

    type Seen = Arc<Mutex<Vec<&'static str>>>;

    struct Watched(Seen);

    struct Over(Seen);

    impl Drop for Over {
        fn drop(&mut self) {
            self.0.lock().unwrap().push("over");
        }
    }

    impl Gate for Watched {
        fn enter(&self) -> BoxFuture<'_, Result<Pass, Failure>> {
            let seen = Arc::clone(&self.0);
            let pass = Pass::holding(Over(Arc::clone(&seen)));
            let pass = pass.on_failure(move || seen.lock().unwrap().push("failed"));
            Box::pin(async { Ok(pass) })
        }
    }

    #[tokio::test]
    async fn whoever_waits_for_the_end_of_a_call_knows_before_whether_it_failed() {
        for (status, wanted) in [
            (200, ["over"].as_slice()),
            (404, &["over"]),
            (429, &["failed", "over"]),
            (500, &["failed", "over"]),
        ] {
            let seen = Seen::default();
            let client =
                Client::new(Duration::from_secs(1), Metrics::new().unwrap(), Clock::system()).unwrap();
            let script = CannedAnswers::new(move |_| Ok((status, HeaderMap::new(), Vec::new())));
            let gate = Arc::new(Watched(Arc::clone(&seen)));
            let api = Api::new(client.scripted(script), "shop", "https://shop.example/api", gate);
            assert_eq!(api.get("/any", &[]).await.is_err(), wanted.len() > 1, "{status}");
            assert_eq!(*seen.lock().unwrap(), wanted, "{status}");
        }
    }
}
