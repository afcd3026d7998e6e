//! What `list`, `retry` and `dismiss` find: each filter alone and together with each other, page by page.

use std::path::Path;

use countersign::domain::{Course, Headers, RawNotification, Reason, State, Timestamp};
use countersign::store::{Filter, ParsedNotification, Reader, Store};
use rusqlite::{Connection, params};

use crate::upgrade::make_sample;

/// A store with rows of every state and reason, sources and kinds of calls that fail, ids that are not in the order of
/// the times, and one that nobody has read yet.
fn store(folder: &Path) -> (Connection, Reader) {
    let path = folder.join("a.db");
    make_sample(&path);
    let conn = Connection::open(&path).unwrap();
    let other_ids = "UPDATE verdicts SET resolved_id = 'other-' || notification_id % 3
                     WHERE state = 'confirmed' AND notification_id % 2 = 0";
    assert!(conn.execute(other_ids, []).unwrap() > 1);
    let failing = "UPDATE verdicts SET call_kind = 'products'
                   WHERE source = 'shop' AND state = 'pending' AND reason = 'api_unreachable'";
    assert_eq!(conn.execute(failing, []).unwrap(), 1);
    let causes = "SELECT count(DISTINCT call_kind = '') FROM outages";
    assert_eq!(conn.query_row(causes, [], |row| row.get(0)), Ok(2));
    let reader = Reader::open(&path).unwrap();
    (conn, reader)
}

