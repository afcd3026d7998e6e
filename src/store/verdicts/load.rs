//! Loads what the rules need to judge an answer, with a number of steps proportional to its rows.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::{Map, Value};

use crate::domain::settlement::{Case, Equal, Waiting};
use crate::domain::{Claim, StoredObject, SubjectKind};
use crate::store::error::Result;
use crate::store::rows;

/// Maximum number of equal open claims that one settlement turns into duplicates at once; the rest follows
/// when it is due, or stays undecided.
const MOST_EQUALS: i64 = 500;

/// Of each claim, the confirmed one counts; otherwise the first that waits.
const LEAST_EQUALS: [i64; 3] = [1, 1, 0];

/// A question that was asked, as far as the store needs it.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct SubjectQuery<'a> {
    pub(in crate::store) source: &'a str,
    pub(in crate::store) claim: &'a Claim,
    /// The id of the object in the answer, if it shows one.
    pub(super) truth_id: Option<&'a str>,
}

/// Everything known about the notifications of a lease; those no longer under the lease are left out.
pub(in crate::store) fn load(conn: &Connection, lease: &str, query: &SubjectQuery<'_>) -> Result<Case> {
    let waiting = waiting(conn, lease)?;
    let subject = &query.claim.subject;
    let stored = match query.truth_id {
        Some(id) => stored_object(conn, query.source, subject.kind, id, &[ById::Exactly])?,
        None => stored_object(conn, query.source, subject.kind, &subject.id, &ById::ALL)?,
    };
    let resolved_id =
        stored.as_ref().map_or(query.truth_id.unwrap_or(&subject.id), |stored| stored.resolved_id.as_str());
    let last_confirmed = last_confirmed(conn, query.source, subject.kind, resolved_id)?;
    Ok(Case {
        equals: equals(conn, query.source, lease, &waiting)?,
        source_found_any: conn
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM sources WHERE name = ?1 AND found_any_at IS NOT NULL)",
            )?
            .query_row([query.source], |row| row.get(0))?,
        waiting,
        stored,
        last_confirmed,
    })
}

fn waiting(conn: &Connection, lease: &str) -> Result<Vec<Waiting>> {
    let sql = format!(
        "SELECT notification_id, received_at, retried_at,
           attempts + (SELECT count(*) FROM probes p
             WHERE p.source = v.source AND p.at > v.probes_since AND p.call_kind IN ('', v.call_kind)) AS attempts,
           own_refusals, {} FROM verdicts v INDEXED BY verdicts_leased WHERE lease = ?1 AND state = 'pending' ORDER BY notification_id",
        rows::CLAIM_COLUMNS
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let found = statement.query_map([lease], |row| {
        let Some((claim, key)) = rows::claim(row)? else { return Ok(None) };
        Ok(Some(Waiting {
            id: row.get("notification_id")?,
            received_at: rows::known_instant(row, "received_at")?,
            retried_at: rows::instant(row, "retried_at")?,
            attempts: row.get("attempts")?,
            own_refusals: row.get("own_refusals")?,
            claim,
            key,
        }))
    })?;
    Ok(rows::all(found)?.into_iter().flatten().collect())
}

pub(in crate::store) const IS_ALONE: &str = "SELECT NOT (
       EXISTS (SELECT 1 FROM verdicts WHERE source = ?1 AND claim_key = ?2 AND state = 'confirmed' AND lease IS NOT ?3)
    OR EXISTS (SELECT 1 FROM verdicts WHERE source = ?1 AND claim_key = ?2 AND state = 'pending' AND lease IS NOT ?3)
    OR EXISTS (SELECT 1 FROM verdicts WHERE source = ?1 AND claim_key = ?2 AND state = 'undecided' AND lease IS NOT ?3))";

