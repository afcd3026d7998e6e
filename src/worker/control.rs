//! The control question decides the scope of a refusal. One subject must not stop a source, and a burst of failures
//! must not cause a burst of control questions, for which a shop may block an address.

use std::time::Instant;

use tokio::sync::Mutex;

use crate::domain::panics::contained_async;
use crate::domain::{Cause, Failure, FailureScope};
use crate::providers::{Api, Provider};

/// The control questions of one source, one at a time. Its answer serves every call that failed before it was sent.
#[derive(Debug, Default)]
pub(super) struct ControlQuestion {
    last: Mutex<Option<(Instant, Result<(), Failure>)>>,
}

impl ControlQuestion {
    /// Sets the scope of a failure of unknown scope.
    pub(super) async fn with_known_scope(
        &self,
        provider: &dyn Provider,
        api: &Api,
        failure: Failure,
    ) -> Failure {
        if failure.scope != FailureScope::Unclear {
            return failure;
        }
        match self.ask(provider, api, Instant::now()).await {
            Ok(()) => failure.with_scope(FailureScope::Subject),
            // The credentials work, but the control question itself is refused: that concerns its kind of call, not
            // the source. A failure of our own rules on its answer also says nothing.
            Err(control) if matches!(control.scope, FailureScope::CallKind | FailureScope::Subject) => {
                failure.with_scope(FailureScope::Subject)
            }
            Err(control) if control.is_refusal() => {
                Failure { cause: Cause::ApiDenied, ..control }.with_scope(FailureScope::Source)
            }
            Err(control) => control.with_scope(FailureScope::Source),
        }
    }

    async fn ask(&self, provider: &dyn Provider, api: &Api, failed_at: Instant) -> Result<(), Failure> {
        let mut last = self.last.lock().await;
        if let Some((asked_at, said)) = &*last
            && *asked_at >= failed_at
        {
            return said.clone();
        }
        let asked_at = Instant::now();
        let said = contained_async(async { provider.control(api).await }).await;
        let said = said.unwrap_or_else(|panicked| Err(panicked.into()));
        *last = Some((asked_at, said.clone()));
        said
    }
}