/// The same, row by row.
fn expected(conn: &Connection, filter: &Filter) -> Vec<i64> {
    let mut statement = conn
        .prepare_cached(
            "SELECT id FROM notifications WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR reason = ?2)
               AND (?3 IS NULL OR source = ?3) AND (?4 IS NULL OR subject_id = ?4 OR resolved_id = ?4)
               AND (?5 IS NULL OR received_at >= ?5) AND (?6 IS NULL OR id < ?6) ORDER BY id DESC LIMIT ?7",
        )
        .unwrap();
    let values = params![
        filter.state.map(State::as_str),
        filter.reason.map(Reason::as_str),
        filter.source,
        filter.subject,
        filter.since.map(|since| since.to_string()),
        filter.before_id,
        i64::try_from(filter.limit).unwrap(),
    ];
    statement.query_map(values, |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// `None`, and each of the values.
fn with_none<T: Clone>(values: impl IntoIterator<Item = T>) -> Vec<Option<T>> {
    std::iter::once(None).chain(values.into_iter().map(Some)).collect()
}

fn texts(conn: &Connection, sql: &str) -> Vec<String> {
    let mut statement = conn.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[tokio::test]
async fn every_combination_of_filters_finds_what_the_view_of_all_notifications_holds() {
    let folder = tempfile::tempdir().unwrap();
    let (conn, reader) = store(folder.path());
    let sources = texts(&conn, "SELECT DISTINCT source FROM intake UNION ALL SELECT 'nobody'");
    let mut subjects = texts(
        &conn,
        "SELECT subject_id FROM verdicts WHERE subject_id IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC LIMIT 2",
    );
    subjects.extend(["other-0", "other-1", "nothing"].map(str::to_owned));
    let times = texts(
        &conn,
        "SELECT received_at FROM intake WHERE id % 9 = 0 UNION ALL SELECT '2100-01-01T00:00:00Z'",
    );
    let times = times.iter().map(|time| Timestamp::parse_rfc3339(time).unwrap());
    let (reasons, sources, subjects, times) =
        (with_none(Reason::ALL.iter().copied()), with_none(sources), with_none(subjects), with_none(times));
    let mut found_any = 0;
    for state in with_none(State::ALL.iter().copied()) {
        for reason in &reasons {
            for source in &sources {
                for subject in &subjects {
                    for since in &times {
                        let filter = Filter {
                            state,
                            reason: *reason,
                            source: source.clone(),
                            subject: subject.clone(),
                            since: *since,
                            limit: 1000,
                            ..Filter::default()
                        };
                        let found = reader.ids(filter.clone()).await.unwrap();
                        assert_eq!(found, expected(&conn, &filter), "{filter:?}");
                        found_any += usize::from(!found.is_empty());
                    }
                }
            }
        }
    }
    assert!(found_any > 500, "{found_any}");
}

#[tokio::test]
async fn pages_follow_each_other_without_a_gap_from_either_end() {
    let folder = tempfile::tempdir().unwrap();
    let (conn, reader) = store(folder.path());
    for state in with_none(State::ALL.iter().copied()) {
        for source in [None, Some("shop".to_owned())] {
            for limit in [1, 3, 7] {
                let mut filter = Filter { state, source: source.clone(), limit, ..Filter::default() };
                let whole = expected(&conn, &Filter { limit: 1000, ..filter.clone() });
                let mut gathered = Vec::new();
                loop {
                    let page = reader.ids(filter.clone()).await.unwrap();
                    assert!(page.len() <= limit);
                    let Some(last) = page.last() else { break };
                    filter.before_id = Some(*last);
                    gathered.extend(page);
                }
                assert_eq!(gathered, whole, "{filter:?}");
                filter = Filter { before_id: None, oldest_first: true, ..filter };
                let mut gathered = Vec::new();
                loop {
                    let page = reader.ids(filter.clone()).await.unwrap();
                    assert!(page.len() <= limit);
                    let Some(last) = page.last() else { break };
                    filter.after_id = Some(*last);
                    gathered.extend(page);
                }
                gathered.reverse();
                assert_eq!(gathered, whole, "{filter:?}");
            }
        }
    }
}

#[test]
fn where_an_hour_begins_is_known_however_the_clock_is_set_and_whatever_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let (conn, _) = store(folder.path());
    let late = "SELECT count(*) FROM verdicts v
                LEFT JOIN hour_index h ON h.hour = substr(v.received_at, 1, 13) AND h.first_id <= v.notification_id
                WHERE h.hour IS NULL";
    let path = folder.path().join("a.db");
    // A transaction each, and two in one.
    for came in [
        [(6001, "2026-11-24T10:00:00.000Z")].as_slice(),
        &[(6002, "2026-11-24T09:59:00.000Z"), (6003, "2026-11-24T09:10:00.000Z")],
        &[(6004, "2026-11-24T10:01:00.000Z")],
    ] {
        record(&path, &conn, came);
    }
    let recorded = "SELECT count(*) FROM verdicts WHERE notification_id > 6000";
    assert_eq!(conn.query_row(recorded, [], |row| row.get(0)), Ok(4));
    assert_eq!(conn.query_row(late, [], |row| row.get(0)), Ok(0));
    assert_eq!(
        texts(&conn, "SELECT hour || ' ' || first_id FROM hour_index WHERE hour > '2026-11-24'"),
        ["2026-11-24T09 6002", "2026-11-24T10 6001"]
    );
    let counted = "SELECT received FROM daily WHERE day = '2026-11-24' AND source = 'shop'";
    assert_eq!(conn.query_row(counted, [], |row| row.get(0)), Ok(4));
}

/// Records notifications received at these times, unparsed.
fn record(path: &Path, conn: &Connection, came: &[(i64, &str)]) {
    let one = |&(id, at): &(i64, &str)| {
        let insert =
            "INSERT INTO intake (id, source, provider, received_at) VALUES (?1, 'shop', 'ecwid', ?2)";
        conn.execute(insert, params![id, at]).unwrap();
        let notification = RawNotification {
            source: "shop".to_owned(),
            provider: "ecwid".to_owned(),
            received_at: Timestamp::parse_rfc3339(at).unwrap(),
            remote_addr: String::new(),
            content_type: None,
            headers: Headers::default(),
            body: Vec::new(),
        };
        ParsedNotification { id, notification, reading: None, is_listable: false, course: Course::default() }
    };
    let parsed = came.iter().map(one).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(path).unwrap();
        store.record(parsed, Timestamp::from_millis(0)).await.unwrap();
        store.close();
    });
}
