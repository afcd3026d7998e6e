//! The decisions of a person about notifications, shared by the command line and the page.

use crate::config::Settings;
use crate::domain::{State, Timestamp};
use crate::providers::{self, Read};
use crate::store::{BATCH_BYTES, Decided, ParsedNotification, Result, Store};

/// Maximum number of notifications or deliveries per transaction: it must end within 20 ms, because intake waits for it.
pub const DECISIONS_AT_ONCE: usize = 50;

/// Parses at most [`DECISIONS_AT_ONCE`] notifications again with the configuration in force, and makes them due. `by`
/// says who decided, and becomes the detail of those that are pending then.
pub async fn retry(
    settings: &Settings,
    store: &Store,
    ids: Vec<i64>,
    by: Option<&'static str>,
    now: Timestamp,
) -> Result<Vec<Decided>> {
    let mut decided = Vec::new();
    let mut parsed: Vec<ParsedNotification> = Vec::new();
    let mut bytes = 0;
    for id in ids {
        match read_afresh(settings, store, id).await? {
            Ok(one) => {
                bytes += one.notification.body.len();
                parsed.push(one);
            }
            Err(why) => decided.push(Decided::Refused { id, why }),
        }
        if bytes >= BATCH_BYTES {
            bytes = 0;
            decided.extend(store.retry(std::mem::take(&mut parsed), by, now).await?);
        }
    }
    decided.extend(store.retry(parsed, by, now).await?);
    Ok(decided)
}

/// The claim under the configuration in force, or why the notification must stay as it is.
async fn read_afresh(
    settings: &Settings,
    store: &Store,
    id: i64,
) -> Result<std::result::Result<ParsedNotification, String>> {
    let Some(notification) = store.reader().raw_notification(id).await? else {
        return Ok(Err(match store.reader().lines_of(vec![id]).await?.first() {
            None => "no such notification; run countersign list",
            Some(known) if known.state == State::Confirmed.as_str() => "it is confirmed, which is final",
            Some(_) => "its body was emptied, so there is nothing left to parse",
        }
        .to_owned()));
    };
    let Some(source) = settings.sources.iter().find(|source| source.name == notification.source) else {
        return Ok(Err(format!("its source {} is not configured; configure it again", notification.source)));
    };
    if source.kind.name != notification.provider {
        let (name, now, then) = (&source.name, source.kind.name, &notification.provider);
        return Ok(Err(format!("its source {name} is configured as {now}, but it was received as {then}")));
    }
    let Read { reading, is_listable, course } = providers::read(source.provider.as_ref(), &notification);
    Ok(Ok(ParsedNotification { id, notification, reading: Some(reading), is_listable, course }))
}
