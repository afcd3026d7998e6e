//! The warnings about the service, its store and its disk.

mod sources;

use std::time::Duration;

use super::*;
use crate::domain::health::{SourceHealth, Unwritable};

const NOW: i64 = 1_750_000_000_000;
const MIB: u64 = 1 << 20;

fn ago(seconds: u64) -> Timestamp {
    Timestamp::from_millis(NOW).minus(Duration::from_secs(seconds))
}

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// A service with one source where all is well.
fn well() -> Health {
    let contents = Contents {
        used_bytes: 100 * MIB,
        kept: 100_000,
        last_id: 100_000,
        received_lately: 7_000,
        days: 7,
        oldest_unread: None,
    };
    let store = StoreHealth {
        writable: Some(Ok(())),
        free_disk: Some(10_000 * MIB),
        min_free: 256 * MIB,
        file_bytes: 100 * MIB,
        wal_bytes: 4 * MIB,
        wal_left: Some(MIB),
        contents,
        ..StoreHealth::default()
    };
    let source = SourceHealth {
        source: "shop".to_owned(),
        provider: "ecwid".to_owned(),
        is_configured: true,
        first_served_at: Some(ago(100 * DAY)),
        last_received: Some(ago(60)),
        ..SourceHealth::default()
    };
    let now = Timestamp::from_millis(NOW);
    Health {
        now,
        serving: Serving::Here(Some(now)),
        store,
        sources: vec![source],
        actions: Vec::new(),
        ledger: None,
        alerts: Vec::new(),
    }
}

fn kinds(change: impl FnOnce(&mut Health)) -> String {
    let mut health = well();
    change(&mut health);
    let found = warnings(&health);
    let kinds: Vec<&str> = found.iter().map(|warning| warning.kind.as_str()).collect();
    kinds.join(" ")
}

#[test]
fn nothing_is_said_where_all_is_well() {
    assert_eq!(kinds(|_| ()), "");
    assert!(checks(&well()).iter().all(|check| check.ok));
}

#[test]
fn what_the_service_cannot_do_without_is_a_failing_check_and_a_warning() {
    type Change = fn(&mut Health);
    let cases: [(Change, &str); 6] = [
        (|h| h.store.writable = Some(Err(locked())), "store_writable"),
        (|h| h.store.unreadable = Some("disk I/O error".to_owned()), "store_readable"),
        (|h| h.store.damage = Some("malformed".to_owned()), "store_sound"),
        (|h| h.store.free_disk = Some(h.store.min_free - 1), "disk"),
        (|h| h.store.wal_left = Some(LARGEST_WAL + 1), "wal"),
        (|h| h.serving = Serving::Here(Some(ago(61))), "worker"),
    ];
    for (change, name) in cases {
        let mut health = well();
        change(&mut health);
        let failing: Vec<&str> =
            checks(&health).iter().filter(|check| !check.ok).map(|check| check.name).collect();
        assert_eq!(failing, [name]);
        let found = warnings(&health);
        assert_eq!(found.iter().map(|warning| warning.kind.as_str()).collect::<Vec<_>>(), [name]);
        assert!(!found[0].remedy.is_empty(), "{name}");
    }
}

fn locked() -> Unwritable {
    Unwritable { why: "the write lock is held by process 7".to_owned(), remedy: Some("end it") }
}

#[test]
fn a_lock_of_another_program_is_told_as_that_and_excuses_the_worker() {
    let mut health = well();
    health.store.writable = Some(Err(locked()));
    health.store.last_locked = Some(ago(1));
    health.serving = Serving::Here(Some(ago(600)));
    let found = warnings(&health);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].what.as_str(), found[0].remedy.as_str()),
        ("the write lock is held by process 7: intake answers 503", "end it")
    );
}

#[test]
fn the_edges_of_the_checks_are_fine() {
    for change in [
        (|h| h.store.free_disk = None) as fn(&mut Health),
        |h| h.store.wal_left = Some(LARGEST_WAL),
        |h| h.store.wal_bytes = LARGEST_WAL + 1,
        |h| h.serving = Serving::Here(Some(ago(60))),
        |h| h.serving = Serving::Here(None),
        |h| h.serving = Serving::Unknown,
        |h| h.serving = Serving::Elsewhere("process 7".to_owned()),
        |h| h.store.writable = None,
    ] {
        assert_eq!(kinds(change), "");
    }
}

#[test]
fn a_disk_is_low_before_intake_refuses() {
    for (free, said) in [(255, "disk"), (256, "disk_low"), (511, "disk_low"), (512, "")] {
        let found = kinds(|health| {
            health.store.free_disk = Some(free * MIB);
            health.store.contents.kept = 0;
        });
        assert_eq!(found, said, "{free} MiB free");
    }
}

#[test]
fn growth_is_told_only_where_it_can_be_told() {
    let told = |change: fn(&mut StoreHealth)| {
        let mut store = well().store;
        change(&mut store);
        (growth_per_day(&store.contents), days_until_full(&store))
    };
    // 1000 notifications a day of 1 KiB each.
    assert_eq!(told(|_| ()), (Some(MIB), Some(9_744)));
    assert_eq!(told(|store| store.contents.days = 0), (None, None));
    assert_eq!(told(|store| store.contents.kept = 999), (None, None));
    assert_eq!(told(|store| store.forgets = true), (Some(MIB), None));
    assert_eq!(told(|store| store.free_disk = None), (Some(MIB), None));
    assert_eq!(told(|store| store.contents.received_lately = 0), (Some(0), None));
    assert_eq!(told(|store| store.contents.used_bytes = u64::MAX).1, Some(0));
}

#[test]
fn a_disk_that_fills_within_two_weeks_is_said() {
    for (days, said) in [(13, "disk_filling"), (14, "")] {
        let found = kinds(|health| {
            health.store.contents.received_lately = 7_000_000;
            health.store.free_disk = Some((256 + 1000 * days + 500) * MIB);
        });
        assert_eq!(found, said, "{days} days");
    }
}

#[test]
fn who_serves_matters() {
    assert_eq!(kinds(|health| health.serving = Serving::NotRunning), "not_serving");
    let unread = |seconds: u64, serving: Serving| {
        kinds(|health| {
            health.serving = serving;
            health.store.contents.oldest_unread = Some(ago(seconds));
        })
    };
    let elsewhere = || Serving::Elsewhere("process 7".to_owned());
    assert_eq!(unread(301, elsewhere()), "unread");
    assert_eq!(unread(300, elsewhere()), "");
    assert_eq!(unread(301, Serving::Here(None)), "", "it may be meant");
}
