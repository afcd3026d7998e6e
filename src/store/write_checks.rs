//! Checks of the writer, for a service and its commands: whether it can write, whether another program holds the
//! lock, whether its thread responds.

use std::sync::atomic::Ordering;
use std::time::Duration;

use rusqlite::{Connection, params};

use super::writer::contention;
use super::{Result, Store, StoreError};
use crate::domain::Timestamp;

impl Store {
    /// Writes one row to test whether the store can be written.
    ///
    /// # Errors
    /// The write failed, or another program has held the lock for 3 seconds.
    pub async fn check_writable(&self, now: Timestamp) -> Result<()> {
        self.writer.run_urgent(contention::PATIENCE, move |conn| write_row(conn, now)).await
    }

    /// Like [`Store::check_writable`], but waits for the lock as long as a command does.
    ///
    /// # Errors
    /// The write failed.
    pub async fn check_writable_patiently(&self, now: Timestamp) -> Result<()> {
        self.writer.run_urgent(contention::PATIENCE_OF_COMMANDS, move |conn| write_row(conn, now)).await
    }

    /// Takes the write lock for a moment, to test whether another program holds it.
    ///
    /// # Errors
    /// Another program has held it for 3 seconds, or the store failed.
    pub async fn check_lock(&self) -> Result<()> {
        self.writer.run_urgent(contention::PATIENCE, |_| Ok(())).await
    }

    /// The error while another program holds the write lock.
    #[must_use]
    pub fn locked(&self) -> Option<StoreError> {
        self.writer.signals().contention.held_for(Duration::ZERO)
    }

    /// Like [`Store::locked`], but only if the lock has lasted longer than a notification waits.
    #[must_use]
    pub fn locked_for_long(&self) -> Option<StoreError> {
        self.writer.signals().contention.held_for(contention::PATIENCE)
    }

    /// How long ago the writer last waited for another program's lock.
    #[must_use]
    pub fn last_locked(&self) -> Option<Duration> {
        self.writer.signals().contention.last_met()
    }

    /// Waits until a write fails because another program has held the lock for too long. A service never gives up.
    pub async fn given_up(&self) -> StoreError {
        self.writer.signals().contention.given_up().await
    }

    /// The number of turns of the writer's thread; asks it to take one more.
    #[must_use]
    pub fn beats(&self) -> u64 {
        self.writer.poke();
        self.writer.signals().contention.beats()
    }

    /// Bytes of the WAL that were not checkpointed at the last check.
    #[must_use]
    pub fn log_left(&self) -> u64 {
        self.writer.signals().log_left.load(Ordering::Relaxed)
    }
}

fn write_row(conn: &Connection, now: Timestamp) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO write_check (id, at) VALUES (1, ?1) ON CONFLICT DO UPDATE SET at = excluded.at",
    )?
    .execute(params![now.to_string()])?;
    Ok(())
}
