//! The rows that a button changes: one row, or all that a filter shows, oldest first, a bounded number at a
//! time.

use super::filter::{DeliveriesFilter, NotificationsFilter, Parameters};
use super::notifications::LOOKS;
use crate::admin::Admin;
use crate::decisions;
use crate::domain::{DeliveryState, State, Timestamp};
use crate::store::{Decided, DeliveryDecided, DeliveryQuery, Result};

/// Maximum number of rows of a bulk change. A count stops at one more.
pub(super) const MOST: usize = 1_000;

/// The detail of a retried row.
const RETRIED: &str = "retried on the page";

/// The detail of a redelivered delivery.
const REDELIVERED: &str = "redelivered on the page";

/// The detail of a skipped delivery.
const SKIPPED: &str = "skipped on the page";

/// The detail of a dismissed row; a note follows.
const DISMISSED: &str = "dismissed on the page";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Retry,
    Dismiss,
    Redeliver,
    Skip,
}

/// The result of a change.
#[derive(Debug, Default)]
pub(super) struct ChangeCounts {
    pub(super) done: usize,
    pub(super) refused: usize,
    /// The number of matching rows that are left; above [`MOST`], there are at least as many.
    pub(super) left: usize,
}

impl ChangeCounts {
    fn add_deliveries(&mut self, decided: &[DeliveryDecided]) {
        for decided in decided {
            match decided {
                DeliveryDecided::Done => self.done += 1,
                DeliveryDecided::Refused { .. } => self.refused += 1,
            }
        }
    }
}

impl Change {
    const ALL: [Self; 4] = [Self::Retry, Self::Dismiss, Self::Redeliver, Self::Skip];

    /// The change that a path means, and its row; `None`: all rows of a filter.
    pub(super) fn at(path: &str) -> Option<(Self, Option<i64>)> {
        Self::ALL.into_iter().find_map(|change| {
            let of_all = path.strip_prefix(change.list())?.strip_prefix('/')?.strip_suffix(change.word())?;
            match of_all.strip_suffix('/') {
                Some(id) => Some((change, Some(id.parse().ok()?))),
                None => of_all.is_empty().then_some((change, None)),
            }
        })
    }

    pub(super) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|change| change.word() == word)
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Dismiss => "dismiss",
            Self::Redeliver => "redeliver",
            Self::Skip => "skip",
        }
    }

    pub(super) fn heading(self) -> &'static str {
        match self {
            Self::Retry => "Retry",
            Self::Dismiss => "Dismiss",
            Self::Redeliver => "Redeliver",
            Self::Skip => "Skip",
        }
    }

    /// The list that contains its rows.
    pub(super) fn list(self) -> &'static str {
        match self {
            Self::Retry | Self::Dismiss => "/notifications",
            Self::Redeliver | Self::Skip => "/deliveries",
        }
    }

    /// The view of such a row.
    pub(super) fn row(self, id: i64) -> String {
        match self {
            Self::Retry | Self::Dismiss => format!("/notifications/{id}"),
            Self::Redeliver | Self::Skip => "/deliveries".to_owned(),
        }
    }

    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Retry | Self::Dismiss => "notification",
            Self::Redeliver | Self::Skip => "delivery",
        }
    }

    pub(super) fn nouns(self, count: usize) -> &'static str {
        match self {
            _ if count == 1 => self.noun(),
            Self::Retry | Self::Dismiss => "notifications",
            Self::Redeliver | Self::Skip => "deliveries",
        }
    }

    pub(super) fn would(self) -> &'static str {
        match self {
            Self::Retry => "would be parsed and verified again",
            Self::Dismiss => "would be settled as ignored, dismissed",
            Self::Redeliver => "would be due at once, with new tries",
            Self::Skip => "would not be tried again",
        }
    }

    pub(super) fn will_be(self, count: usize) -> &'static str {
        match self {
            Self::Retry => "will be parsed and verified again",
            Self::Dismiss if count == 1 => "was dismissed",
            Self::Dismiss => "were dismissed",
            Self::Redeliver if count == 1 => "is due at once",
            Self::Redeliver => "are due at once",
            Self::Skip if count == 1 => "was skipped",
            Self::Skip => "were skipped",
        }
    }

    pub(super) fn stay(self, count: usize) -> &'static str {
        if count == 1 { "stays" } else { "stay" }
    }

    pub(super) fn why_refused(self) -> &'static str {
        match self {
            Self::Retry => {
                "only ignored and undecided notifications of a configured source that were not emptied can be retried"
            }
            Self::Dismiss => "only undecided notifications can be dismissed",
            Self::Redeliver => "waiting deliveries are tried when they are due",
            Self::Skip => "only waiting and dead deliveries can be skipped",
        }
    }

    /// Whether all rows of a filter for this state can be changed so.
    fn suits(self, state: Option<State>) -> bool {
        match self {
            Self::Retry => matches!(state, Some(State::Ignored | State::Undecided)),
            Self::Dismiss => state == Some(State::Undecided),
            Self::Redeliver | Self::Skip => false,
        }
    }

    /// The same for a filter of deliveries.
    pub(super) fn suits_deliveries(self, state: Option<DeliveryState>) -> bool {
        use DeliveryState::{Dead, Skipped, Waiting};
        match self {
            Self::Retry | Self::Dismiss => false,
            Self::Redeliver => matches!(state, Some(Dead | Skipped)),
            Self::Skip => matches!(state, Some(Waiting | Dead)),
        }
    }

    /// Changes these rows, at most [`decisions::DECISIONS_AT_ONCE`].
    pub(super) async fn decide(
        self,
        admin: &Admin,
        ids: Vec<i64>,
        note: Option<&str>,
        tally: &mut ChangeCounts,
    ) -> Result<()> {
        let now = admin.clock.now();
        let decided = match self {
            Self::Retry => decisions::retry(&admin.settings, &admin.store, ids, Some(RETRIED), now).await?,
            Self::Dismiss => {
                let detail = match note {
                    Some(note) => format!("{DISMISSED}: {note}"),
                    None => DISMISSED.to_owned(),
                };
                admin.store.dismiss(ids, Some(detail), now).await?
            }
            Self::Redeliver => {
                tally.add_deliveries(&admin.store.redeliver(ids, Some(REDELIVERED), now).await?);
                return Ok(());
            }
            Self::Skip => {
                tally.add_deliveries(&admin.store.skip_deliveries(ids, SKIPPED, now).await?);
                return Ok(());
            }
        };
        for decided in decided {
            match decided {
                Decided::Done(_) => tally.done += 1,
                Decided::Refused { .. } => tally.refused += 1,
            }
        }
        Ok(())
    }
}

