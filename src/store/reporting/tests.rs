use super::super::migrations::fresh as store;
use super::super::plans::plan;
use super::{calls, counts, fakes, open, silence, timing};

const BY_TIME: &str = "USING COVERING INDEX verdicts_by_time (source=? AND received_at>? AND received_at<?)";

#[test]
fn no_query_of_a_report_reads_a_whole_table() {
    let conn = store();
    for (sql, step) in [
        (counts::WHOLE_DAYS, "SEARCH tallies USING PRIMARY KEY (day>? AND day<?)"),
        (counts::EDGE, BY_TIME),
        (counts::UNFILED, "SEARCH intake USING INTEGER PRIMARY KEY (rowid>?)"),
        (open::PENDING, "USING COVERING INDEX verdicts_pending (source=? AND received_at<?)"),
        (open::COUNT_PENDING, "SEARCH tallies USING PRIMARY KEY (day>? AND day<?)"),
        (
            open::COUNT_PENDING,
            "USING COVERING INDEX verdicts_pending (source=? AND received_at>? AND received_at<?)",
        ),
        (open::UNDECIDED, "USING COVERING INDEX verdicts_undecided (source=? AND received_at<?)"),
        (open::COUNT_UNDECIDED, "SEARCH tallies USING PRIMARY KEY (day>? AND day<?)"),
        (
            open::COUNT_UNDECIDED,
            "USING COVERING INDEX verdicts_undecided (source=? AND received_at>? AND received_at<?)",
        ),
        (open::UNFILED, "SEARCH intake USING INTEGER PRIMARY KEY (rowid>?)"),
        (open::COUNT_UNFILED, "SEARCH intake USING INTEGER PRIMARY KEY (rowid>?)"),
        (silence::LAST_KEPT, "verdicts_by_time (source=? AND received_at<?)"),
        (silence::LAST_UNFILED, "SEARCH intake USING INTEGER PRIMARY KEY (rowid>?)"),
        (fakes::LATEST, BY_TIME),
        (fakes::SENDERS, BY_TIME),
        (fakes::FAKE, "SEARCH v USING INTEGER PRIMARY KEY (rowid=?)"),
        (
            fakes::LAST_ANSWER,
            "SEARCH verifications USING INDEX verifications_by_notification (notification_id=?)",
        ),
        (open::FINDING, "SEARCH i USING INTEGER PRIMARY KEY (rowid=?)"),
        (silence::KNOWN_SINCE, "SEARCH sources USING PRIMARY KEY (name=?)"),
        (calls::REFUSALS, "SEARCH refusals USING PRIMARY KEY (source=? AND day>? AND day<?)"),
        (timing::SETTLED, "USING INDEX verdicts_by_time (source=? AND received_at>? AND received_at<?)"),
        (calls::FIRST, "USING COVERING INDEX verifications_by_time (at>?)"),
        (calls::LAST, "USING COVERING INDEX verifications_by_time (at<?)"),
        (calls::CALLS, "USING INDEX verifications_by_time (at>? AND at<?)"),
    ] {
        let plan = plan(&conn, sql);
        assert!(plan.contains(step), "{sql}\n{plan}");
        assert!(!plan.contains("SCAN verdicts") && !plan.contains("SCAN intake"), "{sql}\n{plan}");
        assert!(!plan.contains("SCAN verifications"), "{sql}\n{plan}");
    }
}

#[test]
fn what_a_window_asks_for_is_found_in_order() {
    let conn = store();
    for sql in [fakes::LATEST, open::PENDING, open::UNDECIDED, silence::LAST_KEPT] {
        let plan = plan(&conn, sql);
        assert!(!plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
    }
    // The calls are grouped in the order of their index; only the few sources and causes are sorted.
    assert_eq!(plan(&conn, calls::CALLS).matches("TEMP B-TREE").count(), 1);
}

#[test]
fn a_sample_is_even_also_where_two_sources_take_turns() {
    let conn = store();
    let sampled = |parity: i64| -> i64 {
        let sql = "WITH RECURSIVE ids(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM ids WHERE id < 100000)
                   SELECT count(*) FROM ids WHERE id % 2 = ?1 AND (id * 2654435761 >> 8) % 20 = 0";
        conn.query_row(sql, [parity], |row| row.get(0)).unwrap()
    };
    assert!((2_300..2_700).contains(&sampled(0)), "{}", sampled(0));
    assert!((2_300..2_700).contains(&sampled(1)), "{}", sampled(1));
}
