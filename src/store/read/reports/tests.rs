use super::sample::{self, Sample};
use super::{calls, counts, fakes, open, silence, timing};
use crate::domain::Reason;
use crate::store::file::query_plan::{fresh as store, plan};

const BY_TIME: &str = "USING COVERING INDEX verdicts_by_time (source=? AND received_at>? AND received_at<?)";

/// The ids of a run are a range of each state and reason.
const A_RUN: &str =
    "USING INDEX verdicts_by_state (state=? AND reason=? AND source=? AND rowid>? AND rowid<?)";

/// Each of them names the reasons, so that an index serves them: a view or a function would not let it.
#[test]
fn every_query_and_view_of_fakes_has_the_reasons_of_the_domain() {
    let reasons: Vec<_> =
        Reason::ALL.iter().filter(|reason| reason.is_fake()).map(|reason| format!("'{reason}'")).collect();
    let list = format!("reason IN ({})", reasons.join(", "));
    for (sql, lists) in [
        (fakes::LATEST, 1),
        (fakes::SENDERS, 1),
        (fakes::SAMPLED_SENDERS, 1),
        (include_str!("../../../../sql/schema.sql"), 2),
        (include_str!("../../../../sql/ledger/0001_initial.sql"), 2),
    ] {
        assert_eq!(sql.matches(&list).count(), lists, "{list} in {sql}");
    }
}

#[test]
fn no_query_of_a_report_reads_a_whole_table() {
    let conn = store();
    for (sql, step) in [
        (counts::WHOLE_DAYS, "SEARCH daily_counts USING PRIMARY KEY (day>? AND day<?)"),
        (counts::DAYS, "SEARCH daily_counts USING PRIMARY KEY (day>?)"),
        (counts::EDGE, BY_TIME),
        (counts::UNPARSED, "SEARCH intake USING INTEGER PRIMARY KEY (rowid>?)"),
        (open::PENDING, "USING COVERING INDEX verdicts_pending (source=? AND received_at<?)"),
        (open::COUNT_PENDING, "SEARCH daily_counts USING PRIMARY KEY (day>? AND day<?)"),
        (
            open::COUNT_PENDING,
            "USING COVERING INDEX verdicts_pending (source=? AND received_at>? AND received_at<?)",
        ),
        (open::UNDECIDED, "USING COVERING INDEX verdicts_undecided (source=? AND received_at<?)"),
        (open::COUNT_UNDECIDED, "SEARCH daily_counts USING PRIMARY KEY (day>? AND day<?)"),
        (
            open::COUNT_UNDECIDED,
            "USING COVERING INDEX verdicts_undecided (source=? AND received_at>? AND received_at<?)",
        ),
        (open::UNPARSED, "SEARCH intake USING INTEGER PRIMARY KEY (rowid>?)"),
        (open::COUNT_UNPARSED, "SEARCH intake USING INTEGER PRIMARY KEY (rowid>?)"),
        (silence::LAST_KEPT, "verdicts_by_time (source=? AND received_at<?)"),
        (silence::LAST_UNPARSED, "SEARCH intake USING INTEGER PRIMARY KEY (rowid>?)"),
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
        (timing::SAMPLED, A_RUN),
        (fakes::SAMPLED_SENDERS, A_RUN),
        (sample::FIRST, BY_TIME),
        (sample::LAST, BY_TIME),
        (calls::FIRST, "USING COVERING INDEX verifications_by_time (at>? AND at<?)"),
        (calls::LAST, "USING COVERING INDEX verifications_by_time (at>? AND at<?)"),
        (calls::CALLS, "USING INDEX verifications_by_time (at>? AND at<?)"),
        (calls::SAMPLED_CALLS, "SEARCH f USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
        (
            calls::SAMPLED_CALLS,
            "e USING COVERING INDEX verifications_by_time (at=? AND call_id=? AND rowid<?)",
        ),
        (calls::SAMPLED_CALLS, "o USING INDEX verifications_by_time (at=? AND call_id=?)"),
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
    let begin = timing::SAMPLED.split("\n     SELECT notification_id").next().unwrap();
    let sql = format!(
        "{begin}, ids(id) AS (SELECT runs.id FROM runs UNION ALL SELECT id + 1 FROM ids WHERE (id + 1 - ?1) % ?3 <> 0)
         SELECT id FROM ids WHERE id <= ?2"
    );
    let ids = |first, last, one_in| -> Vec<i64> {
        let Sample { length, .. } = Sample::of(first, last, 500, one_in);
        let mut statement = conn.prepare(&sql).unwrap();
        let found = statement.query_map([first, last, length, one_in], |row| row.get(0)).unwrap();
        let mut ids: Vec<i64> = found.map(Result::unwrap).collect();
        ids.sort_unstable();
        ids
    };
    for (first, last, one_in) in
        [(1, 100_000, 20), (7_000_001, 8_000_000, 200), (5, 30_000, 6), (900, 10_000_000, 2_000)]
    {
        let found = ids(first, last, one_in);
        let wanted = (last - first + 1) / one_in;
        let about = |n: usize, of: i64| (n as i64 - of).abs() < of / 10;
        assert!(about(found.len(), wanted), "{} of {first} to {last}, not {wanted}", found.len());
        assert!(about(found.iter().filter(|id| *id % 2 == 0).count(), wanted / 2));
        for tenth in 0..10 {
            let begins = first + (last - first) / 10 * tenth;
            let inside =
                found.iter().filter(|id| (begins..begins + (last - first) / 10).contains(id)).count();
            assert!((inside as i64 - wanted / 10).abs() < wanted / 10 / 3, "{inside} of the tenth {tenth}");
        }
        assert!(found.is_sorted_by(|a, b| a < b), "each once");
    }
    assert_eq!(ids(41, 12_345, 1), (41..=12_345).collect::<Vec<_>>(), "one in one is all");
}
