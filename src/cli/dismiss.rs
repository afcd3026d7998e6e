//! `countersign dismiss`: settle undecided notifications by hand.

use std::path::Path;

use super::selection::{Selection, decide, number_of_notifications};
use super::{CommandError, Exit, args, terminal};
use crate::domain::{Clock, Reason, State};
use crate::store::Filter;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  countersign dismiss 17 --note \"the customer confirmed the refund by phone\"\n  \
                        countersign dismiss --state undecided --source oldshop"
)]
pub(super) struct Args {
    /// Ids of notifications, as shown by list
    #[arg(value_name = "ID", required_unless_present = "state", value_parser = args::id())]
    #[arg(conflicts_with_all = ["state", "reason", "source"])]
    ids: Vec<i64>,
    /// Select every undecided notification, instead of by id
    #[arg(long, value_name = "STATE", value_parser = args::state(&[State::Undecided]))]
    state: Option<State>,
    /// Only with this reason
    #[arg(long, value_name = "REASON", requires = "state", value_parser = args::reason())]
    reason: Option<Reason>,
    /// Only from this source
    #[arg(long, value_name = "NAME", requires = "state")]
    source: Option<String>,
    /// Reason for the dismissal, stored as the detail
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

pub(super) async fn run(args: Args, config: &Path) -> Result<Exit, CommandError> {
    let Args { ids, state, reason, source, note } = args;
    let filter = Filter { state, reason, source, ..Filter::default() };
    let dismiss = async |_: &_, store: &crate::store::Store, ids| {
        Ok(store.dismiss(ids, note.clone(), Clock::system().now()).await?)
    };
    let (tally, exit) = decide(Selection::new(ids, filter), config, dismiss).await?;
    let mut said = format!("{} dismissed", number_of_notifications(tally.settled));
    if tally.refused > 0 {
        said += &format!("; {} refused", tally.refused);
    }
    terminal::line(&said)?;
    Ok(exit)
}
