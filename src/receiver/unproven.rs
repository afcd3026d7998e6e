//! Enforces `store.max_unproven` at intake. While there is plenty of room, a notification costs one atomic
//! step here. Near the bound the store is asked, and then proven senders come first.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, Notify};

use crate::domain::number::whole;
use crate::store::{Reader, Result, UnprovenRoom};

/// The pause before the store is asked again after it had no room: rows are not removed faster.
const PAUSE_WHEN_FULL: Duration = Duration::from_secs(1);

/// The pause after asking, per unproven sender, of which there may be a million: about ten times as long as
/// asking took.
const PAUSE_FOR_EACH_SENDER: Duration = Duration::from_micros(1);

/// Room for rows of unproven senders.
pub(super) struct UnprovenLimit {
    max: u64,
    /// The number of notifications of any sender that may come in before the store must be asked again.
    room: AtomicI64,
    look: Mutex<Option<Look>>,
    /// Rung if more rows are stored than the bound allows.
    overfull: Arc<Notify>,
}

/// The result of the last read, and how long it counts.
#[derive(Clone, Copy)]
struct Look {
    had_room: bool,
    until: Instant,
}

impl UnprovenLimit {
    /// A bound of `max` rows. The current number is read when the first notification comes in.
    pub(super) fn new(max: u64, overfull: Arc<Notify>) -> Self {
        Self { max, room: AtomicI64::new(0), look: Mutex::new(None), overfull }
    }

    /// Whether a notification of this sender may be stored. If the store fails here, storing the notification
    /// reports it.
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
