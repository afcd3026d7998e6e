//! The stored truth about one order or product.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _};

use crate::domain::SubjectKind;
use crate::store::error::Result;

/// Maximum length of a column's text; a page shows no more.
const LONGEST: usize = 64 * 1024;

/// The columns of one row of `orders` or `products`, with their names, in order; empty if there is no row. A
/// text over 64 KiB is cut, and `is_cut` says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubjectTruth {
    /// Name and value, without unknown values and without `raw`.
    pub columns: Vec<(String, String)>,
    pub raw: Option<String>,
    /// Whether `raw` is cut.
    pub is_cut: bool,
}

pub(in crate::store) const ORDER: &str =
    "SELECT order_id, status, fulfillment_status, total, currency, email, updated_at, fetched_at, gone_at, raw
     FROM orders WHERE source = ?1 AND order_id = ?2";

pub(in crate::store) const PRODUCT: &str =
    "SELECT product_id, name, price, currency, qty, available, updated_at, fetched_at, raw
     FROM products WHERE source = ?1 AND product_id = ?2";

/// The stored truth about the object with this id in `orders` or `products`.
pub(in crate::store) fn truth(
    conn: &Connection,
    source: &str,
    kind: SubjectKind,
    id: &str,
) -> Result<SubjectTruth> {
    let sql = match kind {
        SubjectKind::Order => ORDER,
        SubjectKind::Product => PRODUCT,
    };
    let mut statement = conn.prepare_cached(sql)?;
    let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
    let found = statement
        .query_row([source, id], |row| {
            let mut truth = SubjectTruth::default();
            for (at, name) in names.iter().enumerate() {
                let value = match row.get_ref(at)? {
                    ValueRef::Null => continue,
                    ValueRef::Integer(number) => number.to_string(),
                    ValueRef::Real(number) => number.to_string(),
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                        let cut = bytes.get(..LONGEST).unwrap_or(bytes);
                        truth.is_cut |= cut.len() < bytes.len();
                        String::from_utf8_lossy(cut).into_owned()
                    }
                };
                if name == "raw" {
                    truth.raw = Some(value);
                } else {
                    truth.columns.push((name.clone(), value));
                }
            }
            Ok(truth)
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}
