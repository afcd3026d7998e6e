//! The control question: whose trouble a refusal is. One subject must not stop a source, and a burst of failures must not
//! become a burst of control questions: a shop may block an address for those.

use std::time::Instant;

use tokio::sync::Mutex;

use crate::domain::panics::contained_async;
use crate::domain::{Cause, Failure, Trouble};
use crate::providers::{Api, Provider};

/// The control questions of one source: one at a time, whose answer is that of every call which failed before it was sent.
#[derive(Debug, Default)]
pub(super) struct ControlQuestion {
    last: Mutex<Option<(Instant, Result<(), Failure>)>>,
}

impl ControlQuestion {
    /// A failure of which it is not known whose trouble it is, with that known.
    pub(super) async fn whose_trouble(
        &self,
        provider: &dyn Provider,
        api: &Api,
        failure: Failure,
    ) -> Failure {
        if failure.trouble != Trouble::Unclear {
            return failure;
        }
        match self.ask(provider, api, Instant::now()).await {
            Ok(()) => failure.troubling(Trouble::Subject),
            // Let in, but not to the control question: that kind of call is refused, not the source. Nor does it tell
            // anything where our own rules fail over its answer.
            Err(control) if matches!(control.trouble, Trouble::Lane | Trouble::Subject) => {
                failure.troubling(Trouble::Subject)
            }
            Err(control) if control.is_refusal() => {
                Failure { cause: Cause::ApiDenied, ..control }.troubling(Trouble::Source)
            }
            Err(control) => control.troubling(Trouble::Source),
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
