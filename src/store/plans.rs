//! Tests of query plans: SQLite answers the queue's queries by an index, without scanning a table and without
//! sorting, however large the store is.

use crate::store::file::query_plan::{fresh, plan};
use crate::store::queue::{fairness, lease, release};
use crate::store::read::{fakes_by_sender, index_scans, lines, notifications, subject};
use crate::store::verdicts::{claims, load};

#[test]
fn each_step_of_leasing_is_a_search() {
    let conn = fresh();
    let unparsed = format!("SELECT i.id {} ORDER BY i.id LIMIT ?2", claims::UNPARSED);
    let awaiting_source = format!("SELECT i.id {} LIMIT ?2", claims::AWAITING_SOURCE);
    for (sql, step) in [
        (unparsed.as_str(), "SEARCH i USING INTEGER PRIMARY KEY (rowid>?)"),
        (awaiting_source.as_str(), "verdicts_waiting (source=? AND question=?)"),
        (fairness::NEXT_CALL_KIND, "fair_queue_order (source=? AND queue=? AND call_kind>?)"),
        (fairness::NEXT_CALL_KIND_TO_COME, "fair_queue_to_come (source=? AND call_kind>?)"),
        (
            fairness::TO_ACTIVATE,
            "fair_queue_to_come (source=? AND call_kind=? AND queue=? AND due_at>? AND due_at<?)",
        ),
        (fairness::NEXT_ACTIVATION, "fair_queue_to_come (source=? AND call_kind=? AND queue=?)"),
        (fairness::HEAD, "fair_queue_order (source=? AND queue=? AND call_kind=? AND position>?)"),
        (
            fairness::FIRST_QUESTION,
            "verdicts_first_questions (source=? AND listable=? AND call_kind=? AND sender=?)",
        ),
        (
            fairness::REPEATED_QUESTION,
            "verdicts_again (source=? AND call_kind=? AND sender=? AND next_attempt_at>? AND next_attempt_at<?)",
        ),
        (lease::CROWD, "verdicts_first_questions (source=? AND listable=? AND call_kind=?)"),
        (lease::FAILED_LAST, "verdicts_repeated_questions (source=? AND next_attempt_at<?)"),
        (lease::ALSO_WAITING, "verdicts_waiting (source=? AND question=?)"),
        (lease::HOLD, "INTEGER PRIMARY KEY (rowid=?)"),
        (release::HELD, "verdicts_leased (lease=?)"),
        (load::IS_ALONE, "verdicts_by_claim (source=? AND claim_key=? AND state=?)"),
        (load::EQUALS[0], "verdicts_by_claim (source=? AND claim_key=? AND state=?)"),
        (load::EQUALS[1], "verdicts_by_claim (source=? AND claim_key=? AND state=?)"),
        (claims::REPEATED, "verdicts_by_claim (source=? AND claim_key=? AND state=?)"),
        (lease::AT_WORK, "verdicts_leased (lease>?)"),
        (release::FREE_EXPIRED, "verdicts_lease_ends (lease_until<?)"),
        (release::FREE_EXPIRED, "verdicts_lease_ends (lease_until>?)"),
        (release::RENEW, "verdicts_leased (lease>? AND lease<?)"),
    ] {
        let plan = plan(&conn, sql);
        assert!(plan.contains(step), "{sql}\n{plan}");
        for table in ["verdicts", "intake", "fair_queue", "i", "v"] {
            assert!(!plan.lines().any(|line| line == format!("SCAN {table}")), "{sql}\n{plan}");
        }
        let sorts = plan.contains("USE TEMP B-TREE FOR ORDER BY");
        assert!(!sorts, "{sql}\n{plan}");
    }
}

