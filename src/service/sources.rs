//! The configured sources and the store: whether each may have its name, and a clean start for each.

use anyhow::Context as _;

use crate::config::Settings;
use crate::domain::Clock;
use crate::store::Store;

/// A source's name belonged to another provider when the store was written.
#[derive(Debug, thiserror::Error)]
#[error(
    "sources.{source_name}: this name belongs to provider {before} in the store, not {now}; give the new source another \
     name"
)]
pub struct NameTaken {
    /// The source.
    pub source_name: String,
    /// The provider in the store.
    pub before: String,
    /// The provider in the configuration.
    pub now: String,
}

/// Remembers the configured sources in the store.
///
/// # Errors
/// A name belongs to another provider ([`NameTaken`]), or the store failed.
pub async fn introduce(store: &Store, settings: &Settings, clock: &Clock) -> anyhow::Result<()> {
    let sources = settings.sources.iter().map(|source| (source.name.clone(), source.kind.word)).collect();
    let taken = store.introduce_sources(sources, clock.now()).await.context("remember the sources")?;
    match taken.into_iter().next() {
        None => Ok(()),
        Some((source_name, before)) => {
            let now = settings.sources.iter().find(|source| source.name == source_name);
            let now = now.map_or_else(String::new, |source| source.kind.word.to_owned());
            Err(NameTaken { source_name, before, now }.into())
        }
    }
}

/// Ends what a `serve` that died may have left: its leases, its calls under way, and the pauses of the sources.
///
/// # Errors
/// The store failed.
pub(super) async fn clear_up(store: &Store, settings: &Settings, clock: &Clock) -> anyhow::Result<()> {
    let freed = store.free_leases("serve-".to_owned()).await?;
    if freed > 0 {
        log::info!(
            "{freed} notifications were being asked about when the last serve ended; they are asked again"
        );
    }
    for source in &settings.sources {
        store.end_dead_calls(source.name.clone(), source.rate_limit, clock.now()).await?;
    }
    end_pauses(store, settings, clock).await
}

/// Ends the pauses of all sources: whoever starts or reloads `serve` may have put right what they were for.
///
/// # Errors
/// The store failed.
pub(super) async fn end_pauses(store: &Store, settings: &Settings, clock: &Clock) -> anyhow::Result<()> {
    for source in &settings.sources {
        store.resume(source.name.clone(), clock.now()).await?;
    }
    Ok(())
}
