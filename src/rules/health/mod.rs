//! Judges health: turns what is known into a list of warnings. `status`, `readyz`, `metrics` and the log all show
//! this list.

use std::time::Duration;

use crate::domain::Timestamp;
use crate::domain::alerts::FailingChannel;
use crate::domain::format::{size, span};
use crate::domain::health::{
    Check, Contents, Health, Serving, SourceHealth, StoreHealth, Warning, WarningKind,
};

mod actions;
mod ledger;
mod sources;
#[cfg(test)]
mod tests;

/// Maximum size of the WAL in bytes before a warning. A larger one means that a long read prevents the checkpoint, or
/// that the disk is too slow.
const LARGEST_WAL: u64 = 256 << 20;

/// A worker without a heartbeat for this long hangs.
const LONGEST_TURN: Duration = Duration::from_secs(60);

/// New notifications are normally parsed within a second.
const LONGEST_UNREAD: Duration = Duration::from_secs(5 * 60);

/// A disk that will be full sooner gets a warning.
const SOON_FULL_DAYS: u64 = 14;

/// Minimum number of notifications for their average size to predict growth.
const FEWEST_KEPT: u64 = 1000;

const READ_RECOVERY: &str = "follow \"When the store is damaged\" in docs/recovery.md";

/// The checks for readiness, each with its finding. The service is ready if all are ok.
#[must_use]
pub fn checks(health: &Health) -> Vec<Check> {
    let store = &health.store;
    vec![writable(store), readable(store), sound(store), disk(store), wal(store), worker(health)]
}

/// All warnings, the worst first; empty if all is well.
#[must_use]
pub fn warnings(health: &Health) -> Vec<Warning> {
    let mut found = Vec::new();
    for check in checks(health).into_iter().filter(|check| !check.ok) {
        if let Some(kind) = WarningKind::parse(check.name) {
            found.push(of_all(kind, check.detail, &check.remedy));
        }
    }
    found.extend(not_serving(health));
    found.extend(unread(health));
    found.extend(disk_low(&health.store).or_else(|| disk_filling(&health.store)));
    for source in &health.sources {
        sources::add_warnings(source, health.now, &mut found);
    }
    for action in &health.actions {
        actions::add_warnings(action, health.now, &mut found);
    }
    if let Some(ledger) = &health.ledger {
        ledger::add_warnings(ledger, health.now, &mut found);
    }
    found.extend(health.alerts.iter().map(|failing| alert_failing(failing, health.now)));
    found
}

/// The end of a report's window must be this recent for current warnings to belong to it.
const LATELY: Duration = Duration::from_secs(24 * 3600);

/// Warnings about the sources of a report that ends at `to` that no finding covers.
#[must_use]
pub fn of_report(sources: Vec<SourceHealth>, to: Timestamp, now: Timestamp) -> Vec<Warning> {
    use WarningKind::{ManyMalformed, NoneConfirmed, WrongPath};
    if now.since(to) > LATELY {
        return Vec::new();
    }
    let (serving, store) = (Serving::Unknown, StoreHealth::default());
    let health =
        Health { now, serving, store, sources, actions: Vec::new(), ledger: None, alerts: Vec::new() };
    let is_told = |warning: &Warning| matches!(warning.kind, NoneConfirmed | ManyMalformed | WrongPath);
    warnings(&health).into_iter().filter(is_told).collect()
}

/// Growth of the store in bytes per day: the notifications of the last whole days, at the average size of the stored
/// ones. `None` while that would be a guess: on the first day, and while the store holds few.
#[must_use]
pub fn growth_per_day(contents: &Contents) -> Option<u64> {
    if contents.days == 0 || contents.kept < FEWEST_KEPT {
        return None;
    }
    let bytes = u128::from(contents.used_bytes) * u128::from(contents.received_lately)
        / u128::from(contents.kept)
        / u128::from(contents.days);
    u64::try_from(bytes).ok()
}

/// Days until the free disk space falls to `min_free`, if the store grows as now and nothing else writes to the disk.
/// `None` also if rows are removed by age, because then the growth ends.
#[must_use]
pub fn days_until_full(store: &StoreHealth) -> Option<u64> {
    let growth = growth_per_day(&store.contents).filter(|growth| *growth > 0 && !store.forgets)?;
    Some(store.free_disk?.saturating_sub(store.min_free) / growth)
}

fn check(name: &'static str, finding: Result<String, (String, &str)>) -> Check {
    match finding {
        Ok(detail) => Check { name, ok: true, detail, remedy: String::new() },
        Err((detail, remedy)) => Check { name, ok: false, detail, remedy: remedy.to_owned() },
    }
}

fn writable(store: &StoreHealth) -> Check {
    let finding = match &store.writable {
        None => Ok("not tested".to_owned()),
        Some(Ok(())) => Ok("a row was written".to_owned()),
        Some(Err(found)) => {
            let detail = format!("{}: intake answers 503", found.why);
            Err((detail, found.remedy.unwrap_or("run countersign doctor")))
        }
    };
    check("store_writable", finding)
}

fn readable(store: &StoreHealth) -> Check {
    let finding = match &store.unreadable {
        None => Ok("the queues can be read".to_owned()),
        Some(why) => Err((why.clone(), "run countersign doctor")),
    };
    check("store_readable", finding)
}

