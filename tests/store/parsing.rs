//! Recording parsed notifications: in order, and what fails fails alone.

use std::path::Path;

use countersign::domain::{Course, Headers, RawNotification, Timestamp};
use countersign::store::{ParsedNotification, Store};
use rusqlite::Connection;

use crate::support::create_or_open;

/// A store with these notifications, unparsed.
async fn store(folder: &Path, came: usize) -> Store {
    let store = create_or_open(&folder.join("a.db"));
    for _ in 0..came {
        store.append(notification()).await.unwrap();
    }
    store
}

fn notification() -> RawNotification {
    RawNotification {
        source: "shop".to_owned(),
        provider: "ecwid".to_owned(),
        received_at: Timestamp::parse_rfc3339("2026-11-24T10:00:00Z").unwrap(),
        remote_addr: "203.0.113.7".to_owned(),
        content_type: None,
        headers: Headers::default(),
        body: Vec::new(),
    }
}

fn parsed(ids: &[i64]) -> Vec<ParsedNotification> {
    let one = |&id| ParsedNotification {
        id,
        notification: notification(),
        reading: None,
        is_listable: false,
        course: Course::default(),
    };
    ids.iter().map(one).collect()
}

fn recorded(folder: &Path) -> Vec<i64> {
    let conn = Connection::open(folder.join("a.db")).unwrap();
    let mut statement = conn.prepare("SELECT notification_id FROM verdicts ORDER BY 1").unwrap();
    let found = statement.query_map([], |row| row.get(0)).unwrap();
    found.collect::<rusqlite::Result<_>>().unwrap()
}

fn now() -> Timestamp {
    Timestamp::from_millis(1_795_000_000_000)
}

#[tokio::test]
async fn a_batch_is_filed_after_the_one_before_it_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), 4).await;
    let early = store.record_after(2, parsed(&[3, 4]), now()).await;
    assert!(early.unwrap_err().to_string().contains("notification 2 is not recorded"));
    assert!(recorded(folder.path()).is_empty());
    let (first, second) =
        tokio::join!(store.record(parsed(&[1, 2]), now()), store.record_after(2, parsed(&[3, 4]), now()));
    assert_eq!((first.unwrap().len(), second.unwrap().len()), (2, 2));
    assert_eq!(recorded(folder.path()), [1, 2, 3, 4]);
}

#[tokio::test]
async fn work_that_fails_beside_other_work_undoes_nothing_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), 40).await;
    let each: Vec<_> = (1..=40)
        .map(|id| {
            let after = if id % 3 == 0 { 1000 } else { 0 };
            store.record_after(after, parsed(&[id]), now())
        })
        .collect();
    let done = futures_util::future::join_all(each).await;
    for (id, done) in (1..).zip(&done) {
        assert_eq!(done.is_err(), id % 3 == 0, "{id}: {done:?}");
    }
    let wanted: Vec<i64> = (1..=40).filter(|id| id % 3 != 0).collect();
    assert_eq!(recorded(folder.path()), wanted);
    let conn = Connection::open(folder.path().join("a.db")).unwrap();
    let counted = "SELECT pending FROM daily WHERE day = '2026-11-24'";
    let pending: i64 = conn.query_row(counted, [], |row| row.get(0)).unwrap();
    assert_eq!(usize::try_from(pending), Ok(wanted.len()), "the tallies as well");
}