/// All rows of a filter.
pub(super) struct FilteredRows {
    change: Change,
    filter: Filter,
}

enum Filter {
    Notifications(NotificationsFilter),
    Deliveries(DeliveriesFilter),
}

impl FilteredRows {
    /// Reads the filter.
    ///
    /// # Errors
    /// A parameter is not valid, or the filter shows rows that cannot be changed so.
    pub(super) fn read(
        change: Change,
        parameters: &Parameters,
        now: Timestamp,
    ) -> std::result::Result<Self, String> {
        let (filter, suits) = match change {
            Change::Retry | Change::Dismiss => {
                let filter = NotificationsFilter::read(parameters, now)?;
                let suits = change.suits(filter.state);
                (Filter::Notifications(NotificationsFilter { before: None, ..filter }), suits)
            }
            Change::Redeliver | Change::Skip => {
                let filter = DeliveriesFilter::read(parameters, now)?;
                let suits = change.suits_deliveries(filter.state);
                (Filter::Deliveries(filter), suits)
            }
        };
        if suits { Ok(Self { change, filter }) } else { Err(format!("state: {}", change.why_refused())) }
    }

    pub(super) fn pairs(&self) -> Vec<(&'static str, String)> {
        match &self.filter {
            Filter::Notifications(filter) => filter.pairs(),
            Filter::Deliveries(filter) => filter.pairs(),
        }
    }

    /// The number of matching rows above the id `after`, at most one more than [`MOST`], and the newest
    /// matching id.
    pub(super) async fn count(&self, admin: &Admin, after: Option<i64>) -> Result<(usize, Option<i64>)> {
        let Some(newest) = self.find(admin, after, None, 1, false).await?.first().copied() else {
            return Ok((0, None));
        };
        let count = self.find(admin, after, Some(newest), MOST + 1, true).await?.len();
        Ok((count, Some(newest)))
    }

    /// Changes the oldest [`MOST`] rows that match now, above `after` and up to `up_to`, in transactions of
    /// [`decisions::DECISIONS_AT_ONCE`]. Also returns the last id read.
    pub(super) async fn change(
        &self,
        admin: &Admin,
        after: Option<i64>,
        up_to: i64,
        note: Option<&str>,
    ) -> Result<(ChangeCounts, i64)> {
        let ids = self.find(admin, after, Some(up_to), MOST, true).await?;
        let last = ids.last().copied().or(after).unwrap_or_default();
        let mut tally = ChangeCounts::default();
        for batch in ids.chunks(decisions::DECISIONS_AT_ONCE) {
            self.change.decide(admin, batch.to_vec(), note, &mut tally).await?;
        }
        tally.left = self.find(admin, Some(last), Some(up_to), MOST + 1, true).await?.len();
        Ok((tally, last))
    }

    /// Matching ids. A filter that no index serves reads the newest [`LOOKS`] rows up to `up_to`.
    async fn find(
        &self,
        admin: &Admin,
        after: Option<i64>,
        up_to: Option<i64>,
        limit: usize,
        oldest_first: bool,
    ) -> Result<Vec<i64>> {
        let reader = admin.store.reader();
        let before_id = up_to.map(|id| id.saturating_add(1));
        let notifications = match &self.filter {
            Filter::Notifications(filter) => filter,
            Filter::Deliveries(filter) => {
                let wanted =
                    DeliveryQuery { before_id, after_id: after, oldest_first, ..filter.of_store(limit) };
                let found = reader.delivery_page(wanted, LOOKS).await?;
                return Ok(found.rows.iter().map(|row| row.id).collect());
            }
        };
        let (mut filter, row_filter) = notifications.of_store(limit);
        filter.after_id = after;
        filter.before_id = before_id;
        if row_filter.is_empty() {
            filter.oldest_first = oldest_first;
            return reader.ids(filter).await;
        }
        if oldest_first {
            filter.limit = LOOKS;
        }
        let mut ids = reader.line_ids(filter, row_filter, LOOKS).await?;
        if oldest_first {
            ids.reverse();
            ids.truncate(limit);
        }
        Ok(ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_the_change_and_its_row() {
        for (path, at) in [
            ("/notifications/7/retry", Some((Change::Retry, Some(7)))),
            ("/notifications/dismiss", Some((Change::Dismiss, None))),
            ("/deliveries/8/redeliver", Some((Change::Redeliver, Some(8)))),
            ("/deliveries/skip", Some((Change::Skip, None))),
            ("/notifications/7/skip", None),
            ("/notifications/x/retry", None),
            ("/notifications/retry/", None),
            ("/notificationsretry", None),
            ("/retry", None),
        ] {
            assert_eq!(Change::at(path), at, "{path}");
        }
    }
}
