use super::recent::RECENT;
use super::{DAYS, IDS, KNOWN, OLDEST_UNREAD, REFUSED, UNDECIDED};
use crate::store::file::query_plan::{self, fresh};

#[test]
fn nothing_that_health_asks_reads_a_table_of_notifications_whole() {
    let conn = fresh();
    let plan = |sql: &str| query_plan::plan(&conn, sql);
    for (sql, step) in [
        (DAYS, "SEARCH daily_counts USING PRIMARY KEY (day>?)"),
        (OLDEST_UNREAD, "SEARCH intake USING INTEGER PRIMARY KEY (rowid>?)"),
        (REFUSED[0], "SEARCH refusals USING PRIMARY KEY (source=? AND day>?)"),
        (REFUSED[1], "SEARCH refusals USING PRIMARY KEY (source=? AND day>?)"),
        (REFUSED[2], "SEARCH refusals USING PRIMARY KEY (source=? AND day>?)"),
        (RECENT, "SEARCH verdicts USING INDEX verdicts_by_state (state=? AND reason=? AND source=?)"),
        (KNOWN, "SEARCH r USING PRIMARY KEY (source=?)"),
        (UNDECIDED, "SCAN daily_counts"),
        (crate::store::read::backlog::QUEUES, "USING COVERING INDEX verdicts_pending (source=?)"),
        (crate::store::read::backlog::UNPARSED, "SEARCH intake USING INTEGER PRIMARY KEY (rowid>?)"),
        (crate::store::read::backlog::QUEUES, "SEARCH t USING PRIMARY KEY (day>?)"),
    ] {
        let plan = plan(sql);
        assert!(plan.contains(step), "{sql}\n{plan}");
        for table in ["intake", "verdicts", "verifications", "orders", "products"] {
            assert!(!plan.contains(&format!("SCAN {table}")), "{sql}\n{plan}");
        }
    }
    assert!(!plan(RECENT).contains("TEMP B-TREE"), "{}", plan(RECENT));
    // The smallest and the largest key: two ways down the tree.
    assert_eq!(plan(IDS).matches("SEARCH intake").count(), 2, "{}", plan(IDS));
}
