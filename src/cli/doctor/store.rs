//! What `doctor` looks at in the store: the file, its folder, its disk, and the sources that it knows.

use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rustix::fs::Access;

use super::{CommandError, Findings};
use crate::config::Settings;
use crate::domain::Clock;
use crate::store::{self, Store};

/// Looks at the store; returns it where it can be used.
pub(super) async fn check(
    findings: &mut Findings,
    settings: &Settings,
    clock: &Clock,
) -> Result<Option<Store>, CommandError> {
    let path = settings.store.path.as_path();
    check_disk(findings, settings)?;
    let store = match Store::open(path) {
        Ok(store) => store,
        Err(error) => {
            findings.bad(format!("{error:#}"))?;
            return Ok(None);
        }
    };
    match store.check_writable(clock.now()).await {
        Ok(()) => findings.good(format!("the store {} can be written", path.display()))?,
        Err(error) => findings.bad(format!("the store {} cannot be written: {error}", path.display()))?,
    }
    check_mode(findings, path)?;
    check_sources(findings, settings, &store).await?;
    check_proxies(findings, settings, &store).await?;
    Ok(Some(store))
}

/// SQLite puts its log and its lock beside the file, so the folder counts as well.
fn check_disk(findings: &mut Findings, settings: &Settings) -> Result<(), CommandError> {
    let path = settings.store.path.as_path();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let shown = folder.display();
    match rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => findings.good(format!("the store's folder {shown} can be written"))?,
        Err(error) => {
            let todo = "create it, or let this user write there";
            findings.bad(format!("the store's folder {shown} cannot be written ({error}); {todo}"))?;
        }
    }
    let least = mebibytes(settings.store.min_free);
    match store::free_disk(path) {
        Some(free) if free < settings.store.min_free => {
            let free = mebibytes(free);
            findings.bad(format!(
                "the store's disk has {free} free, less than [store] min_free ({least}): every notification is refused; make room"
            ))
        }
        Some(free) => findings.good(format!("the store's disk has {} free", mebibytes(free))),
        None => Ok(()),
    }
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes / (1 << 20))
}

fn check_mode(findings: &mut Findings, path: &Path) -> Result<(), CommandError> {
    let shown = path.display();
    match std::fs::metadata(path).map(|meta| meta.permissions().mode() & 0o7777) {
        Ok(mode) if mode & 0o077 == 0 => findings.good(format!("the store {shown} is its owner's alone")),
        Ok(mode) => findings.bad(format!(
            "the store {shown} holds customers' data and others may open it (mode {mode:04o}); run: chmod 600 {shown}"
        )),
        Err(error) => findings.bad(format!("the store {shown} cannot be looked at: {error}")),
    }
}

/// Sources that the store knows otherwise than the configuration does, or not at all.
async fn check_sources(
    findings: &mut Findings,
    settings: &Settings,
    store: &Store,
) -> Result<(), CommandError> {
    for queue in store.reader().queues().await? {
        let name = &queue.source;
        match settings.sources.iter().find(|source| source.name == *name) {
            Some(source) if source.kind.word != queue.provider => findings.bad(format!(
                "source {name} is {} in the configuration, but was {} before; give the new one another name",
                source.kind.word, queue.provider
            ))?,
            None if queue.pending > 0 => findings.bad(format!(
                "source {name} is not configured any more and {} wait{} for it; configure it again, as {}",
                crate::cli::chosen::counted(queue.pending),
                if queue.pending == 1 { "s" } else { "" },
                queue.provider
            ))?,
            _ => {}
        }
    }
    Ok(())
}

/// Proxies that pass notifications on without being listed. A stranger may send the header too, but not from an address
/// of this network.
async fn check_proxies(
    findings: &mut Findings,
    settings: &Settings,
    store: &Store,
) -> Result<(), CommandError> {
    for (peer, count) in store.reader().unbelieved_forwarders().await? {
        let Ok(address) = peer.parse::<IpAddr>() else { continue };
        let is_listed = settings.server.trusted_proxies.iter().any(|net| net.contains(&address));
        if is_inside(address) && !is_listed {
            findings.warn(format!(
                "{} of late came through {peer}, whose X-Forwarded-For is not believed: behind an unlisted proxy all \
                 senders look like one; add \"{peer}\" to [server] trusted_proxies, if that is your proxy",
                crate::cli::chosen::counted(count)
            ))?;
        }
    }
    Ok(())
}

/// Whether an address can only be one of our own network.
fn is_inside(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}
