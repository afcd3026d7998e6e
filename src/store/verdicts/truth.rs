//! The latest truth about each order and product.
//!
//! An emptied order stays without e-mail and raw answer, even if it is fetched again: the customer's data was
//! promised to be deleted, although the shop still has it. A product says nothing about a person: its raw
//! answer returns with the first notification that is younger than those that it was emptied with.

use rusqlite::{Connection, params};

use crate::domain::settlement::TruthChange;
use crate::domain::{OrderTruth, ProductTruth, SubjectKind, Timestamp, Truth};
use crate::store::error::Result;

/// Applies an answer to the stored truth; `newest` is when the newest notification that waited for it was
/// received. Without one, stored data keeps its age, and new data dates from the question.
pub(in crate::store) fn write(
    conn: &Connection,
    source: &str,
    kind: SubjectKind,
    change: &TruthChange,
    asked_at: Timestamp,
    newest: Option<Timestamp>,
) -> Result<()> {
    match change {
        TruthChange::Keep => Ok(()),
        TruthChange::Put(Truth::Order(order)) => put_order(conn, source, order, asked_at, newest),
        TruthChange::Put(Truth::Product(product)) => put_product(conn, source, product, asked_at, newest),
        TruthChange::Gone { resolved_id } => {
            let sql = match kind {
                SubjectKind::Order => {
                    "UPDATE orders SET gone_at = coalesce(gone_at, ?3), fetched_at = ?3,
                       notified_at = max(notified_at, coalesce(?4, notified_at))
                     WHERE source = ?1 AND order_id = ?2"
                }
                SubjectKind::Product => {
                    "UPDATE products SET available = 0, qty = 0, fetched_at = ?3, notified_at = max(notified_at, coalesce(?4, notified_at))
                     WHERE source = ?1 AND product_id = ?2"
                }
            };
            conn.prepare_cached(sql)?.execute(params![
                source,
                resolved_id,
                asked_at.to_string(),
                newest.map(|at| at.to_string())
            ])?;
            Ok(())
        }
    }
}

fn put_order(
    conn: &Connection,
    source: &str,
    order: &OrderTruth,
    asked_at: Timestamp,
    newest: Option<Timestamp>,
) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO orders (source, order_id, status, fulfillment_status, total, currency, email, updated_at,
           fetched_at, gone_at, raw, internal_id, notified_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL, ?10, ?11, coalesce(?12, ?9))
         ON CONFLICT DO UPDATE SET status = excluded.status, fulfillment_status = excluded.fulfillment_status,
           total = excluded.total, currency = coalesce(excluded.currency, currency),
           email = iif(emptied, NULL, excluded.email), updated_at = excluded.updated_at,
           fetched_at = excluded.fetched_at, gone_at = NULL, raw = iif(emptied, NULL, excluded.raw),
           internal_id = excluded.internal_id, notified_at = max(notified_at, coalesce(?12, notified_at))",
    )?
    .execute(params![
        source,
        order.order_id,
        order.status,
        order.fulfillment_status,
        order.total,
        order.currency,
        order.email,
        order.updated_at.map(|at| at.to_string()),
        asked_at.to_string(),
        order.raw,
        order.internal_id,
        newest.map(|at| at.to_string()),
    ])?;
    Ok(())
}

fn put_product(
    conn: &Connection,
    source: &str,
    product: &ProductTruth,
    asked_at: Timestamp,
    newest: Option<Timestamp>,
) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO products (source, product_id, name, price, currency, qty, available, updated_at, fetched_at,
           raw, internal_id, notified_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, coalesce(?12, ?9))
         ON CONFLICT DO UPDATE SET name = excluded.name, price = excluded.price,
           currency = coalesce(excluded.currency, currency), qty = excluded.qty,
           available = excluded.available, updated_at = excluded.updated_at,
           fetched_at = excluded.fetched_at, internal_id = excluded.internal_id,
           raw = iif(emptied AND coalesce(?12 <= notified_at, 1), NULL, excluded.raw),
           emptied = emptied AND coalesce(?12 <= notified_at, 1),
           notified_at = max(notified_at, coalesce(?12, notified_at))",
    )?
    .execute(params![
        source,
        product.product_id,
        product.name,
        product.price,
        product.currency,
        product.qty,
        product.available,
        product.updated_at.map(|at| at.to_string()),
        asked_at.to_string(),
        product.raw,
        product.internal_id,
        newest.map(|at| at.to_string()),
    ])?;
    Ok(())
}
