//! `countersign deliveries`: list deliveries, newest first.

use std::path::Path;

use super::terminal::{Terminal, escape_controls, table};
use super::{CommandError, Exit, args, settings};
use crate::domain::{DeliveryState, Timestamp};
use crate::store::{DeliveryFilter, DeliveryRow, Reader};

/// Number of rows read at once, so that a long list is not one long transaction.
const PAGE: usize = 200;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  countersign deliveries --action erp --state dead\n  \
                        countersign deliveries --subject SALE-H4K9P --json")]
pub(super) struct Args {
    /// Only to this action
    #[arg(long, value_name = "NAME")]
    action: Option<String>,
    /// Only in this state
    #[arg(long, value_name = "STATE", value_parser = args::delivery_state(DeliveryState::ALL))]
    state: Option<DeliveryState>,
    /// Only about this order or product
    #[arg(long, value_name = "ID")]
    subject: Option<String>,
    /// Only deliveries of news since: an age (24h), an RFC 3339 time or a date
    #[arg(long, value_name = "24h", value_parser = args::since)]
    since: Option<Timestamp>,
    /// Maximum number of deliveries
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Print one JSON object per line, with all columns
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, config: &Path) -> Result<Exit, CommandError> {
    let reader = Reader::open(&settings(config)?.store.path)?;
    let mut terminal = Terminal::new();
    let mut rows = Vec::new();
    let mut left = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let mut filter = DeliveryFilter {
        action: args.action,
        state: args.state,
        subject: args.subject,
        since: args.since,
        ..DeliveryFilter::default()
    };
    while left > 0 {
        filter.limit = left.min(PAGE);
        let page = reader.deliveries(filter.clone()).await?;
        let Some(last) = page.last() else { break };
        filter.before_id = Some(last.id);
        left -= page.len();
        for delivery in &page {
            if args.json {
                terminal.json(delivery)?;
            } else {
                rows.push(row(delivery));
            }
        }
    }
    if !args.json {
        let width = terminal.width();
        terminal.lines(&table(HEADER, rows, &[], width))?;
    }
    terminal.flush()?;
    Ok(Exit::Fine)
}

const HEADER: [&str; 8] = ["id", "action", "seq", "subject", "state", "tries", "next or decided", "detail"];

fn row(delivery: &DeliveryRow) -> [String; 8] {
    let when = delivery.next_attempt_at.as_ref().or(delivery.decided_at.as_ref());
    [
        delivery.id.to_string(),
        escape_controls(&delivery.action).into_owned(),
        delivery.seq.to_string(),
        escape_controls(&delivery.subject_id).into_owned(),
        delivery.state.clone(),
        delivery.attempts.to_string(),
        when.cloned().unwrap_or_else(|| "-".to_owned()),
        escape_controls(delivery.detail.as_deref().unwrap_or("-")).into_owned(),
    ]
}
