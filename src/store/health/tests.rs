use super::super::migrations::fresh;
use super::{DAYS, IDS, KNOWN, OLDEST_UNREAD, REFUSED, UNDECIDED, UNREAD_TODAY};

/// How SQLite runs a query, a line a step.
fn plan(sql: &str) -> String {
    let conn = fresh();
    let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let values = vec!["1"; statement.parameter_count()];
    let steps =
        statement.query_map(rusqlite::params_from_iter(values), |row| row.get::<_, String>(3)).unwrap();
    steps.map(Result::unwrap).collect::<Vec<_>>().join("\n")
}

#[test]
fn nothing_that_health_asks_reads_a_table_of_notifications_whole() {
    for (sql, step) in [
        (DAYS, "SEARCH tallies USING PRIMARY KEY (day>?)"),
        (OLDEST_UNREAD, "SEARCH intake USING INTEGER PRIMARY KEY (rowid>?)"),
        (UNREAD_TODAY, "SEARCH intake USING INTEGER PRIMARY KEY (rowid>?)"),
        (REFUSED, "SEARCH refusals USING PRIMARY KEY (source=? AND day>?)"),
        (KNOWN, "SEARCH r USING PRIMARY KEY (source=?)"),
        (UNDECIDED, "SCAN tallies"),
        (super::census::QUEUES, "USING COVERING INDEX verdicts_pending (source=?)"),
        (super::census::QUEUES, "SEARCH t USING PRIMARY KEY (day>?)"),
    ] {
        let plan = plan(sql);
        assert!(plan.contains(step), "{sql}\n{plan}");
        for table in ["intake", "verdicts", "verifications", "orders", "products"] {
            assert!(!plan.contains(&format!("SCAN {table}")), "{sql}\n{plan}");
        }
    }
    // The smallest and the largest key: two ways down the tree.
    assert_eq!(plan(IDS).matches("SEARCH intake").count(), 2, "{}", plan(IDS));
}
