//! `countersign news`: what confirmed notifications changed, oldest first.

use std::path::Path;
use std::time::Duration;

use anyhow::anyhow;
use serde_json::Map;

use super::terminal::Terminal;
use super::{CommandError, Exit, settings};
use crate::domain::News;
use crate::domain::escape::escape_json;
use crate::store::{NewsQuery, Reader};

/// Number of news read at once, so that a long feed is not held in memory.
const PAGE: usize = 200;

/// The interval of checks for news.
const LOOK_EVERY: Duration = Duration::from_millis(250);

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  countersign news --source shop --limit 20\n  \
                        countersign news --follow --json | while read -r line; do …; done\n  \
                        countersign news --after 4711 --json")]
pub(super) struct Args {
    /// Only news with a greater seq
    #[arg(long, value_name = "SEQ", value_parser = clap::value_parser!(i64).range(0..))]
    after: Option<i64>,
    /// Only from this source
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Maximum number of news [default: 50, no limit with --follow]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Wait for further news; without --after, print only new ones
    #[arg(long)]
    follow: bool,
    /// Print the JSON lines of the feed
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, config: &Path) -> Result<Exit, CommandError> {
    let settings = settings(config)?;
    let reader = Reader::open(&settings.store.path)?;
    if let Some(source) = &args.source {
        let is_configured = settings.sources.iter().any(|known| known.name == *source);
        if !is_configured && !reader.known_sources().await?.iter().any(|(name, _)| name == source) {
            return Err(anyhow!("no source {source}; see the names with countersign status").into());
        }
    }
    let mut terminal = Terminal::new();
    let query = |after, limit| NewsQuery { after, source: args.source.clone(), limit };
    let (_, edge) = reader.news(query(0, 0)).await?;
    let mut after = match args.after {
        Some(after) if after != 0 && after < edge.removed => {
            let oldest = edge
                .oldest
                .map_or_else(|| "none is kept".to_owned(), |seq| format!("the oldest kept is {seq}"));
            return Err(anyhow!("news up to {} were removed; {oldest}", edge.removed).into());
        }
        Some(after) => after,
        None if args.follow => edge.newest.unwrap_or(edge.removed),
        None => 0,
    };
    let limit = args.limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let mut left = limit.unwrap_or(if args.follow { usize::MAX } else { 50 });
    while left > 0 {
        let (page, _) = reader.news(query(after, left.min(PAGE))).await?;
        for news in &page {
            after = news.seq;
            left -= 1;
            if args.json {
                terminal.line(&escape_json(&news.line(&Map::new())))?;
            } else {
                terminal.line(&describe(news))?;
            }
        }
        if page.is_empty() && !args.follow {
            break;
        }
        if page.is_empty() {
            terminal.flush()?;
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
    terminal.flush()?;
    Ok(Exit::Fine)
}

/// One line per news.
fn describe(news: &News) -> String {
    let text = |key: &str| news.current.get(key).and_then(|value| value.as_str().map(str::to_owned));
    let number = |key: &str| news.current.get(key).filter(|value| value.is_number()).map(ToString::to_string);
    let amount = text("total").or_else(|| text("price"));
    let amount = amount
        .map(|amount| [Some(amount), text("currency")].into_iter().flatten().collect::<Vec<_>>().join(" "));
    let values = [
        text("name"),
        text("status"),
        text("fulfillment_status"),
        amount,
        number("qty").map(|qty| format!("{qty} left")),
    ];
    let values: Vec<String> = values.into_iter().flatten().collect();
    format!(
        "{}  {}  {}  {}  {}  {}",
        news.seq,
        news.at,
        news.source,
        news.kind,
        news.subject_id,
        values.join(", ")
    )
}
