//! The configured sources and the store: whether each may have its name, and a clean start for each.

use anyhow::Context as _;

use super::actions;
use crate::config::Settings;
use crate::domain::Clock;
use crate::store::{Store, StoreError, VerifyLock};

/// Names of sources that belonged to other providers when the store was written; a line each.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct NamesTaken(pub Vec<String>);

/// Refuses names that the store knows as other providers'; only reads.
///
/// # Errors
/// Names belong to other providers ([`NamesTaken`]), or the store failed.
pub(super) async fn refuse_taken_names(store: &Store, settings: &Settings) -> anyhow::Result<()> {
    let mut known = store.reader().known_sources().await.context("read the sources")?;
    known.retain(|(name, before)| {
        settings.sources.iter().any(|source| source.name == *name && source.kind.word != before)
    });
    refuse(&known, settings)
}

/// Remembers the configured sources in the store.
///
/// # Errors
/// Names belong to other providers ([`NamesTaken`]), the store failed, or another program held its lock for too long.
pub async fn introduce(store: &Store, settings: &Settings, clock: &Clock) -> anyhow::Result<()> {
    let sources = settings.sources.iter().map(|source| (source.name.clone(), source.kind.word)).collect();
    let taken = store.introduce_sources(sources, clock.now()).await.context("remember the sources")?;
    refuse(&taken, settings)
}

/// As [`introduce`], then [`clear_up`]; waits for as long as another program holds the lock.
///
/// # Errors
/// As [`introduce`], but for the lock.
pub(super) async fn begin(store: &Store, settings: &Settings, clock: &Clock) -> anyhow::Result<()> {
    loop {
        match introduce(store, settings, clock).await {
            Err(error) if matches!(error.downcast_ref(), Some(StoreError::Locked(_))) => {}
            done => break done?,
        }
    }
    clear_up(store, settings, clock).await?;
    store.identify().await?;
    actions::wake(store, settings).await
}

fn refuse(taken: &[(String, String)], settings: &Settings) -> anyhow::Result<()> {
    if taken.is_empty() {
        return Ok(());
    }
    let lines = settings.sources.iter().filter_map(|source| {
        let (name, before) = taken.iter().find(|(name, _)| *name == source.name)?;
        let line = source.line.map_or_else(String::new, |line| format!(":{line}"));
        Some(format!(
            "{}{line}: sources.{name}: this name belongs to provider {before} in the store, not {}; give the new source \
             another name (e.g. [sources.{name}-2])",
            settings.file.display(),
            source.kind.word
        ))
    });
    Err(NamesTaken(lines.collect()).into())
}

/// Ends what a `serve` that died may have left: its leases, its calls under way, and the pauses of the sources.
///
/// # Errors
/// The store failed.
async fn clear_up(store: &Store, settings: &Settings, clock: &Clock) -> anyhow::Result<()> {
    let freed = store.free_leases("serve-".to_owned()).await?;
    store.free_deliveries("serve-".to_owned()).await?;
    if freed > 0 {
        log::info!(
            "{freed} notifications were being asked about when the last serve ended; they are asked again"
        );
    }
    if let Err(error) = free_of_dead_verify(store, settings, clock).await {
        log::warn!("what a verify was asking about when it was killed is asked again in a minute: {error:#}");
    }
    end_calls_of("serve-", store, settings, clock).await?;
    end_pauses(store, settings, clock).await
}

/// Frees what a `verify` that died may have left leased, unless one runs, and joins those that do: until the lock is
/// dropped, nobody takes this one for dead.
///
/// # Errors
/// The lock file cannot be used, or the store failed.
pub async fn join_verify(store: &Store, settings: &Settings, clock: &Clock) -> anyhow::Result<VerifyLock> {
    let lock = free_of_dead_verify(store, settings, clock).await?;
    let joined = tokio::task::spawn_blocking(move || lock.share().map(|()| lock)).await?;
    joined.context("share the lock file of verify")
}

async fn end_calls_of(
    prefix: &'static str,
    store: &Store,
    settings: &Settings,
    clock: &Clock,
) -> anyhow::Result<()> {
    for source in &settings.sources {
        store.end_dead_calls(prefix, source.name.clone(), source.rate_limit, clock.now()).await?;
    }
    Ok(())
}

async fn free_of_dead_verify(
    store: &Store,
    settings: &Settings,
    clock: &Clock,
) -> anyhow::Result<VerifyLock> {
    let lock = VerifyLock::open(&settings.store.path).context("open the lock file of verify")?;
    if lock.is_alone().context("lock the lock file of verify")? {
        store.free_leases("verify-".to_owned()).await?;
        end_calls_of("verify-", store, settings, clock).await?;
        store.free_deliveries("verify-".to_owned()).await?;
    }
    Ok(lock)
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
