//! Tests of the cost of the writer's statements, counted in SQLite's steps: it grows with the rows that a statement
//! returns or changes, not with what one sender has sent about one subject.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::trace::{TraceEvent, TraceEventCodes};
use rusqlite::{Connection, StatementStatus, params};
use serde_json::{Map, json};

use super::file::query_plan::fresh;
use super::queue::lease::{self, LeaseRequest, Leased};
use super::queue::release;
use super::queue::{clock_step, pauses};
use super::reconcile::known;
use super::retention::{steps as retention, unproven};
use super::verdicts::call::VerificationCall;
use super::verdicts::claims::{self, ParsedNotification, VerdictRow};
use super::verdicts::{decisions, settle, supersede};
use crate::domain::settlement::{Case, Move, Policy, Ruling, Settlement, SourceStatus, TruthChange};
use crate::domain::{
    Cause, Claim, Course, EventTime, Headers, Rate, RawNotification, Reason, State, StatusKey, Subject,
    SubjectKind, Timestamp,
};

const SOURCE: &str = "shop";

/// Notifications of one sender, with one claim, about one subject.
const CROWD: i64 = 100_000;

/// Maximum number of steps of one statement: about 500 rows with all of their columns.
const MOST_STEPS: i32 = 60_000;

/// Entries that one statement passes by without a search.
const MOST_PASSED: i32 = 1_500;