fn sound(store: &StoreHealth) -> Check {
    let finding = match &store.damage {
        None => Ok("no damage found".to_owned()),
        Some(why) => Err((format!("the store is damaged ({why}): writing has stopped"), READ_RECOVERY)),
    };
    check("store_sound", finding)
}

fn disk(store: &StoreHealth) -> Check {
    let finding = match store.free_disk {
        None => Ok("the system does not report free space".to_owned()),
        Some(free) if free < store.min_free => Err((
            format!("{} free, less than min_free ({}); intake answers 503", size(free), size(store.min_free)),
            "make room on the store's disk",
        )),
        Some(free) => Ok(format!("{} free", size(free))),
    };
    check("disk", finding)
}

fn wal(store: &StoreHealth) -> Check {
    let left = store.wal_left.unwrap_or(0);
    let detail =
        format!("{} of the WAL are not checkpointed; at most {} is normal", size(left), size(LARGEST_WAL));
    let remedy = "end any long read of the store (an open sqlite3 or Datasette, a backup), then the \
        checkpoint happens by itself; otherwise check whether the disk is slow";
    check("wal", if left <= LARGEST_WAL { Ok(detail) } else { Err((detail, remedy)) })
}

fn worker(health: &Health) -> Check {
    let finding = match &health.serving {
        Serving::Here(Some(last_turn)) => {
            // While another program holds the lock, the worker cannot work.
            let goes_on_since = health.store.last_locked.map_or(*last_turn, |locked| locked.max(*last_turn));
            let silence = health.now.since(goes_on_since);
            let detail = format!("last heartbeat {} s ago", silence.as_secs());
            if silence <= LONGEST_TURN {
                Ok(detail)
            } else {
                Err((detail, "restart serve, and attach its log to a bug report"))
            }
        }
        Serving::Here(None) => Ok("off (--no-worker)".to_owned()),
        Serving::Elsewhere(_) | Serving::NotRunning | Serving::Unknown => Ok("in another process".to_owned()),
    };
    check("worker", finding)
}

fn of_all(kind: WarningKind, what: String, remedy: &str) -> Warning {
    Warning { kind, source: None, action: None, what, detail: None, remedy: remedy.to_owned() }
}

fn alert_failing(failing: &FailingChannel, now: Timestamp) -> Warning {
    let FailingChannel { channel, since, cause } = failing;
    let what = format!("alerts by {channel} have not been sent for {}: {cause}", span(now.since(*since)));
    of_all(
        WarningKind::AlertFailing,
        what,
        "correct [alerts] or [mail], and try: countersign send-test alerts",
    )
}

fn not_serving(health: &Health) -> Option<Warning> {
    (health.serving == Serving::NotRunning).then(|| {
        let what = "no serve runs on this store: nothing is received or verified".to_owned();
        of_all(WarningKind::NotServing, what, "start it, and check why it ended (journalctl -u countersign)")
    })
}

/// Only from outside: `serve` checks its worker by the heartbeat.
fn unread(health: &Health) -> Option<Warning> {
    let Serving::Elsewhere(_) = &health.serving else { return None };
    let waits = age(health.now, health.store.contents.oldest_unread).filter(|age| *age > LONGEST_UNREAD)?;
    let what = format!("serve runs, but notifications received {} ago are not parsed yet", span(waits));
    let remedy = "see its log: its worker hangs, or it was started with --no-worker and verify does not run";
    Some(of_all(WarningKind::Unread, what, remedy))
}

fn disk_low(store: &StoreHealth) -> Option<Warning> {
    let free = store.free_disk?;
    let is_low = free >= store.min_free && free < store.min_free.saturating_mul(2);
    is_low.then(|| {
        let what = format!(
            "the store's disk has {} free; below {} every notification is answered 503",
            size(free),
            size(store.min_free)
        );
        of_all(
            WarningKind::DiskLow,
            what,
            "make room on it, or remove old rows ([store] keep, keep_personal)",
        )
    })
}

fn disk_filling(store: &StoreHealth) -> Option<Warning> {
    let days = days_until_full(store).filter(|days| *days < SOON_FULL_DAYS)?;
    // A disk that is full already has its own warning.
    store.free_disk.filter(|free| *free >= store.min_free)?;
    let growth = growth_per_day(&store.contents)?;
    let what = format!(
        "the store grows by about {} a day; the disk will be full in about {days} days",
        size(growth)
    );
    Some(of_all(
        WarningKind::DiskFilling,
        what,
        "make room on it, or remove old rows ([store] keep, keep_personal)",
    ))
}

fn age(now: Timestamp, then: Option<Timestamp>) -> Option<Duration> {
    then.map(|then| now.since(then))
}

/// The state of a source's API, in a few words.
#[must_use]
pub fn api(source: &SourceHealth) -> String {
    match source.failing.first() {
        Some(failing) if failing.call_kind.is_empty() => failing.cause.to_string(),
        Some(failing) => format!("{} ({})", failing.cause, failing.call_kind),
        None if !source.is_configured => "not configured".to_owned(),
        None if source.was_answered => "answers".to_owned(),
        None => "not asked yet".to_owned(),
    }
}
