//! The statements that empty personal data of a node: what is no longer included, what is too old, and what the file has
//! removed.

use chrono::{DateTime, Utc};
use tokio_postgres::types::Type;

use super::failure::ShipError;
use super::session::{Parameter, Session};
use super::ship::{IS_OURS, Node, NodeClaim, key};
use crate::domain::Timestamp;
use crate::domain::shipping::{Include, Included, LedgerTable};

/// Maximum number of rows that one statement empties.
const MOST_EMPTIED: i64 = 5000;

impl Node {
    /// Empties personal data of some rows, if the claim still holds: whatever is no longer included, and, with `before`,
    /// whatever is older. Notifications that are not settled keep theirs. Returns whether there may be more.
    ///
    /// # Errors
    /// PostgreSQL failed.
    pub(super) async fn empty(
        &self,
        session: &Session,
        claim: &NodeClaim,
        include: &Include,
        before: Option<Timestamp>,
    ) -> Result<bool, ShipError> {
        let mut is_more = false;
        for (table, age, columns, condition) in PERSONAL {
            let left_out: Vec<&str> = columns
                .iter()
                .filter(|(_, needs)| needs.is_some_and(|needs| !include.contains(&needs)))
                .map(|(column, _)| *column)
                .collect();
            let all: Vec<&str> = columns.iter().map(|(column, _)| *column).collect();
            let never = Timestamp::from_millis(i64::MAX);
            let rounds = [(left_out, "", Some(never)), (all, condition, before)];
            for (columns, condition, before) in rounds {
                let Some(before) = before.filter(|_| !columns.is_empty()) else { continue };
                let which = format!("{age} < $4 {condition}");
                let emptied = self.empty_columns(session, claim, table, &columns, &which, before).await?;
                is_more |= emptied >= MOST_EMPTIED.unsigned_abs();
            }
        }
        Ok(is_more)
    }

    /// Empties these columns of the rows that meet the condition `which`, in which `$4` is `before`.
    async fn empty_columns(
        &self,
        session: &Session,
        claim: &NodeClaim,
        table: LedgerTable,
        columns: &[&str],
        which: &str,
        before: Timestamp,
    ) -> Result<u64, ShipError> {
        let key = key(table);
        let set: Vec<String> = columns.iter().map(|column| format!("{column} = NULL")).collect();
        let sql = self.schema.within(&format!(
            "UPDATE {{schema}}.{table} SET {} WHERE node = $1 AND {IS_OURS} AND ({key}) IN (
               SELECT {key} FROM {{schema}}.{table} WHERE node = $1 AND {which} AND ({}) LIMIT $5)",
            set.join(", "),
            is_held(table, |column| columns.contains(&column)),
        ));
        let before = DateTime::<Utc>::from_timestamp_millis(before.millis());
        let parameters: [Parameter<'_>; 5] = [
            (&self.name, Type::TEXT),
            (&self.file, Type::TEXT),
            (&claim.writer, Type::INT8),
            (&before, Type::TIMESTAMPTZ),
            (&MOST_EMPTIED, Type::INT8),
        ];
        session.execute(&sql, &parameters).await
    }

    /// The ids of notifications that are not settled, came before this time and hold personal data, in
    /// ascending order: the first [`MOST_EMPTIED`] after an id.
    ///
    /// # Errors
    /// PostgreSQL failed.
    pub(super) async fn unsettled(
        &self,
        session: &Session,
        before: Timestamp,
        after: i64,
    ) -> Result<Vec<i64>, ShipError> {
        let sql = self.schema.within(&format!(
            "SELECT id FROM {{schema}}.notifications
             WHERE node = $1 AND received_at < $2 AND id > $3 AND state IN ('pending', 'undecided') AND ({})
             ORDER BY id LIMIT $4",
            is_held(LedgerTable::Notifications, |_| true)
        ));
        let before = DateTime::<Utc>::from_timestamp_millis(before.millis());
        let parameters: [Parameter<'_>; 4] = [
            (&self.name, Type::TEXT),
            (&before, Type::TIMESTAMPTZ),
            (&after, Type::INT8),
            (&MOST_EMPTIED, Type::INT8),
        ];
        Ok(session.query(&sql, &parameters).await?.iter().map(|row| row.get(0)).collect())
    }

    /// Empties the personal data of these notifications, if the claim still holds.
    ///
    /// # Errors
    /// PostgreSQL failed.
    pub(super) async fn empty_notifications(
        &self,
        session: &Session,
        claim: &NodeClaim,
        ids: &[i64],
    ) -> Result<(), ShipError> {
        let (_, _, columns, _) = PERSONAL[0];
        let set: Vec<String> = columns.iter().map(|(column, _)| format!("{column} = NULL")).collect();
        let sql = self.schema.within(&format!(
            "UPDATE {{schema}}.notifications SET {} WHERE node = $1 AND {IS_OURS} AND id = ANY($4)",
            set.join(", ")
        ));
        let parameters: [Parameter<'_>; 4] = [
            (&self.name, Type::TEXT),
            (&self.file, Type::TEXT),
            (&claim.writer, Type::INT8),
            (&ids, Type::INT8_ARRAY),
        ];
        session.execute(&sql, &parameters).await?;
        Ok(())
    }
}

/// The columns of a table that hold personal data.
fn personal_of(table: LedgerTable) -> impl Iterator<Item = &'static str> {
    table.columns().iter().filter(|column| column.needs.is_some()).map(|column| column.name)
}

/// The condition that a row of a table holds something in one of these columns with personal data.
fn is_held(table: LedgerTable, is_of: impl Fn(&str) -> bool) -> String {
    let held = personal_of(table).filter(|column| is_of(column));
    held.map(|column| format!("{column} IS NOT NULL")).collect::<Vec<_>>().join(" OR ")
}

type PersonalColumn = (&'static str, Option<Included>);

/// The tables with personal data: the time that its age is counted from, the columns that are emptied with
/// the setting that includes them, and which rows are old enough to lose them.
const PERSONAL: [(LedgerTable, &str, &[PersonalColumn], &str); 5] = [
    (
        LedgerTable::Notifications,
        "received_at",
        &[
            ("remote_addr", Some(Included::RemoteAddr)),
            ("headers", Some(Included::Headers)),
            ("body", Some(Included::Body)),
            ("content_type", None),
        ],
        "AND state IN ('confirmed', 'ignored')",
    ),
    (LedgerTable::Verifications, "at", &[("answer", Some(Included::Answer))], ""),
    (
        LedgerTable::Orders,
        "fetched_at",
        &[("email", Some(Included::Email)), ("raw", Some(Included::Raw))],
        "",
    ),
    (LedgerTable::Products, "fetched_at", &[("raw", Some(Included::Raw))], ""),
    (LedgerTable::Refusals, "last_at", &[("last_remote_addr", Some(Included::RemoteAddr))], ""),
];
