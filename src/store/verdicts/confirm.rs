//! The one function that confirms: it stores the confirmed values and, if they are news, writes the news row
//! and its deliveries, all in the transaction of the verdict.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::{Map, Value};

use crate::domain::{NewsType, Reason, Subject, SubjectKind, Timestamp};
use crate::store::deliveries::{self, Subscription};
use crate::store::error::Result;
use crate::store::news::feed::{COLUMNS, read};

/// A notification whose verdict was just written.
pub(in crate::store) struct Confirmation<'a> {
    pub(in crate::store) notification_id: i64,
    pub(in crate::store) source: &'a str,
    /// The id in `orders` or `products`.
    pub(in crate::store) subject: &'a Subject,
    pub(in crate::store) reason: Reason,
    pub(in crate::store) values: &'a Map<String, Value>,
    pub(in crate::store) is_news: bool,
}

/// Stores the confirmed values. If they are news, also writes the news row, and a delivery for each of
/// `subscriptions` whose filter passes.
pub(in crate::store) fn confirm(
    conn: &Connection,
    confirmation: &Confirmation<'_>,
    subscriptions: &[Subscription],
    now: Timestamp,
) -> Result<()> {
    if confirmation.is_news {
        let current = current(conn, confirmation.source, confirmation.subject)?;
        let seq = write(conn, confirmation, &current, now)?;
        remember(conn, confirmation, Some(&current), now)?;
        if subscriptions.is_empty() {
            return Ok(());
        }
        let sql = format!("SELECT {COLUMNS} FROM news n WHERE n.seq = ?1");
        let news = conn.prepare_cached(&sql)?.query_row([seq], read)?;
        return deliveries::enqueue(conn, &news, subscriptions, now);
    }
    remember(conn, confirmation, None, now)
}

fn write(conn: &Connection, confirmation: &Confirmation<'_>, current: &str, now: Timestamp) -> Result<i64> {
    let Confirmation { notification_id, source, subject, reason, .. } = confirmation;
    let kind = NewsType::of(subject.kind, *reason);
    Ok(conn
        .prepare_cached(
            "INSERT INTO news (notification_id, type, at, source, provider, event, origin, subject_kind, subject_id, current,
               previous)
             SELECT i.id, ?2, ?3, i.source, i.provider, v.event, i.origin, ?4, ?5, ?6,
               (SELECT current FROM last_confirmed t WHERE t.source = ?7 AND t.subject_kind = ?4 AND t.subject_id = ?5)
             FROM intake i JOIN verdicts v ON v.notification_id = i.id WHERE i.id = ?1",
        )?
        .insert(params![
            notification_id,
            kind.as_str(),
            now.to_string(),
            subject.kind.as_str(),
            subject.id,
            current,
            source,
        ])?)
}

/// The stored values of a subject, as a news row shows them.
fn current(conn: &Connection, source: &str, subject: &Subject) -> Result<String> {
    const ORDER: &str =
        "SELECT json_object('status', status, 'fulfillment_status', fulfillment_status, 'total', total,
           'currency', currency, 'updated_at', updated_at)
         FROM (SELECT 1) LEFT JOIN orders ON source = ?1 AND order_id = ?2";
    const PRODUCT: &str = "SELECT json_object('name', name, 'price', price, 'currency', currency, 'qty', qty,
           'available', available, 'updated_at', updated_at)
         FROM (SELECT 1) LEFT JOIN products ON source = ?1 AND product_id = ?2";
    let sql = match subject.kind {
        SubjectKind::Order => ORDER,
        SubjectKind::Product => PRODUCT,
    };
    Ok(conn
        .prepare_cached(sql)?
        .query_row([source, &subject.id], |row| row.get(0))
        .optional()?
        .unwrap_or_default())
}

/// Stores the confirmed values of a subject; `current` only changes with news.
fn remember(
    conn: &Connection,
    confirmation: &Confirmation<'_>,
    current: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    let Confirmation { notification_id, source, subject, values, .. } = confirmation;
    conn.prepare_cached(
        "INSERT INTO last_confirmed
           (source, subject_kind, subject_id, compared, notification_id, confirmed_at, current)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT DO UPDATE SET compared = excluded.compared, notification_id = excluded.notification_id,
           confirmed_at = excluded.confirmed_at, current = coalesce(excluded.current, current)",
    )?
    .execute(params![
        source,
        subject.kind.as_str(),
        subject.id,
        Value::Object((*values).clone()).to_string(),
        notification_id,
        now.to_string(),
        current,
    ])?;
    Ok(())
}
