//! `store.max_unproven` at the door. A notification costs one atomic step here as long as there is room; only near the bound
//! the store is asked, and then proven senders come in first.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, Notify};

use crate::domain::number::whole;
use crate::store::{Reader, Result, UnprovenRoom};

/// How soon the store is looked at again after it had no room: nothing is removed faster.
const PAUSE_WHEN_FULL: Duration = Duration::from_secs(1);

/// After a look the store is left alone for so long for each sender, of which there may be a million: some ten times as
/// long as looking took.
const PAUSE_FOR_EACH_SENDER: Duration = Duration::from_micros(1);

/// Room for senders that are not proven.
pub(super) struct UnprovenLimit {
    max: u64,
    /// The number of notifications of any sender that may come in before the store must be read again.
    room: AtomicI64,
    look: Mutex<Option<Look>>,
    /// Rung when more is kept than the bound allows.
    overfull: Arc<Notify>,
}

/// The result of the last read, and how long it counts.
#[derive(Clone, Copy)]
struct Look {
    had_room: bool,
    until: Instant,
}

impl UnprovenLimit {
    /// A bound of `max` notifications; how many there are is looked up when the first one comes.
    pub(super) fn new(max: u64, overfull: Arc<Notify>) -> Self {
        Self { max, room: AtomicI64::new(0), look: Mutex::new(None), overfull }
    }

    /// Whether a notification of this sender may be stored. A store that fails says so when it is stored.
    pub(super) async fn lets_in(&self, store: &Reader, sender: &str) -> bool {
        self.takes_room() || self.ask(store, sender).await.unwrap_or(true)
    }

    fn takes_room(&self) -> bool {
        self.room.load(Ordering::Relaxed) > 0 && self.room.fetch_sub(1, Ordering::Relaxed) > 0
    }

    async fn ask(&self, store: &Reader, sender: &str) -> Result<bool> {
        if store.is_proven(sender).await? {
            return Ok(true);
        }
        let mut look = self.look.lock().await;
        if self.takes_room() {
            return Ok(true);
        }
        if let Some(last) = look.filter(|last| Instant::now() < last.until) {
            return Ok(last.had_room);
        }
        let UnprovenRoom { left, is_overfull, senders } = store.room_for_unproven(self.max).await?;
        if is_overfull {
            self.overfull.notify_one();
        }
        let had_room = left > 0;
        let least = if had_room { Duration::ZERO } else { PAUSE_WHEN_FULL };
        let pause = PAUSE_FOR_EACH_SENDER.saturating_mul(u32::try_from(senders).unwrap_or(u32::MAX));
        *look = Some(Look { had_room, until: Instant::now() + pause.max(least) });
        self.room.store(whole(left).saturating_sub(1), Ordering::Relaxed);
        Ok(had_room)
    }
}
