//! The statements that read rows for the ledger.

use crate::domain::shipping::{Include, LedgerTable};

/// Replaces the reason of a pending notification by that of its own last question: while its source fails as
/// a whole, the view `notifications` shows the outage's cause, which changes without the row.
const NOTIFICATIONS: &str = "SELECT i.id, i.source, i.provider, i.received_at, i.remote_addr, i.content_type, i.headers, i.body,
  v.event, v.subject_kind, v.subject_id, v.resolved_id, v.claim, v.event_time, coalesce(v.state, 'pending') AS state, v.reason,
  v.detail, v.duplicate_of, coalesce(v.news, 0) AS news, coalesce(v.attempts, 0) AS attempts,
  iif(v.state = 'pending', v.next_attempt_at, NULL) AS next_attempt_at, v.decided_at, i.origin
FROM intake i LEFT JOIN verdicts v ON v.notification_id = i.id";

pub(super) const CHANGED: &str =
    "SELECT position, kind, id, source, key FROM changes WHERE position > ?1 AND kind <> 'refusals'
                       ORDER BY position LIMIT ?2";

/// A space separates the day and the cause.
pub(super) const REFUSED: &str =
    "SELECT position, source, substr(key, 1, 10) AS day, substr(key, 12) AS cause FROM changes
                       WHERE position > ?1 AND kind = 'refusals' ORDER BY position LIMIT ?2";

/// The columns of a table, NULL in place of those that are not included.
fn selected(table: LedgerTable, include: &Include) -> String {
    let columns = table.columns().iter().map(|column| match column.needs {
        Some(needed) if !include.contains(&needed) => format!("NULL AS {}", column.name),
        _ => column.name.to_owned(),
    });
    let columns = columns.collect::<Vec<_>>().join(", ");
    match table {
        LedgerTable::Notifications => format!("SELECT {columns} FROM ({NOTIFICATIONS})"),
        _ => format!("SELECT {columns} FROM {table}"),
    }
}

fn keys(table: LedgerTable) -> Vec<&'static str> {
    table.columns()[..table.key_length()].iter().map(|key| key.name).collect()
}

/// The rows of a table with an id above ?1, up to ?2; at most ?3.
pub(super) fn between_ids(table: LedgerTable, include: &Include) -> String {
    let key = keys(table).join("");
    format!("{} WHERE {key} > ?1 AND {key} <= ?2 ORDER BY {key} LIMIT ?3", selected(table, include))
}

/// The rows of a table with a key after the parameters from ?2 on; at most ?1.
pub(super) fn after_key(table: LedgerTable, include: &Include) -> String {
    let parameters: Vec<String> = (0..table.key_length()).map(|at| format!("?{}", at + 2)).collect();
    let (keys, parameters) = (keys(table).join(", "), parameters.join(", "));
    format!("{} WHERE ({keys}) > ({parameters}) ORDER BY {keys} LIMIT ?1", selected(table, include))
}

/// The row of a table with the key of the parameters.
pub(super) fn with_key(table: LedgerTable, include: &Include) -> String {
    let keys = keys(table).into_iter().enumerate();
    let keys: Vec<String> = keys.map(|(at, key)| format!("{key} = ?{}", at + 1)).collect();
    format!("{} WHERE {}", selected(table, include), keys.join(" AND "))
}

pub(super) const IS_CHANGED: &str = "SELECT EXISTS (SELECT 1 FROM changes
  WHERE kind = 'notifications' AND id = ?1 AND position > ?2)";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::shipping::Included;
    use crate::store::changes::log::TRIGGERS;
    use crate::store::file::query_plan::{fresh, plan};

    #[test]
    fn each_row_for_the_ledger_is_searched_for_and_none_is_sorted() {
        let conn = fresh();
        let all: Include = Included::ALL.iter().copied().collect();
        let none = Include::new();
        let mut statements = vec![CHANGED.to_owned(), IS_CHANGED.to_owned()];
        for include in [&all, &none] {
            for table in LedgerTable::ALL.iter().copied() {
                statements.push(with_key(table, include));
                statements.push(match table.key_length() {
                    1 => between_ids(table, include),
                    _ => after_key(table, include),
                });
            }
        }
        for sql in statements {
            let plan = plan(&conn, &sql);
            let is_searched = plan.lines().all(|step| !step.contains("SCAN") || step == "SCAN CONSTANT ROW");
            assert!(is_searched && !plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
        }
        assert!(plan(&conn, CHANGED).contains("SEARCH changes USING INTEGER PRIMARY KEY (rowid>?)"));
        // There is at most one for each source, day and cause: they may be sorted.
        assert!(plan(&conn, REFUSED).contains("COVERING INDEX changes_by_row (kind=?)"));
        assert!(plan(&conn, IS_CHANGED).contains("changes_by_row (kind=? AND id=?)"));
    }

    #[test]
    fn every_column_of_the_ledger_that_changes_is_watched_by_a_trigger() {
        let conn = fresh();
        conn.execute_batch(TRIGGERS).unwrap();
        let watched = |table: &str| -> String {
            let sql = "SELECT group_concat(sql) FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1
                       AND name GLOB 'changes_*' AND sql GLOB '*AFTER UPDATE*'";
            conn.query_row(sql, [table], |row| row.get(0)).unwrap()
        };
        let [intake, verdicts, deliveries] = ["intake", "verdicts", "deliveries"].map(watched);
        // What no statement changes once the row is there.
        let fixed = [
            "id",
            "source",
            "provider",
            "received_at",
            "origin",
            "action",
            "seq",
            "subject_kind",
            "subject_id",
        ];
        for column in LedgerTable::Notifications.columns() {
            let is_watched = [&intake, &verdicts].iter().any(|sql| sql.contains(column.name));
            assert!(is_watched || fixed.contains(&column.name), "{}", column.name);
        }
        for column in LedgerTable::Deliveries.columns() {
            assert!(deliveries.contains(column.name) || fixed.contains(&column.name), "{}", column.name);
        }
        for table in ["orders", "products", "refusals", "verifications"] {
            assert!(!watched(table).contains("UPDATE OF"), "{table}: all columns");
        }
    }
}
