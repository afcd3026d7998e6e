//! Checks the configured sources against the store, and cleans up after a process that died.

use anyhow::Context as _;

use super::actions;
use crate::config::Settings;
use crate::domain::Clock;
use crate::store::{Store, StoreError, VerifyLock};

/// Names of sources that belong to other providers in the store, one line each.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct NamesTaken(pub Vec<String>);

/// Checks, without writing, that no name belongs to another provider in the store.
///
/// # Errors
/// Names belong to other providers ([`NamesTaken`]), or the store failed.
pub(super) async fn refuse_taken_names(store: &Store, settings: &Settings) -> anyhow::Result<()> {
    let mut known = store.reader().known_sources().await.context("read the sources")?;
    known.retain(|(name, before)| {
        settings.sources.iter().any(|source| source.name == *name && source.kind.name != before)
    });
    refuse(&known, settings)
}

/// Registers the configured sources in the store.
///
/// # Errors
/// Names belong to other providers ([`NamesTaken`]), the store failed, or another program held its lock for too long.
pub async fn introduce(store: &Store, settings: &Settings, clock: &Clock) -> anyhow::Result<()> {
    let sources = settings.sources.iter().map(|source| (source.name.clone(), source.kind.name)).collect();
    let taken = store.introduce_sources(sources, clock.now()).await.context("register the sources")?;
    refuse(&taken, settings)
}

/// Like [`introduce`] followed by [`clear_up`], but waits as long as another program holds the lock.
///
/// # Errors
/// Like [`introduce`], except for the lock.
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
            source.kind.name
        ))
    });
    Err(NamesTaken(lines.collect()).into())
}

/// Cleans up after a `serve` that died: its leases, its calls in flight, and the pauses of the sources.
async fn clear_up(store: &Store, settings: &Settings, clock: &Clock) -> anyhow::Result<()> {
    let freed = store.free_leases("serve-".to_owned()).await?;
    store.free_deliveries("serve-".to_owned()).await?;
    if freed > 0 {
        log::info!("released {freed} leases of the previous serve; their notifications are verified again");
    }
    if let Err(error) = free_of_dead_verify(store, settings, clock).await {
        log::warn!("could not release the leases of a killed verify (they expire in 60 s): {error:#}");
    }
    end_calls_of("serve-", store, settings, clock).await?;
    end_pauses(store, settings, clock).await
}

/// Releases the leases of a `verify` that died, unless one runs. Until the returned lock is dropped, other processes
/// see that this one is alive.
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

/// Ends the pauses of all sources, because a start or reload may have fixed their cause.
pub(super) async fn end_pauses(store: &Store, settings: &Settings, clock: &Clock) -> anyhow::Result<()> {
    for source in &settings.sources {
        store.resume(source.name.clone(), clock.now()).await?;
    }
    Ok(())
}
