//! Signs of life for the service manager: only after the store answered and the worker took another turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use tokio::time::MissedTickBehavior;

use crate::domain::Clock;
use crate::store::{Store, StoreError};

/// Looks four times within `limit`, and lets `tell` say that the service lives whenever that was seen since the last
/// time. `heart` holds the time of the worker's last turn; `None` without a worker.
pub(super) async fn run(
    limit: Duration,
    store: Store,
    clock: Clock,
    heart: Option<Arc<AtomicI64>>,
    tell: impl Fn() + Send,
) {
    let mut ticks = tokio::time::interval((limit / 4).max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut heard, mut told_at, mut has_complained) = (None, Instant::now(), false);
    loop {
        ticks.tick().await;
        let beat = heart.as_ref().map(|heart| heart.load(Ordering::Relaxed));
        let has_turned = beat.is_none() || beat != heard;
        let answered = store.check_writable(clock.now()).await;
        if has_turned && is_answer(&answered) {
            tell();
            (heard, told_at, has_complained) = (beat, Instant::now(), false);
        } else if told_at.elapsed() > limit && !has_complained {
            has_complained = true;
            let why = match answered {
                Err(error) => format!("the store: {error}"),
                Ok(()) => "the worker takes no turn".to_owned(),
            };
            log::error!("no sign of life for the service manager, which will start the service anew: {why}");
        }
    }
}

/// Whether the store answered, be it that it cannot write: a full disk is not emptied by starting again, and until there
/// is room intake has to go on saying so.
fn is_answer(answered: &Result<(), StoreError>) -> bool {
    matches!(answered, Ok(()) | Err(StoreError::Engine(_)))
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_worker_that_takes_no_turn_gives_no_sign_of_life() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(&folder.path().join("store.db")).unwrap();
        let heart = Arc::new(AtomicI64::new(1));
        let (tell, mut told) = mpsc::unbounded_channel();
        let limit = Duration::from_millis(80);
        let watched = run(limit, store, Clock::system(), Some(Arc::clone(&heart)), move || {
            tell.send(()).unwrap();
        });
        let watched = tokio::spawn(watched);
        told.recv().await.unwrap();
        let silence = tokio::time::timeout(3 * limit, told.recv()).await;
        assert!(silence.is_err(), "a sign of life without a turn");
        heart.store(2, Ordering::Relaxed);
        told.recv().await.unwrap();
        watched.abort();
    }
}
