//! The notifications that a person decides about: named one by one, or all that a filter finds.

use std::path::Path;

use super::exit::complain;
use super::{CommandError, Exit, settings};
use crate::config::Settings;
use crate::decisions::BATCH;
use crate::domain::State;
use crate::store::{Decided, Filter, Reader, Store};

/// What is still to be decided about.
#[derive(Debug)]
pub(super) enum Chosen {
    /// Named by id, in the order of the command line.
    Named(Vec<i64>),
    /// Found by a filter, newest first.
    Found(Box<Filter>),
}

impl Chosen {
    /// The named ones, each once; without any, what the filter finds.
    pub(super) fn new(ids: Vec<i64>, filter: Filter) -> Self {
        if ids.is_empty() {
            return Self::Found(Box::new(Filter { limit: BATCH, ..filter }));
        }
        let mut named = Vec::with_capacity(ids.len());
        let mut seen = std::collections::BTreeSet::new();
        named.extend(ids.into_iter().filter(|id| seen.insert(*id)));
        Self::Named(named)
    }

    /// The next few; none at the end. What was found once is not found again, whatever became of it.
    async fn next(&mut self, reader: &Reader) -> Result<Vec<i64>, CommandError> {
        match self {
            Self::Named(ids) => Ok(ids.drain(..ids.len().min(BATCH)).collect()),
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

/// What became of those decided about.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Done, and still waiting for the shop's answer.
    pub(super) pending: u64,
    /// Done, and settled by that.
    pub(super) settled: u64,
    /// Refused.
    pub(super) refused: u64,
}

/// Lets `decide` decide about all that is chosen, in small batches, and complains of each refusal. Returns what became
/// of them, and the exit code: it is a failure to be refused what was named.
pub(super) async fn decide(
    mut chosen: Chosen,
    config: &Path,
    decide: impl AsyncFn(&Settings, &Store, Vec<i64>) -> Result<Vec<Decided>, CommandError>,
) -> Result<(Tally, Exit), CommandError> {
    let settings = settings(config)?;
    let store = Store::open(&settings.store.path)?;
    let is_named = matches!(chosen, Chosen::Named(_));
    let mut tally = Tally::default();
    loop {
        let ids = chosen.next(store.reader()).await?;
        if ids.is_empty() {
            break;
        }
        for decided in decide(&settings, &store, ids).await? {
            match decided {
                Decided::Done(moved) if moved.state == State::Pending => tally.pending += 1,
                Decided::Done(_) => tally.settled += 1,
                Decided::Refused { id, why } => {
                    tally.refused += 1;
                    complain(&format!("notification {id} stays as it is: {why}"));
                }
            }
        }
    }
    store.close();
    let exit = if is_named && tally.refused > 0 { Exit::Failed } else { Exit::Fine };
    Ok((tally, exit))
}

/// `1 notification`, `2 notifications`.
pub(super) fn counted(count: u64) -> String {
    format!("{count} notification{}", if count == 1 { "" } else { "s" })
}
