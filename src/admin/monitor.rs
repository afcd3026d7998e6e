//! Checks health every few seconds and logs each warning when it begins and when it ends. Only the warning that the
//! store cannot be written is repeated, at long intervals.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::{Admin, snapshot};
use crate::domain::Timestamp;
use crate::domain::format::span;
use crate::domain::health::{Warning, WarningKind};
use crate::rules::health;
use crate::store::ServeLock;

/// The time between two checks.
const EVERY: Duration = Duration::from_secs(5);

/// Checks without a warning until it counts as over, so that a flapping warning does not fill the log.
const CALM: u32 = 2;

/// The interval at which a warning that stops intake is repeated.
const REMIND: Duration = Duration::from_secs(600);

/// Warnings that another part of the program logs itself.
const LOGGED_ELSEWHERE: [WarningKind; 2] = [WarningKind::Disk, WarningKind::StoreSound];

/// The result of the last check.
#[derive(Clone, Debug)]
pub struct HealthFindings {
    /// When it was made.
    pub at: Timestamp,
    pub warnings: Vec<Warning>,
    /// The failing check of the store or its disk, if any.
    pub failing: Option<&'static str>,
}

/// Watches until aborted, and sends each result to `findings`. Also records the last notification's id beside
/// the store.
pub async fn monitor(
    in_force: Arc<ArcSwap<Admin>>,
    lock: Arc<Mutex<ServeLock>>,
    findings: watch::Sender<Option<HealthFindings>>,
) {
    let mut episodes = Episodes::default();
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_first = true;
    loop {
        ticks.tick().await;
        let admin = in_force.load_full();
        let found = snapshot::take(&admin, snapshot::WriteCheck::Lock).await;
        if found.store.unreadable.is_none() {
            record_last_id(&lock, found.store.contents.last_id, is_first).await;
            is_first = false;
        }
        let warnings = health::warnings(&found);
        let of_store = |name: &str| name == "disk" || name.starts_with("store_");
        let mut checks = health::checks(&found).into_iter();
        let failing = checks.find(|check| !check.ok && of_store(check.name)).map(|check| check.name);
        findings.send_replace(Some(HealthFindings { at: found.now, warnings: warnings.clone(), failing }));
        for event in episodes.update(warnings, found.now) {
            log_change(&event);
        }
    }
}

/// Records the id of the last notification beside the store. The first time, it compares it with the record of an
/// earlier `serve`.
async fn record_last_id(lock: &Arc<Mutex<ServeLock>>, last_id: i64, is_first: bool) {
    let lock = Arc::clone(lock);
    let remember = move || {
        let mut lock = lock.lock().unwrap_or_else(PoisonError::into_inner);
        if is_first && lock.mark().is_some_and(|mark| mark > last_id) {
            let mark = lock.mark().unwrap_or_default();
            log::warn!(
                "the store ends at notification {last_id}, but an earlier serve had stored up to {mark}: \
                    the notifications between are lost (a restored backup, or a removed -wal file), and ids \
                    up to {mark} will be reused; run countersign reconcile --recover to find their orders"
            );
        }
        if lock.mark() != Some(last_id) {
            match lock.remember(last_id) {
                Ok(()) => log::debug!("recorded last_id={last_id}"),
                Err(error) => log::debug!("cannot write the lock file: {error}"),
            }
        }
    };
    // This fails only while the process ends.
    drop(tokio::task::spawn_blocking(remember).await);
}

fn log_change(event: &EpisodeChange) {
    match event {
        EpisodeChange::Begins(warning) => {
            let Warning { kind, source, action, remedy, .. } = warning;
            let about = about(source.as_ref(), action.as_ref());
            log::warn!("warning={kind}{about} {}; {remedy}", warning.in_words());
        }
        EpisodeChange::Over { kind, source, action, lasted } => {
            log::info!("over={kind}{} after {}", about(source.as_ref(), action.as_ref()), span(*lasted));
        }
    }
}

fn about(source: Option<&String>, action: Option<&String>) -> String {
    let source = source.map(|source| format!(" source={source}"));
    let action = action.map(|action| format!(" action={action}"));
    source.or(action).unwrap_or_default()
}

