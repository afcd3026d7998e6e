//! Whether all is well: from what is known to what somebody should look at. `status`, `readyz`, `metrics` and the log
//! all tell what this says.

use std::time::Duration;

use crate::domain::Timestamp;
use crate::domain::health::{
    Check, Contents, Health, Serving, SourceHealth, StoreHealth, Warning, WarningKind,
};

mod actions;
mod sources;
#[cfg(test)]
mod tests;
mod words;

pub use words::{size, span};

/// With more of the write-ahead log to copy into the store, a reader that never ends keeps it from being copied, or the
/// disk is too slow.
const LARGEST_WAL: u64 = 256 << 20;

/// A worker that took no turn for so long hangs.
const LONGEST_TURN: Duration = Duration::from_secs(60);

/// What came in is read within a second, as a rule.
const LONGEST_UNREAD: Duration = Duration::from_secs(5 * 60);

/// A disk that will be full sooner is worth a word.
const SOON_FULL_DAYS: u64 = 14;

/// With fewer notifications kept their average size tells nothing about the next.
const FEWEST_KEPT: u64 = 1000;

const READ_RECOVERY: &str = "follow \"When the store is damaged\" in docs/recovery.md";

/// What the service cannot do without, each with what was found: where one is not ok it is not ready.
#[must_use]
pub fn checks(health: &Health) -> Vec<Check> {
    let store = &health.store;
    vec![writable(store), readable(store), sound(store), disk(store), wal(store), worker(health)]
}

/// All that somebody should look at, what is worst first; nothing where all is well.
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
        sources::look(source, health.now, &mut found);
    }
    for action in &health.actions {
        actions::look(action, health.now, &mut found);
    }
    found
}

/// A report that ends longer ago is about the past alone.
const LATELY: Duration = Duration::from_secs(24 * 3600);

/// What no finding of a report that ends at `to` tells about its sources, though an owner has to know it.
#[must_use]
pub fn of_report(sources: Vec<SourceHealth>, to: Timestamp, now: Timestamp) -> Vec<Warning> {
    use WarningKind::{ManyMalformed, NoneConfirmed, WrongPath};
    if now.since(to) > LATELY {
        return Vec::new();
    }
    let (serving, store) = (Serving::Unknown, StoreHealth::default());
    let health = Health { now, serving, store, sources, actions: Vec::new() };
    let is_told = |warning: &Warning| matches!(warning.kind, NoneConfirmed | ManyMalformed | WrongPath);
    warnings(&health).into_iter().filter(is_told).collect()
}

/// By how many bytes the store grows in a day: what came in on the last whole days, at the average size of what is
/// kept. `None` where that cannot be told honestly: in its first day, and while it holds little.
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

/// In how many days the disk will be as full as intake allows, at the store's present growth and if nothing else
/// writes to it. `None` also where rows go by themselves: then the growth ends.
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
        None => Ok("nobody tried".to_owned()),
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
        None => Ok("the queues were read".to_owned()),
        Some(why) => Err((why.clone(), "run countersign doctor")),
    };
    check("store_readable", finding)
}

fn sound(store: &StoreHealth) -> Check {
    let finding = match &store.damage {
        None => Ok("no damage was met".to_owned()),
        Some(why) => {
            Err((format!("the store is damaged ({why}): nothing is written to it any more"), READ_RECOVERY))
        }
    };
    check("store_sound", finding)
}

fn disk(store: &StoreHealth) -> Check {
    let finding = match store.free_disk {
        None => Ok("the system does not tell how much is free".to_owned()),
        Some(free) if free < store.min_free => Err((
            format!("{free} bytes free, less than min_free of {}; intake answers 503", store.min_free),
            "make room on the store's disk",
        )),
        Some(free) => Ok(format!("{free} bytes free")),
    };
    check("disk", finding)
}

fn wal(store: &StoreHealth) -> Check {
    let left = store.wal_left.unwrap_or(0);
    let detail = format!(
        "{left} bytes of the write-ahead log are not copied into the store, at most {LARGEST_WAL} are fine"
    );
    let remedy = "end what has been reading the store for long (an open sqlite3 or Datasette, a backup): the log is then \
                  copied by itself; else see whether the disk is slow";
    check("wal", if left <= LARGEST_WAL { Ok(detail) } else { Err((detail, remedy)) })
}

fn worker(health: &Health) -> Check {
    let finding = match &health.serving {
        Serving::Here(Some(last_turn)) => {
            // While another program holds the lock there is no turn to take.
            let goes_on_since = health.store.last_locked.map_or(*last_turn, |locked| locked.max(*last_turn));
            let silence = health.now.since(goes_on_since);
            let detail = format!("took its last turn {} s ago", silence.as_secs());
            if silence <= LONGEST_TURN {
                Ok(detail)
            } else {
                Err((detail, "restart serve, and keep its log for the makers"))
            }
        }
        Serving::Here(None) => Ok("not started by --no-worker".to_owned()),
        Serving::Elsewhere(_) | Serving::Nobody | Serving::Unknown => Ok("not of this process".to_owned()),
    };
    check("worker", finding)
}

fn of_all(kind: WarningKind, what: String, remedy: &str) -> Warning {
    Warning { kind, source: None, action: None, what, detail: None, remedy: remedy.to_owned() }
}

fn not_serving(health: &Health) -> Option<Warning> {
    (health.serving == Serving::Nobody).then(|| {
        let what = "no serve runs on this store: nothing is received, nothing is asked".to_owned();
        of_all(WarningKind::NotServing, what, "start it, and see why it ended (journalctl -u countersign)")
    })
}

/// Only from outside: `serve` itself looks at its worker.
fn unread(health: &Health) -> Option<Warning> {
    let Serving::Elsewhere(_) = &health.serving else { return None };
    let waits = age(health.now, health.store.contents.oldest_unread).filter(|age| *age > LONGEST_UNREAD)?;
    let what = format!("a serve runs, but what came in {} ago is not even read", span(waits));
    let remedy = "see its log; its worker hangs, or it was started with --no-worker and nobody runs verify";
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
            "make room on it, or let old rows go ([store] keep, keep_personal)",
        )
    })
}

fn disk_filling(store: &StoreHealth) -> Option<Warning> {
    let days = days_until_full(store).filter(|days| *days < SOON_FULL_DAYS)?;
    // Less is told as what it is.
    store.free_disk.filter(|free| *free >= store.min_free)?;
    let growth = growth_per_day(&store.contents)?;
    let what = format!(
        "the store grows by about {} a day; the disk will be full in about {days} days",
        size(growth)
    );
    Some(of_all(
        WarningKind::DiskFilling,
        what,
        "make room on it, or let old rows go ([store] keep, keep_personal)",
    ))
}

fn age(now: Timestamp, then: Option<Timestamp>) -> Option<Duration> {
    then.map(|then| now.since(then))
}

/// The state of a source's API, in a few words.
#[must_use]
pub fn api(source: &SourceHealth) -> String {
    match source.failing.first() {
        Some(failing) if failing.lane.is_empty() => failing.cause.to_string(),
        Some(failing) => format!("{} ({})", failing.cause, failing.lane),
        None if !source.is_configured => "not configured".to_owned(),
        None if source.was_answered => "answers".to_owned(),
        None => "not asked yet".to_owned(),
    }
}
