//! `countersign redeliver` and `skip`: change deliveries by hand.

use std::io::{IsTerminal as _, stdin};
use std::path::Path;

use anyhow::anyhow;

use super::exit::print_error;
use super::{CommandError, Exit, args, settings, terminal};
use crate::decisions::DECISIONS_AT_ONCE;
use crate::domain::{Clock, DeliveryState, NewsFilter, Timestamp};
use crate::store::{DeliveryDecided, DeliveryFilter, NewsQuery, Store, Subscription};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without --state, only dead deliveries are selected. A running serve delivers them at once, \
                        otherwise countersign verify does.\n\nExamples:\n  countersign redeliver 17 18\n  \
                        countersign redeliver --action erp --state dead --since 7d --yes\n  \
                        countersign redeliver --action erp --missing --since 30d"
)]
pub(super) struct Args {
    /// Ids of deliveries, as shown by deliveries
    #[arg(value_name = "ID", required_unless_present = "action", value_parser = args::id())]
    #[arg(conflicts_with_all = ["action", "state", "since", "missing"])]
    ids: Vec<i64>,
    /// Select every dead delivery of this action, instead of by id
    #[arg(long, value_name = "NAME")]
    action: Option<String>,
    /// Select deliveries in this state, instead of dead ones
    #[arg(long, value_name = "STATE", requires = "action")]
    #[arg(value_parser = args::delivery_state(&[DeliveryState::Dead, DeliveryState::Skipped]))]
    state: Option<DeliveryState>,
    /// Only deliveries of news since: an age (7d), an RFC 3339 time or a date
    #[arg(long, value_name = "7d", requires = "action", value_parser = args::since)]
    since: Option<Timestamp>,
    /// Also deliver news from before the action was configured
    #[arg(long, requires = "action")]
    missing: bool,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(args: Args, config: &Path) -> Result<Exit, CommandError> {
    let settings = settings(config)?;
    let store = Store::open(&settings.store.path)?;
    let (ids, missing) = match &args.action {
        None => (distinct(args.ids), Vec::new()),
        Some(action) => {
            let state = Some(args.state.unwrap_or(DeliveryState::Dead));
            let filter = DeliveryFilter {
                action: Some(action.clone()),
                state,
                since: args.since,
                ..Default::default()
            };
            let mut ids = found(&store, filter).await?;
            // Oldest first, as they were made.
            ids.reverse();
            let missing = match (args.missing, settings.actions.iter().find(|known| known.name == *action)) {
                (false, _) => Vec::new(),
                (true, Some(known)) => missing(&store, action, &known.filter, args.since).await?,
                (true, None) => {
                    return Err(anyhow!("no action {action}; configure [actions.{action}] first").into());
                }
            };
            if !is_confirmed_or_unattended(ids.len(), missing.len(), args.yes)? {
                return Ok(Exit::Failed);
            }
            (ids, missing)
        }
    };
    let clock = Clock::system();
    let (mut again, mut refused, mut made) = (0, 0, 0);
    for batch in ids.chunks(DECISIONS_AT_ONCE) {
        for decided in store.redeliver(batch.to_vec(), None, clock.now()).await? {
            count_decision(decided, &mut again, &mut refused);
        }
    }
    if let Some(action) = args.action {
        for batch in missing.chunks(DECISIONS_AT_ONCE) {
            made += store.add_missing_deliveries(action.clone(), batch.to_vec(), clock.now()).await?;
        }
    }
    store.close();
    let mut said = format!("{} due at once", number_of_deliveries(again + made));
    if made > 0 {
        said += &format!(", {made} of them new");
    }
    if refused > 0 {
        said += &format!("; {refused} refused");
    }
    terminal::line(&said)?;
    Ok(if refused > 0 { Exit::Failed } else { Exit::Fine })
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  countersign skip 17 18\n  countersign skip --action erp --state dead")]
pub(super) struct SkipArgs {
    /// Ids of deliveries, as shown by deliveries
    #[arg(value_name = "ID", required_unless_present = "action", value_parser = args::id())]
    #[arg(conflicts_with_all = ["action", "state"])]
    ids: Vec<i64>,
    /// Select every waiting and dead delivery of this action, instead of by id
    #[arg(long, value_name = "NAME")]
    action: Option<String>,
    /// Only in this state
    #[arg(long, value_name = "STATE", requires = "action")]
    #[arg(value_parser = args::delivery_state(&[DeliveryState::Waiting, DeliveryState::Dead]))]
    state: Option<DeliveryState>,
}

pub(super) async fn skip(args: SkipArgs, config: &Path) -> Result<Exit, CommandError> {
    let store = Store::open(&settings(config)?.store.path)?;
    let ids = match args.action {
        None => distinct(args.ids),
        Some(action) => {
            let states =
                args.state.map_or(vec![DeliveryState::Dead, DeliveryState::Waiting], |state| vec![state]);
            let mut ids = Vec::new();
            for state in states {
                let filter =
                    DeliveryFilter { action: Some(action.clone()), state: Some(state), ..Default::default() };
                ids.extend(found(&store, filter).await?);
            }
            // Newest first, so that none of the earlier ones becomes due meanwhile.
            ids.sort_unstable_by(|a, b| b.cmp(a));
            ids
        }
    };
    let clock = Clock::system();
    let (mut skipped, mut refused) = (0, 0);
    for batch in ids.chunks(DECISIONS_AT_ONCE) {
        for decided in store.skip_deliveries(batch.to_vec(), "skipped by hand", clock.now()).await? {
            count_decision(decided, &mut skipped, &mut refused);
        }
    }
    store.close();
    let more = if refused > 0 { format!("; {refused} refused") } else { String::new() };
    terminal::line(&format!("{} skipped{more}", number_of_deliveries(skipped)))?;
    Ok(if refused > 0 { Exit::Failed } else { Exit::Fine })
}

fn distinct(ids: Vec<i64>) -> Vec<i64> {
    let mut seen = std::collections::BTreeSet::new();
    ids.into_iter().filter(|id| seen.insert(*id)).collect()
}

fn count_decision(decided: DeliveryDecided, done: &mut u64, refused: &mut u64) {
    match decided {
        DeliveryDecided::Done => *done += 1,
        DeliveryDecided::Refused { id, why } => {
            *refused += 1;
            print_error(&format!("delivery {id} is unchanged: {why}"));
        }
    }
}

/// The ids that a filter finds, newest first.
async fn found(store: &Store, mut filter: DeliveryFilter) -> Result<Vec<i64>, CommandError> {
    let mut ids = Vec::new();
    filter.limit = 1000;
    loop {
        let page = store.reader().delivery_ids(filter.clone()).await?;
        let Some(last) = page.last() else { return Ok(ids) };
        filter.before_id = Some(*last);
        ids.extend(page);
    }
}

/// News that an action never received, oldest first.
async fn missing(
    store: &Store,
    action: &str,
    filter: &NewsFilter,
    since: Option<Timestamp>,
) -> Result<Vec<i64>, CommandError> {
    let mut seqs = Vec::new();
    let mut after = 0;
    loop {
        let subscription = Subscription { action: action.to_owned(), filter: filter.clone() };
        let query = NewsQuery { after, source: None, limit: 500 };
        let (page, last) = store.reader().missing_deliveries(subscription, since, query).await?;
        seqs.extend(page);
        match last {
            Some(last) => after = last,
            None => return Ok(seqs),
        }
    }
}

/// Prints the numbers; on a terminal, a person must confirm.
fn is_confirmed_or_unattended(again: usize, missing: usize, yes: bool) -> Result<bool, CommandError> {
    let new = if missing > 0 { format!(" and {missing} that the action never had") } else { String::new() };
    let question = format!("{again} deliveries are delivered again{new}");
    if yes || !stdin().is_terminal() {
        print_error(&question);
        return Ok(true);
    }
    terminal::is_agreed(&question)
}

fn number_of_deliveries(count: u64) -> String {
    format!("{count} deliver{}", if count == 1 { "y" } else { "ies" })
}
