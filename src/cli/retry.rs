//! `countersign retry`: parse and verify notifications again, as if just received, with the current configuration.

use std::path::Path;

use super::selection::{Selection, decide, number_of_notifications};
use super::{CommandError, Exit, args, terminal};
use crate::config::Settings;
use crate::decisions;
use crate::domain::{Clock, Reason, State, Timestamp};
use crate::store::{Decided, Filter, Store};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  countersign retry 17 18\n  \
                        countersign retry --state undecided --source shop --since 7d")]
pub(super) struct Args {
    /// Ids of notifications, as shown by list
    #[arg(value_name = "ID", required_unless_present = "state", value_parser = args::id())]
    #[arg(conflicts_with_all = ["state", "reason", "source", "since"])]
    ids: Vec<i64>,
    /// Select every notification in this state, instead of by id
    #[arg(long, value_name = "STATE", value_parser = args::state(&[State::Undecided, State::Ignored]))]
    state: Option<State>,
    /// Only with this reason
    #[arg(long, value_name = "REASON", requires = "state", value_parser = args::reason())]
    reason: Option<Reason>,
    /// Only from this source
    #[arg(long, value_name = "NAME", requires = "state")]
    source: Option<String>,
    /// Only received since: an age (24h), an RFC 3339 time or a date
    #[arg(long, value_name = "24h", requires = "state", value_parser = args::since)]
    since: Option<Timestamp>,
}

pub(super) async fn run(args: Args, config: &Path) -> Result<Exit, CommandError> {
    let Args { ids, state, reason, source, since } = args;
    let filter = Filter { state, reason, source, since, ..Filter::default() };
    let (tally, exit) = decide(Selection::new(ids, filter), config, retry).await?;
    let mut said = format!("{} reset", number_of_notifications(tally.pending + tally.settled));
    if tally.settled > 0 {
        said += &format!(", {} of them settled without a call", tally.settled);
    }
    if tally.refused > 0 {
        said += &format!("; {} refused", tally.refused);
    }
    if tally.pending > 0 {
        said += "; a running serve verifies them now, otherwise run countersign verify";
    }
    terminal::line(&said)?;
    Ok(exit)
}

async fn retry(settings: &Settings, store: &Store, ids: Vec<i64>) -> Result<Vec<Decided>, CommandError> {
    Ok(decisions::retry(settings, store, ids, None, Clock::system().now()).await?)
}