/// The confirmed ones first.
pub(in crate::store) const EQUALS: [&str; 3] = [
    "SELECT notification_id, state, received_at FROM verdicts
     WHERE source = ?1 AND claim_key = ?2 AND state = 'confirmed' AND lease IS NOT ?3 ORDER BY notification_id LIMIT ?4",
    "SELECT notification_id, state, received_at FROM verdicts
     WHERE source = ?1 AND claim_key = ?2 AND state = 'pending' AND lease IS NOT ?3 ORDER BY notification_id LIMIT ?4",
    "SELECT notification_id, state, received_at FROM verdicts
     WHERE source = ?1 AND claim_key = ?2 AND state = 'undecided' AND lease IS NOT ?3 ORDER BY notification_id LIMIT ?4",
];

fn equals(conn: &Connection, source: &str, lease: &str, waiting: &[Waiting]) -> Result<Vec<Equal>> {
    let keys: BTreeSet<_> = waiting.iter().map(|row| &row.key).collect();
    let mut equals = Vec::new();
    let mut left = MOST_EQUALS;
    for key in keys {
        let is_alone: bool = conn
            .prepare_cached(IS_ALONE)?
            .query_row(params![source, key.as_str(), lease], |row| row.get(0))?;
        if is_alone {
            continue;
        }
        for (sql, least) in EQUALS.into_iter().zip(LEAST_EQUALS) {
            let mut statement = conn.prepare_cached(sql)?;
            let most = left.max(least);
            let found = statement.query_map(params![source, key.as_str(), lease, most], |row| {
                Ok(Equal {
                    id: row.get("notification_id")?,
                    received_at: rows::known_instant(row, "received_at")?,
                    key: key.clone(),
                    state: rows::state(row)?,
                })
            })?;
            let found = rows::all(found)?;
            left = left.saturating_sub(i64::try_from(found.len()).unwrap_or(left)).max(0);
            equals.extend(found);
        }
    }
    Ok(equals)
}

/// The ways from an id to the stored truth.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ById {
    /// It is the object's own.
    Exactly,
    /// A confirmed notification used this id for the object. An unconfirmed one may have used any id for any
    /// object.
    Confirmed,
    /// It is the object's second id.
    Internal,
}

impl ById {
    const ALL: [Self; 3] = [Self::Exactly, Self::Confirmed, Self::Internal];
}

/// The stored truth about an object, by its own id.
pub(in crate::store) fn stored_by_own_id(
    conn: &Connection,
    source: &str,
    kind: SubjectKind,
    id: &str,
) -> Result<Option<StoredObject>> {
    stored_object(conn, source, kind, id, &[ById::Exactly])
}

