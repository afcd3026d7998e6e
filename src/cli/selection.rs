//! The notifications that `retry` and `dismiss` work on: selected by id or by a filter.

use std::path::Path;

use super::exit::print_error;
use super::{CommandError, Exit, settings};
use crate::config::Settings;
use crate::decisions::DECISIONS_AT_ONCE;
use crate::domain::State;
use crate::store::{Decided, Filter, Reader, Store};

/// The selected notifications that are left.
#[derive(Debug)]
pub(super) enum Selection {
    /// By id, in the order of the command line.
    Named(Vec<i64>),
    /// By a filter, newest first.
    Found(Box<Filter>),
}

impl Selection {
    /// Selects these ids, each once; without ids, everything that the filter finds.
    pub(super) fn new(ids: Vec<i64>, filter: Filter) -> Self {
        if ids.is_empty() {
            return Self::Found(Box::new(Filter { limit: DECISIONS_AT_ONCE, ..filter }));
        }
        let mut named = Vec::with_capacity(ids.len());
        let mut seen = std::collections::BTreeSet::new();
        named.extend(ids.into_iter().filter(|id| seen.insert(*id)));
        Self::Named(named)
    }

    /// The next batch; empty at the end. No notification is returned twice, even if the filter still finds it.
    async fn next(&mut self, reader: &Reader) -> Result<Vec<i64>, CommandError> {
        match self {
            Self::Named(ids) => Ok(ids.drain(..ids.len().min(DECISIONS_AT_ONCE)).collect()),
            Self::Found(filter) => {
                let ids = reader.ids(Filter::clone(filter)).await?;
                if let Some(oldest) = ids.last() {
                    filter.before_id = Some(*oldest);
                }
                Ok(ids)
            }
        }
    }
}

/// The results of a command, counted.
#[derive(Debug, Default)]
pub(super) struct DecisionCounts {
    /// Done, and now pending.
    pub(super) pending: u64,
    /// Done, and thereby settled.
    pub(super) settled: u64,
    pub(super) refused: u64,
}

/// Applies `decide` to all selected notifications in small batches, and prints each refusal. The exit code is a
/// failure if a notification that was selected by id is refused.
pub(super) async fn decide(
    mut selection: Selection,
    config: &Path,
    decide: impl AsyncFn(&Settings, &Store, Vec<i64>) -> Result<Vec<Decided>, CommandError>,
) -> Result<(DecisionCounts, Exit), CommandError> {
    let settings = settings(config)?;
    let store = Store::open(&settings.store.path)?;
    let is_named = matches!(selection, Selection::Named(_));
    let mut tally = DecisionCounts::default();
    loop {
        let ids = selection.next(store.reader()).await?;
        if ids.is_empty() {
            break;
        }
        for decided in decide(&settings, &store, ids).await? {
            match decided {
                Decided::Done(moved) if moved.state == State::Pending => tally.pending += 1,
                Decided::Done(_) => tally.settled += 1,
                Decided::Refused { id, why } => {
                    tally.refused += 1;
                    print_error(&format!("notification {id} is unchanged: {why}"));
                }
            }
        }
    }
    store.close();
    let exit = if is_named && tally.refused > 0 { Exit::Failed } else { Exit::Fine };
    Ok((tally, exit))
}

/// A number with its noun: `1 notification`, `2 notifications`.
pub(super) fn number_of_notifications(count: u64) -> String {
    format!("{count} notification{}", if count == 1 { "" } else { "s" })
}