thread_local! {
    /// By statement: steps and entries passed so far.
    static SEEN: RefCell<BTreeMap<String, (i32, i32)>> = const { RefCell::new(BTreeMap::new()) };
    /// Statements that took more than they may.
    static TOO_LONG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn count(event: TraceEvent<'_>) {
    let TraceEvent::Profile(statement, _) = event else { return };
    let sql = statement.sql().into_owned();
    let now =
        (statement.get_status(StatementStatus::VmStep), statement.get_status(StatementStatus::FullscanStep));
    let before = SEEN.with_borrow_mut(|seen| seen.insert(sql.clone(), now)).unwrap_or_default();
    // A newly prepared statement starts at zero.
    let steps = if now.0 < before.0 { now.0 } else { now.0 - before.0 };
    let passed = if now.1 < before.1 { now.1 } else { now.1 - before.1 };
    if steps > MOST_STEPS || passed > MOST_PASSED {
        let line = format!("{steps} steps, {passed} passed: {sql}");
        TOO_LONG.with_borrow_mut(|too_long| too_long.push(line));
    }
}

#[track_caller]
fn takes_few_steps<T>(what: &str, conn: &Connection, work: impl FnOnce() -> T) -> T {
    let codes = TraceEventCodes::SQLITE_TRACE_PROFILE;
    conn.trace_v2(codes, Some(count));
    let done = work();
    conn.trace_v2(TraceEventCodes::empty(), None);
    let too_long = TOO_LONG.with_borrow_mut(std::mem::take);
    assert!(too_long.is_empty(), "{what}: {too_long:#?}");
    done
}

fn now() -> Timestamp {
    Timestamp::from_seconds(1_764_000_000)
}

fn notification() -> RawNotification {
    RawNotification {
        source: SOURCE.to_owned(),
        provider: "ecwid".to_owned(),
        received_at: now().minus(Duration::from_secs(30 * 86_400)),
        remote_addr: "203.0.113.7".to_owned(),
        content_type: None,
        headers: Headers::default(),
        body: b"{}".to_vec(),
    }
}

fn parsed(id: i64) -> ParsedNotification {
    let claim = Claim {
        event: "order.updated".to_owned(),
        subject: Subject { kind: SubjectKind::Order, id: "A".to_owned() },
        question: "order A".to_owned(),
        call_kind: "orders".to_owned(),
        asserted: Map::from_iter([("status".to_owned(), json!("paid"))]),
        before: Map::new(),
        event_time: EventTime { order: Some(now()), ..EventTime::default() },
        event_id: None,
    };
    let course = Course::of(&[("status", "paid")], &[("status", "paid")]);
    ParsedNotification {
        id,
        notification: notification(),
        reading: Some(claim.into()),
        is_listable: true,
        course,
    }
}

/// A fifth of the crowd each: first questions, repeated ones, duplicates, mismatches, undecided ones. Some of all are
/// confirmed.
const AMONG: &str =
    "WITH RECURSIVE numbers(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1)";

fn crowded() -> Connection {
    let conn = fresh();
    conn.execute("INSERT INTO sources VALUES ('shop', 'ecwid', '2020-01-01T00:00:00.000Z', NULL, NULL)", [])
        .unwrap();
    append(&conn, 1);
    claims::record(&conn, 0, &[VerdictRow::of(&parsed(1))], now()).unwrap();
    let triggers: Vec<(String, String)> = conn
        .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'verdicts'")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for (name, _) in &triggers {
        conn.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
    }
    let copied = |table: &str, changed: &[(&str, &str)]| {
        let mut statement = conn.prepare(&format!("SELECT name FROM pragma_table_info('{table}')")).unwrap();
        let columns: Vec<String> =
            statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let key = columns[0].clone();
        let value = |column: &String| {
            let changed = changed.iter().find(|(name, _)| name == column);
            changed.map_or_else(|| format!("first.{column}"), |(_, value)| (*value).to_owned())
        };
        let values: Vec<String> = columns.iter().map(value).collect();
        let sql = format!(
            "{AMONG} INSERT INTO {table} ({}) SELECT {} FROM numbers CROSS JOIN {table} first WHERE first.{key} = 1",
            columns.join(", "),
            values.join(", ")
        );
        conn.execute(&sql, [CROWD]).unwrap();
    };
    copied("intake", &[("id", "n")]);
    copied(
        "verdicts",
        &[
            ("notification_id", "n"),
            (
                "state",
                "CASE WHEN n % 10 = 9 THEN 'confirmed' WHEN n % 5 < 2 THEN 'pending' WHEN n % 5 < 4 THEN 'ignored' ELSE 'undecided' END",
            ),
            (
                "reason",
                "CASE WHEN n % 10 = 9 THEN 'match' WHEN n % 5 = 0 THEN NULL WHEN n % 5 = 1 THEN 'not_yet' WHEN n % 5 = 2 THEN 'duplicate' WHEN n % 5 = 3 THEN 'mismatch' ELSE 'api_error' END",
            ),
            // Of one claim at most one is confirmed; so the others that are have claims of their own.
            ("claim_key", "iif(n % 10 = 9, first.claim_key || n, first.claim_key)"),
            ("duplicate_of", "iif(n % 5 = 2, 1, NULL)"),
            ("asked", "n % 5 <> 0"),
            ("next_attempt_at", "iif(n % 5 < 2, first.next_attempt_at, NULL)"),
            ("decided_at", "iif(n % 5 < 2, NULL, first.received_at)"),
            // Half of them are later than whatever settles.
            ("event_order", "first.event_order + (n % 2) * 1000"),
        ],
    );
    for (_, sql) in triggers {
        conn.execute_batch(&sql).unwrap();
    }
    conn.execute_batch("DELETE FROM senders; INSERT INTO senders (sender, kept) SELECT sender, count(*) FROM verdicts GROUP BY sender;
                        INSERT OR IGNORE INTO fair_queue (source, queue, call_kind, sender, due_at)
                        SELECT source, 2, call_kind, sender, min(next_attempt_at) FROM verdicts WHERE state = 'pending' AND asked = 1 GROUP BY sender;")
        .unwrap();
    conn
}

fn append(conn: &Connection, id: i64) {
    let RawNotification { source, provider, received_at, remote_addr, .. } = notification();
    conn.execute(
        "INSERT INTO intake (id, source, provider, received_at, remote_addr, headers, body) VALUES (?1, ?2, ?3, ?4, ?5, '{}', '{}')",
        params![id, source, provider, received_at.to_string(), remote_addr],
    )
    .unwrap();
}

fn leased(conn: &Connection, begun: u64) -> Leased {
    let request = LeaseRequest {
        source: SOURCE.to_owned(),
        owner: "test-1".to_owned(),
        rate: Rate { limit: 1000, window: Duration::from_secs(1) },
        most_in_list: 100,
        begun,
        last_begun_at: None,
    };
    lease::lease(conn, &request, 64, now()).unwrap()
}

fn policy() -> Policy {
    Policy {
        grace: Duration::ZERO,
        retry_base: Duration::from_secs(2),
        retry_cap: Duration::from_secs(900),
        give_up_after: Duration::from_secs(7 * 86_400),
        denied_pause: Duration::from_secs(300),
    }
}

/// The first is confirmed, the others are not.
fn judged(case: &Case, source_status: SourceStatus) -> Settlement {
    let ruling = |(place, id): (usize, i64)| {
        let (state, reason) = match place {
            0 => (State::Confirmed, Reason::Match),
            _ => (State::Ignored, Reason::Mismatch),
        };
        let to = match &source_status {
            SourceStatus::Failing { .. } => {
                Move::Wait { reason: Reason::ApiUnreachable, next_attempt_at: now() }
            }
            _ => Move::Settle { state, reason, duplicate_of: None, news: place == 0 },
        };
        Ruling { id, to, detail: None, verification: None, own_refusal: false }
    };
    Settlement {
        rulings: case.waiting.iter().map(|row| row.id).enumerate().map(ruling).collect(),
        confirmed_before: StatusKey::choices(&[("status", "new")]),
        truth: TruthChange::Keep,
        resolved_id: Some("A".to_owned()),
        confirmed_values: Some(Map::new()),
        found: true,
        source_status,
    }
}

fn settle(conn: &Connection, leased: Leased, source_status: &SourceStatus) {
    for lease in leased.calls.into_iter().flatten() {
        let call = VerificationCall {
            lease: lease.name,
            source: lease.source,
            claim: lease.claim,
            permit: lease.permit,
            asked_at: now(),
            http_status: None,
            latency_ms: 1,
            truth_id: None,
        };
        let judge = |case: &Case| judged(case, source_status.clone());
        let (moved, mut left, _) = settle::settle(conn, &call, &policy(), &[], 0.0, now(), judge).unwrap();
        assert!(moved.len() > 400, "{} moved", moved.len());
        for _ in 0..3 {
            left = left.and_then(|settled| supersede::spread(conn, settled, now()).unwrap().1);
        }
    }
}

fn values(conn: &Connection, sql: &str) -> Vec<i64> {
    let mut statement = conn.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn no_statement_of_the_writer_walks_over_what_one_sender_has_sent() {
    let conn = crowded();
    let conn = &conn;
    let failing = SourceStatus::Failing {
        call_kind: None,
        cause: Cause::ApiUnreachable,
        detail: "dead".to_owned(),
        retry_after: None,
    };
    append(conn, CROWD + 1);
    takes_few_steps("recording", conn, || {
        assert!(claims::has_unparsed(conn).unwrap());
        assert_eq!(claims::unparsed(conn, 0, 100).unwrap().notifications.len(), 1);
        claims::record(conn, 0, &[VerdictRow::of(&parsed(CROWD + 1))], now()).unwrap();
    });
    let first = takes_few_steps("leasing", conn, || leased(conn, 0));
    takes_few_steps("renewing", conn, || {
        release::renew(conn, "test-1", now().plus(Duration::from_secs(1))).unwrap()
    });
    takes_few_steps("settling", conn, || settle(conn, first, &SourceStatus::Well));
    let again = takes_few_steps("leasing again", conn, || leased(conn, 3));
    takes_few_steps("failing", conn, || settle(conn, again, &failing));
    takes_few_steps("giving up", conn, || {
        let (source, oldest) = (SOURCE, (String::new(), 0));
        let cause = Cause::ApiUnreachable;
        decisions::give_up_waiting(conn, source, "", cause, &policy(), &oldest, now()).unwrap();
    });
    while !takes_few_steps("resuming", conn, || pauses::resume(conn, SOURCE, now()).unwrap()) {}
    let unused = takes_few_steps("leasing after that", conn, || leased(conn, 0));
    let names: Vec<(String, bool)> =
        unused.calls.into_iter().flatten().map(|lease| (lease.name, lease.is_first)).collect();
    assert!(!names.is_empty());
    takes_few_steps("releasing", conn, || release::release(conn, &names).unwrap());
    takes_few_steps("freeing", conn, || release::free_of(conn, "test-").unwrap());
    let undecided = values(conn, "SELECT notification_id FROM verdicts WHERE state = 'undecided' LIMIT 100");
    takes_few_steps("dismissing", conn, || decisions::dismiss(conn, &undecided, None, now()).unwrap());
    takes_few_steps("retrying", conn, || {
        let rows_to_write: Vec<VerdictRow> =
            undecided.iter().map(|id| VerdictRow::of(&parsed(*id))).collect();
        decisions::retry(conn, &rows_to_write, now()).unwrap();
    });
    takes_few_steps("a clock set back", conn, || {
        let next = clock_step::bring_forward(conn, SOURCE, &(String::new(), 0), -1000).unwrap();
        assert!(next.is_some());
    });
    takes_few_steps("comparing", conn, || {
        let ours = known::our_order(conn, SOURCE, &["A".to_owned()]).unwrap();
        assert!(!ours.waiting.is_empty());
    });
    let ignored = values(conn, "SELECT notification_id FROM verdicts WHERE state = 'ignored' LIMIT 100");
    takes_few_steps("removing", conn, || unproven::remove(conn, &ignored).unwrap());
    takes_few_steps("emptying", conn, || {
        assert_eq!(retention::empty_notifications(conn, now(), 100).unwrap(), 100);
        for sql in retention::EMPTY_ELSEWHERE {
            retention::empty_elsewhere(conn, sql, now(), 100).unwrap();
        }
    });
    takes_few_steps("pruning", conn, || {
        assert_eq!(
            retention::prune(conn, now(), 100, retention::PruneCursor::default(), "z").unwrap().0.total(),
            100
        );
    });
}
