//! The checks of the store: the file, its folder, its disk, and its sources.

use std::io::{IsTerminal as _, stderr};
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use rustix::fs::Access;

use super::{CommandError, Findings};
use crate::config::Settings;
use crate::domain::Clock;
use crate::domain::address::is_private;
use crate::domain::format::size;
use crate::store::{self, LARGEST_THOROUGH, Reader, Store, StoreError};

/// The result of checking the store.
pub(super) enum Examined {
    Usable(Store),
    /// The store cannot be used.
    Unusable,
    /// Another program holds the lock, so calls cannot be counted.
    Locked,
}

pub(super) async fn check(
    findings: &mut Findings,
    settings: &Settings,
    clock: &Clock,
) -> Result<Examined, CommandError> {
    let path = settings.store.path.as_path();
    check_disk(findings, settings)?;
    let store = match Store::open(path) {
        Ok(store) => store,
        Err(error) => {
            findings.bad(format!("{error:#}"))?;
            return Ok(Examined::Unusable);
        }
    };
    // Never write to a damaged store, not even to test whether that works.
    if !check_soundness(findings, path, store.reader()).await? {
        return Ok(Examined::Unusable);
    }
    match store.check_writable_patiently(clock.now()).await {
        Ok(()) => findings.good(format!("the store {} can be written", path.display()))?,
        Err(error @ StoreError::Locked(_)) => {
            let todo = error.remedy().unwrap_or_default();
            findings.bad(format!("{error:#}: every notification is answered 503; {todo}"))?;
            return Ok(Examined::Locked);
        }
        Err(error) => findings.bad(format!("the store {} cannot be written: {error:#}", path.display()))?,
    }
    check_mode(findings, path)?;
    check_sources(findings, settings, &store).await?;
    check_proxies(findings, settings, &store).await?;
    Ok(Examined::Usable(store))
}

/// Reads the whole file and reports whether it is sound. A terminal shows the progress.
async fn check_soundness(
    findings: &mut Findings,
    path: &Path,
    reader: &Reader,
) -> Result<bool, CommandError> {
    let is_thorough = store::file_size(path) <= LARGEST_THOROUGH;
    let bar = if stderr().is_terminal() { ProgressBar::new(1) } else { ProgressBar::hidden() };
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} tables of the store read");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let progress = |done: usize, all: usize| {
        bar.set_length(u64::try_from(all).unwrap_or(u64::MAX));
        bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
    };
    let found = reader.soundness(is_thorough, progress).await?;
    bar.finish_and_clear();
    let shown = path.display();
    match found.complaints.first() {
        None if is_thorough => findings.good(format!(
            "the store {shown} is sound: its {} tables and their indexes were read and agree",
            found.tables
        )),
        None => findings.good(format!(
            "the store {shown} is sound: its {} tables and their indexes were read (not compared with each \
                other, which takes long in a large store: sqlite3 -readonly {shown} 'PRAGMA \
                integrity_check')",
            found.tables
        )),
        Some(first) => {
            let others = found.complaints.len() - 1;
            let more = if others == 0 { String::new() } else { format!(", and {others} more") };
            findings.bad(format!("{shown}: {}", StoreError::Damaged(format!("{first}{more}"))))
        }
    }?;
    Ok(found.complaints.is_empty())
}

/// SQLite writes its WAL beside the file, so the folder must be writable too.
fn check_disk(findings: &mut Findings, settings: &Settings) -> Result<(), CommandError> {
    let path = settings.store.path.as_path();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let shown = folder.display();
    match rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => findings.good(format!("the store's folder {shown} can be written"))?,
        Err(error) => {
            let todo = "create it, or let this user write to it";
            findings.bad(format!("the store's folder {shown} cannot be written ({error}); {todo}"))?;
        }
    }
    let least = size(settings.store.min_free);
    match store::free_disk(path) {
        Some(free) if free < settings.store.min_free => {
            let free = size(free);
            findings.bad(format!(
                "the store's disk has {free} free, less than [store] min_free ({least}): every notification is refused; make room"
            ))
        }
        Some(free) => findings.good(format!("the store's disk has {} free", size(free))),
        None => Ok(()),
    }
}

fn check_mode(findings: &mut Findings, path: &Path) -> Result<(), CommandError> {
    let shown = path.display();
    match std::fs::metadata(path).map(|meta| meta.permissions().mode() & 0o7777) {
        Ok(mode) if mode & 0o077 == 0 => findings.good(format!("only its owner can open the store {shown}")),
        Ok(mode) => findings.bad(format!(
            "the store {shown} holds customers' data, but other users can open it (mode {mode:04o}); run: \
                chmod 600 {shown}"
        )),
        Err(error) => findings.bad(format!("cannot read the mode of the store {shown}: {error}")),
    }
}

/// Reports sources that differ between the store and the configuration, or that are no longer configured.
async fn check_sources(
    findings: &mut Findings,
    settings: &Settings,
    store: &Store,
) -> Result<(), CommandError> {
    for queue in store.reader().queues().await? {
        let name = &queue.source;
        match settings.sources.iter().find(|source| source.name == *name) {
            Some(source) if source.kind.name != queue.provider => findings.bad(format!(
                "source {name} is {} in the configuration, but was {} before; give the new one another name",
                source.kind.name, queue.provider
            ))?,
            None if queue.pending > 0 => findings.bad(format!(
                "source {name} is no longer configured, but {} wait{} for it; configure it again, as {}",
                crate::cli::selection::number_of_notifications(queue.pending),
                if queue.pending == 1 { "s" } else { "" },
                queue.provider
            ))?,
            _ => {}
        }
    }
    Ok(())
}

/// Warns about proxies that are not listed. A stranger may send the header too, but not from an address of this
/// network.
async fn check_proxies(
    findings: &mut Findings,
    settings: &Settings,
    store: &Store,
) -> Result<(), CommandError> {
    for (peer, count) in store.reader().untrusted_proxies().await? {
        let Ok(address) = peer.parse::<IpAddr>() else { continue };
        let is_listed = settings.server.trusted_proxies.iter().any(|net| net.contains(&address));
        if is_private(address) && !is_listed {
            findings.warn(format!(
                "{} recently came through {peer}, whose X-Forwarded-For is ignored; if this is your proxy, \
                    add \"{peer}\" to [server] trusted_proxies, otherwise all senders look the same",
                crate::cli::selection::number_of_notifications(count)
            ))?;
        }
    }
    Ok(())
}
