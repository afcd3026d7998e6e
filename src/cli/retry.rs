//! `countersign retry`: notifications start afresh, as if they had just come in, but under the present configuration.

use std::path::Path;

use super::chosen::{Chosen, counted, decide};
use super::{CommandError, Exit, screen, words};
use crate::config::Settings;
use crate::domain::{Clock, Reason, State, Timestamp};
use crate::providers::{self, Read};
use crate::store::{BATCH_BYTES, Decided, Filing, Filter, Store};

/// What to retry.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  countersign retry 17 18\n  \
                        countersign retry --state undecided --source shop --since 7d")]
pub(super) struct Args {
    /// The notifications' ids, as `list` shows them.
    #[arg(value_name = "ID", required_unless_present = "state", value_parser = words::id())]
    #[arg(conflicts_with_all = ["state", "reason", "source", "since"])]
    ids: Vec<i64>,
    /// All in this state instead.
    #[arg(long, value_name = "STATE", value_parser = words::state(&[State::Undecided, State::Ignored]))]
    state: Option<State>,
    /// Of these, only those with this reason.
    #[arg(long, value_name = "REASON", requires = "state", value_parser = words::reason())]
    reason: Option<Reason>,
    /// Of these, only those of this source.
    #[arg(long, value_name = "NAME", requires = "state")]
    source: Option<String>,
    /// Of these, only what came in since: how long ago (24h), a time (RFC 3339) or a day.
    #[arg(long, value_name = "24h", requires = "state", value_parser = words::since)]
    since: Option<Timestamp>,
}

pub(super) async fn run(args: Args, config: &Path) -> Result<Exit, CommandError> {
    let Args { ids, state, reason, source, since } = args;
    let filter = Filter { state, reason, source, since, ..Filter::default() };
    let (tally, exit) = decide(Chosen::new(ids, filter), config, retry).await?;
    let mut said = format!("{} started afresh", counted(tally.pending + tally.settled));
    if tally.settled > 0 {
        said += &format!(", {} of them settled without a question", tally.settled);
    }
    if tally.refused > 0 {
        said += &format!("; {} refused", tally.refused);
    }
    if tally.pending > 0 {
        said += "; a running `serve` asks about them now, else run `countersign verify`";
    }
    screen::line(&said)?;
    Ok(exit)
}

async fn retry(settings: &Settings, store: &Store, ids: Vec<i64>) -> Result<Vec<Decided>, CommandError> {
    let mut decided = Vec::new();
    let mut filings: Vec<Filing> = Vec::new();
    let mut bytes = 0;
    for id in ids {
        match read_afresh(settings, store, id).await? {
            Ok(filing) => {
                bytes += filing.delivery.body.len();
                filings.push(filing);
            }
            Err(why) => decided.push(Decided::Refused { id, why }),
        }
        if bytes >= BATCH_BYTES {
            bytes = 0;
            decided.extend(store.retry(std::mem::take(&mut filings), Clock::system().now()).await?);
        }
    }
    decided.extend(store.retry(filings, Clock::system().now()).await?);
    Ok(decided)
}

/// What the notification says under the present configuration, or why it has to stay as it is.
async fn read_afresh(
    settings: &Settings,
    store: &Store,
    id: i64,
) -> Result<Result<Filing, String>, CommandError> {
    let Some(delivery) = store.reader().delivery(id).await? else {
        return Ok(Err(match store.reader().show(id).await? {
            None => "there is no such notification",
            Some((known, _)) if known.state == State::Confirmed.as_str() => {
                "it is confirmed, and a confirmed notification stays so"
            }
            Some(_) => "its body was emptied, there is nothing left to read",
        }
        .to_owned()));
    };
    let Some(source) = settings.sources.iter().find(|source| source.name == delivery.source) else {
        return Ok(Err(format!("its source {} is not configured; configure it again", delivery.source)));
    };
    if source.kind.word != delivery.provider {
        let (name, now, then) = (&source.name, source.kind.word, &delivery.provider);
        return Ok(Err(format!("its source {name} is configured as {now}, but it came in as {then}")));
    }
    let Read { reading, is_listable, course } = providers::read(source.provider.as_ref(), &delivery);
    Ok(Ok(Filing { id, delivery, reading: Some(reading), is_listable, course }))
}