#[derive(Debug, PartialEq, Eq)]
enum EpisodeChange {
    Begins(Warning),
    Over { kind: WarningKind, source: Option<String>, action: Option<String>, lasted: Duration },
}

/// The warnings that are active.
#[derive(Debug, Default)]
struct Episodes(BTreeMap<About, Episode>);

/// A kind of warning, and its source or action.
type About = (WarningKind, Option<String>, Option<String>);

#[derive(Debug)]
struct Episode {
    since: Timestamp,
    logged_at: Timestamp,
    calm: u32,
}

impl Episodes {
    /// Takes the current warnings; returns those that began and those that ended.
    fn update(&mut self, found: Vec<Warning>, now: Timestamp) -> Vec<EpisodeChange> {
        let mut events = Vec::new();
        for episode in self.0.values_mut() {
            episode.calm = episode.calm.saturating_add(1);
        }
        for warning in found {
            if LOGGED_ELSEWHERE.contains(&warning.kind) {
                continue;
            }
            match self.0.entry((warning.kind, warning.source.clone(), warning.action.clone())) {
                std::collections::btree_map::Entry::Occupied(mut going) => {
                    let episode = going.get_mut();
                    episode.calm = 0;
                    let is_due = now.since(episode.logged_at) >= REMIND;
                    if warning.kind == WarningKind::StoreWritable && is_due {
                        episode.logged_at = now;
                        events.push(EpisodeChange::Begins(warning));
                    }
                }
                std::collections::btree_map::Entry::Vacant(free) => {
                    free.insert(Episode { since: now, logged_at: now, calm: 0 });
                    events.push(EpisodeChange::Begins(warning));
                }
            }
        }
        self.0.retain(|(kind, source, action), episode| {
            let is_over = episode.calm >= CALM;
            if is_over {
                let lasted = now.since(episode.since);
                let (source, action) = (source.clone(), action.clone());
                events.push(EpisodeChange::Over { kind: *kind, source, action, lasted });
            }
            !is_over
        });
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn silent(source: &str) -> Warning {
        Warning {
            kind: WarningKind::Silent,
            source: Some(source.to_owned()),
            action: None,
            what: "nothing came in".to_owned(),
            detail: None,
            remedy: "look".to_owned(),
        }
    }

    #[test]
    fn each_warning_is_told_once_when_it_begins_and_once_when_it_is_over() {
        let mut episodes = Episodes::default();
        let mut update =
            |found: Vec<Warning>, second: i64| episodes.update(found, Timestamp::from_seconds(second));
        assert_eq!(update(vec![silent("a")], 0), [EpisodeChange::Begins(silent("a"))]);
        assert_eq!(update(vec![silent("a")], 5), []);
        assert_eq!(update(vec![silent("a"), silent("b")], 10), [EpisodeChange::Begins(silent("b"))]);
        assert_eq!(update(vec![silent("b")], 15), [], "it may come back");
        assert_eq!(update(vec![silent("a"), silent("b")], 20), []);
        assert_eq!(update(vec![silent("b")], 25), []);
        let over = EpisodeChange::Over {
            kind: WarningKind::Silent,
            source: Some("a".to_owned()),
            action: None,
            lasted: Duration::from_secs(30),
        };
        assert_eq!(update(vec![silent("b")], 30), [over]);
        assert_eq!(update(vec![silent("a"), silent("b")], 35), [EpisodeChange::Begins(silent("a"))]);
    }

    #[test]
    fn a_store_that_cannot_be_written_is_told_again_every_ten_minutes() {
        let locked = Warning { kind: WarningKind::StoreWritable, source: None, ..silent("") };
        let mut episodes = Episodes::default();
        let told = (0..1300).step_by(5).filter(|second| {
            !episodes.update(vec![locked.clone(), silent("a")], Timestamp::from_seconds(*second)).is_empty()
        });
        assert_eq!(told.collect::<Vec<i64>>(), [0, 600, 1200]);
    }

    #[test]
    fn what_is_told_elsewhere_is_not_told_twice() {
        let full = Warning { kind: WarningKind::Disk, source: None, ..silent("") };
        assert_eq!(Episodes::default().update(vec![full], Timestamp::from_seconds(0)), []);
    }
}
