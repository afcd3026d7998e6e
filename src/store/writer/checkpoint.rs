//! Keeps the WAL short without delaying writes. A separate thread checkpoints while the writer appends; the writer
//! itself copies only the rest, and then the log restarts. SQLite's automatic checkpoint remains as a backstop.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::store::file::connection;

/// The number of pages in the WAL from which on it is checkpointed.
const PAGES: i64 = 2000;

/// Commits between two checks of the WAL's length: each takes a moment, and a commit writes a handful of
/// pages.
const COMMITS_BETWEEN_LOOKS: u32 = 32;

/// The interval of checks if commits are rare, or a reader delays the checkpoint.
const LOOK: Duration = Duration::from_secs(2);

/// The header of each page in the WAL, in bytes.
pub(in crate::store) const FRAME_HEAD: u64 = 24;

/// The writer's handle on the checkpoint thread.
pub(super) struct Checkpoints {
    orders: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    is_copied: Arc<AtomicBool>,
    is_copying: bool,
    commits: u32,
    looked_at: Instant,
    /// The WAL's length in pages after the last round.
    left: i64,
    /// Bytes of a page in the WAL, including its header.
    frame: u64,
    /// Bytes of the WAL that are not checkpointed.
    bytes_left: Arc<AtomicU64>,
}

impl Checkpoints {
    /// Starts the thread that checkpoints. `bytes_left` receives the number of bytes not checkpointed.
    pub(in crate::store) fn start(path: &Path, bytes_left: Arc<AtomicU64>) -> anyhow::Result<Self> {
        let conn = connection::open_checkpointer(path)?;
        let page: i64 = conn.query_row("PRAGMA page_size", [], |row| row.get(0))?;
        let frame = u64::try_from(page).unwrap_or(0) + FRAME_HEAD;
        let (orders, received) = sync_channel(1);
        let is_copied = Arc::new(AtomicBool::new(false));
        let tell = Arc::clone(&is_copied);
        let thread = std::thread::Builder::new()
            .name("store-checkpoint".to_owned())
            .spawn(move || copy_on_order(&conn, &received, &tell))?;
        let (orders, thread) = (Some(orders), Some(thread));
        let looked_at = Instant::now();
        Ok(Self {
            orders,
            thread,
            is_copied,
            is_copying: false,
            commits: 0,
            looked_at,
            left: 0,
            frame,
            bytes_left,
        })
    }

    /// Must be called after each commit, even if it changed nothing.
    pub(super) fn committed(&mut self, conn: &Connection) {
        if self.is_copied.swap(false, Ordering::AcqRel) {
            self.is_copying = false;
            let (pages, copied) = checkpoint(conn, "PASSIVE");
            // Everything is checkpointed, so the next commit restarts the WAL. Otherwise a reader still uses
            // an old state of the store.
            self.left = if pages == copied { 0 } else { pages };
            self.publish_left(pages, copied);
            return;
        }
        self.commits += 1;
        let is_late = self.looked_at.elapsed() >= LOOK;
        if self.is_copying || !(is_late || self.commits.is_multiple_of(COMMITS_BETWEEN_LOOKS)) {
            return;
        }
        self.looked_at = Instant::now();
        let (pages, copied) = checkpoint(conn, "NOOP");
        self.publish_left(pages, copied);
        // The WAL restarted, because another process checkpointed it.
        self.left = self.left.min(pages);
        // Pages that a reader kept from being checkpointed are tried again even without further commits.
        if (pages - self.left >= PAGES || (is_late && self.left > 0))
            && let Some(orders) = &self.orders
        {
            self.is_copying = orders.try_send(()).is_ok();
        }
    }

    fn publish_left(&self, pages: i64, copied: i64) {
        let left = u64::try_from(pages - copied).unwrap_or(0);
        self.bytes_left.store(left * self.frame, Ordering::Relaxed);
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("the checkpoint thread panicked");
        }
    }
}

fn copy_on_order(conn: &Connection, orders: &Receiver<()>, is_copied: &AtomicBool) {
    while orders.recv().is_ok() {
        checkpoint(conn, "PASSIVE");
        is_copied.store(true, Ordering::Release);
    }
}

/// The number of pages in the WAL, and how many of them are checkpointed.
fn checkpoint(conn: &Connection, mode: &str) -> (i64, i64) {
    let sql = format!("PRAGMA wal_checkpoint({mode})");
    let counts = conn
        .prepare_cached(&sql)
        .and_then(|mut statement| statement.query_row([], |row| Ok((row.get(1)?, row.get(2)?))));
    counts.unwrap_or_else(|error| {
        log::warn!("the checkpoint failed: {error}");
        (0, 0)
    })
}