/// The stored truth for an id, by the first of `ways` that finds any.
fn stored_object(
    conn: &Connection,
    source: &str,
    kind: SubjectKind,
    id: &str,
    ways: &[ById],
) -> Result<Option<StoredObject>> {
    let (table, key) = match kind {
        SubjectKind::Order => ("orders", "order_id"),
        SubjectKind::Product => ("products", "product_id"),
    };
    for way in ways {
        let condition = match way {
            ById::Exactly => format!("{key} = ?2"),
            ById::Confirmed => format!(
                "{key} = (SELECT resolved_id FROM verdicts INDEXED BY verdicts_naming
                   WHERE source = ?1 AND subject_kind = '{}' AND subject_id = ?2 AND state = 'confirmed'
                     AND resolved_id IS NOT NULL
                   ORDER BY notification_id DESC LIMIT 1)",
                kind.as_str()
            ),
            ById::Internal => "internal_id = ?2".to_owned(),
        };
        let sql = format!(
            "SELECT {key} AS id, internal_id, updated_at, fetched_at FROM {table} WHERE source = ?1 AND {condition} LIMIT 1"
        );
        let read = |row: &rusqlite::Row<'_>| {
            Ok(StoredObject {
                resolved_id: row.get("id")?,
                internal_id: row.get("internal_id")?,
                updated_at: rows::instant(row, "updated_at")?,
                fetched_at: rows::known_instant(row, "fetched_at")?,
                by_internal_id: *way == ById::Internal,
            })
        };
        let found = conn.prepare_cached(&sql)?.query_row([source, id], read).optional()?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn last_confirmed(
    conn: &Connection,
    source: &str,
    kind: SubjectKind,
    id: &str,
) -> Result<Option<Map<String, Value>>> {
    Ok(conn
        .prepare_cached(
            "SELECT compared FROM last_confirmed WHERE source = ?1 AND subject_kind = ?2 AND subject_id = ?3",
        )?
        .query_row([source, kind.as_str(), id], |row| rows::object(row, "compared"))
        .optional()?
        .flatten())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::error::StoreError;
    use crate::store::file::query_plan::fresh;
    use crate::store::verdicts::supersede;

    /// A notification of an order `1` in this state, under the lease `w/1` where it is pending.
    fn row(conn: &Connection, id: i64, state: &str) {
        conn.execute_batch(&format!(
            "INSERT INTO intake (id, source, provider, received_at) VALUES ({id}, 's', 'p', '2026-01-01T00:00:00.000Z');
             INSERT INTO verdicts (notification_id, source, received_at, day, sender, event, subject_kind, subject_id, claim,
               claim_key, question, call_kind, state, reason, probes_since, decided_at, next_attempt_at, lease, lease_until)
             VALUES ({id}, 's', '2026-01-01T00:00:00.000Z', '2026-01-01', 'a', 'e', 'order', '1', '{{}}', 'k', 'q', 'orders',
               '{state}', iif('{state}' = 'pending', NULL, 'match'), '2026-01-01T00:00:00.000Z',
               iif('{state}' = 'pending', NULL, '2026-01-01T00:00:00.000Z'),
               iif('{state}' = 'pending', '2026-01-01T00:00:00.000Z', NULL),
               iif('{state}' = 'pending', 'w/1', NULL), iif('{state}' = 'pending', '2026-01-01T00:00:00.000Z', NULL));"
        ))
        .unwrap();
    }

    fn read(conn: &Connection) -> Result<Case> {
        let sql = format!("SELECT {} FROM verdicts WHERE notification_id = 1", rows::CLAIM_COLUMNS);
        let (claim, _) = conn.query_row(&sql, [], rows::claim)?.unwrap();
        supersede::link(conn, 2, false)?;
        load(conn, "w/1", &SubjectQuery { source: "s", claim: &claim, truth_id: None })
    }

    #[test]
    fn a_row_that_cannot_be_read_is_damage_and_never_a_guess() {
        for (damage, column) in [
            ("UPDATE verdicts SET reason = 'lost' WHERE notification_id = 2", "reason"),
            ("UPDATE verdicts SET received_at = 'noon' WHERE notification_id = 2", "received_at"),
            ("UPDATE verdicts SET received_at = 'noon' WHERE notification_id = 1", "received_at"),
            ("UPDATE verdicts SET event_time = 'noon' WHERE notification_id = 1", "event_time"),
            ("UPDATE verdicts SET claim = '[' WHERE notification_id = 1", "claim"),
            ("UPDATE verdicts SET subject_kind = 'lost' WHERE notification_id = 1", "subject_kind"),
            ("UPDATE orders SET fetched_at = 'noon'", "fetched_at"),
            ("UPDATE last_confirmed SET compared = '['", "compared"),
        ] {
            let conn = fresh();
            row(&conn, 1, "pending");
            row(&conn, 2, "confirmed");
            conn.execute_batch(
                "INSERT INTO orders (source, order_id, fetched_at, notified_at)
                 VALUES ('s', '1', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z');
                 INSERT INTO last_confirmed (source, subject_kind, subject_id, compared, notification_id, confirmed_at)
                 VALUES ('s', 'order', '1', '{}', 2, '2026-01-01T00:00:00.000Z');",
            )
            .unwrap();
            let whole = read(&conn).unwrap();
            assert_eq!((whole.waiting.len(), whole.equals.len()), (1, 1));
            assert!(whole.stored.is_some() && whole.last_confirmed.is_some());
            // The CHECKs of the schema let none of this in; a damaged page may hold it.
            conn.execute_batch(&format!("PRAGMA ignore_check_constraints = ON; {damage};")).unwrap();
            match read(&conn) {
                Err(StoreError::Damaged(why)) => assert!(why.contains(&format!("column {column} ")), "{why}"),
                other => panic!("{damage}: {other:?}"),
            }
        }
    }
}