#[test]
fn each_page_of_a_list_is_read_backwards_from_the_end_of_an_index() {
    let conn = fresh();
    let stretch = "verdicts_by_state (state=? AND reason=? AND source=? AND rowid>? AND rowid<?)";
    for (sql, step) in [
        (index_scans::ALL, "SEARCH intake USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
        (index_scans::UNPARSED, "SEARCH intake USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
        (index_scans::RANGE, stretch),
        (index_scans::RANGE_IN_OUTAGE, stretch),
        (
            index_scans::OF_SUBJECT,
            "verdicts_by_subject (source=? AND subject_kind=? AND subject_id=? AND notification_id>? AND notification_id<?)",
        ),
        (index_scans::OF_OTHER_ID, "verdicts_by_other_id (resolved_id=? AND rowid>? AND rowid<?)"),
        (
            index_scans::IGNORED_OF_SENDER,
            "verdicts_ignored (sender=? AND notification_id>? AND notification_id<?)",
        ),
        (
            index_scans::UNDECIDED_OF_SENDER,
            "verdicts_given_up (sender=? AND notification_id>? AND notification_id<?)",
        ),
        (index_scans::FIRST_ID, "SEARCH hour_index USING PRIMARY KEY (hour>?)"),
        (index_scans::NEXT_REASON, "COVERING INDEX verdicts_by_state (state=? AND reason>?)"),
        (index_scans::NEXT_SOURCE, "COVERING INDEX verdicts_by_state (state=? AND reason=? AND source>?)"),
        (index_scans::NEXT_OF_ALL_SOURCES, "COVERING INDEX verdicts_by_subject (source>?)"),
        (notifications::VERIFICATIONS, "verifications_by_notification (notification_id=?)"),
    ] {
        let plan = plan(&conn, sql);
        assert!(plan.contains(step), "{sql}\n{plan}");
        assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
    }
}

#[test]
fn what_is_open_is_read_in_order_from_its_index() {
    let plan = plan(&fresh(), "SELECT * FROM open LIMIT 50");
    let (settled, unparsed) = plan.split_once("RIGHT").unwrap();
    assert!(
        settled.contains("MERGE (UNION ALL)") && settled.contains("v USING INDEX verdicts_open"),
        "{plan}"
    );
    assert!(!settled.contains("TEMP B-TREE"), "{plan}");
    assert!(unparsed.contains("SEARCH intake USING INTEGER PRIMARY KEY (rowid>?)"), "{plan}");
}

#[test]
fn a_page_read_from_the_oldest_takes_the_same_index_as_from_the_newest() {
    let conn = fresh();
    for sql in [
        index_scans::ALL,
        index_scans::UNPARSED,
        index_scans::RANGE,
        index_scans::RANGE_IN_OUTAGE,
        index_scans::OF_SUBJECT,
        index_scans::OF_OTHER_ID,
    ] {
        let forwards = index_scans::forwards(sql);
        assert!(!forwards.contains("DESC"), "{forwards}");
        assert_eq!(plan(&conn, &forwards), plan(&conn, sql), "{sql}");
    }
}

#[test]
fn each_view_of_the_page_searches_for_its_rows() {
    let conn = fresh();
    for (sql, step) in [
        (lines::LINE, "SEARCH i USING INTEGER PRIMARY KEY (rowid=?)"),
        (lines::SENDER, "SEARCH intake USING INTEGER PRIMARY KEY (rowid=?)"),
        (lines::FIRST_AFTER, "SEARCH hour_index USING PRIMARY KEY (hour>?)"),
        (lines::IDS_AFTER, "SEARCH intake USING INTEGER PRIMARY KEY (rowid>?)"),
        (fakes_by_sender::FAKE, "SEARCH v USING INTEGER PRIMARY KEY (rowid=?)"),
        (subject::ORDER, "(source=? AND order_id=?)"),
        (subject::PRODUCT, "(source=? AND product_id=?)"),
    ] {
        let plan = plan(&conn, sql);
        assert!(plan.contains(step), "{sql}\n{plan}");
        assert!(!plan.contains("SCAN"), "{sql}\n{plan}");
    }
}
