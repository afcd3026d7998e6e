//! Store operations of a person's decisions about notifications.

use std::collections::BTreeSet;

use super::Store;
use super::error::Result;
use super::verdicts::claims::{ParsedNotification, VerdictRow};
use super::verdicts::decisions::{self, Decided};
use crate::domain::Timestamp;

impl Store {
    /// Resets at most [`super::ROWS_AT_ONCE`] notifications, to be verified again, and ends the pauses of their sources.
    /// `by` becomes the detail of those that are pending then.
    pub async fn retry(
        &self,
        parsed: Vec<ParsedNotification>,
        by: Option<&'static str>,
        now: Timestamp,
    ) -> Result<Vec<Decided>> {
        let sources: BTreeSet<String> =
            parsed.iter().map(|parsed| parsed.notification.source.clone()).collect();
        let rows_to_write: Vec<_> =
            parsed.iter().map(|parsed| VerdictRow::of(parsed).decided_by(by)).collect();
        drop(parsed);
        let decided = self.writer.run(move |conn| decisions::retry(conn, &rows_to_write, now)).await?;
        if decided.iter().any(|decided| matches!(decided, Decided::Done(_))) {
            for source in sources {
                self.resume(source, now).await?;
            }
        }
        Ok(decided)
    }

    /// Dismisses at most [`super::ROWS_AT_ONCE`] undecided notifications.
    pub async fn dismiss(&self, ids: Vec<i64>, note: Option<String>, now: Timestamp) -> Result<Vec<Decided>> {
        self.writer.run(move |conn| decisions::dismiss(conn, &ids, note.as_deref(), now)).await
    }
}
