//! Rows that hold what their columns are not for: damage, and never a guess.

use rusqlite::Connection;

use super::{assert_failed, stocked};

#[test]
fn a_value_that_no_column_may_hold_is_damage_for_whoever_reads_it() {
    let env = stocked();
    let whole = std::fs::read(env.store_path()).unwrap();
    for (damage, command, column) in [
        ("UPDATE daily_counts SET state = 'lost'", &["status"][..], "state"),
        ("UPDATE daily_counts SET reason = 'lost'", &["status"], "reason"),
        ("UPDATE sources SET first_served_at = 'noon'", &["status"], "first_served_at"),
        ("INSERT INTO outages VALUES ('shop', '', 'lost', '', 'noon', 1, 'noon')", &["status"], "cause"),
        ("INSERT INTO outages VALUES ('shop', '', 'api_error', '', 'noon', 1, 'noon')", &["status"], "since"),
        ("UPDATE verdicts SET decided_at = 'noon'", &["report"], "decided_at"),
        ("UPDATE intake SET received_at = 'noon'", &["retry", "1"], "received_at"),
        ("UPDATE intake SET headers = '['", &["retry", "1"], "headers"),
    ] {
        std::fs::write(env.store_path(), &whole).unwrap();
        let conn = Connection::open(env.store_path()).unwrap();
        conn.execute_batch(&format!("PRAGMA ignore_check_constraints = ON; {damage}")).unwrap();
        drop(conn);
        let output = env.run(command);
        let words = ["is damaged", &format!("column {column} "), "put a backup in its place"];
        assert_failed(&output, damage, &words);
    }
}
