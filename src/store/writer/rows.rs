//! Rows of `intake`, and the statements that insert them.

use std::sync::LazyLock;

use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, ToSql, params_from_iter};

use crate::domain::{Origin, RawNotification};
use crate::store::error::Result;

/// What a notification holds until it is on disk, such as its part of the memory for bodies.
pub(in crate::store) type UntilStored = Box<dyn std::any::Any + Send>;

/// A notification as `intake` stores it.
pub(super) struct Row {
    notification: RawNotification,
    received_at: Box<str>,
    headers: Box<str>,
    _guard: UntilStored,
}

impl Row {
    pub(super) fn new(notification: RawNotification, guard: UntilStored) -> Self {
        Self {
            _guard: guard,
            received_at: notification.received_at.to_string().into(),
            headers: notification.headers.to_stored_json().into(),
            notification,
        }
    }

    /// In the order of [`INSERTS`].
    fn columns(&self) -> [Column<'_>; 8] {
        [
            Column::Text(Some(&self.notification.source)),
            Column::Text(Some(&self.notification.provider)),
            Column::Text(Some(&self.received_at)),
            Column::Text(Some(&self.notification.remote_addr)),
            Column::Text(self.notification.content_type.as_deref()),
            Column::Text(Some(&self.headers)),
            Column::Body(&self.notification.body),
            Column::Text(Some(Origin::Intake.as_str())),
        ]
    }
}

enum Column<'a> {
    Text(Option<&'a str>),
    /// TEXT if it is valid UTF-8 without NUL, otherwise BLOB, with the same bytes in both.
    Body(&'a [u8]),
}

impl ToSql for Column<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Text(text) => text.to_sql(),
            Self::Body(body) => match std::str::from_utf8(body) {
                Ok(text) if !text.contains('\0') => text.to_sql(),
                _ => body.to_sql(),
            },
        }
    }
}

/// One statement for many rows takes half the time of many statements: much of its cost arises once, above
/// all the sequence of ids.
const SIZES: [usize; 3] = [16, 4, 1];

/// One statement for each of [`SIZES`].
static INSERTS: LazyLock<[String; 3]> = LazyLock::new(|| {
    SIZES.map(|rows| {
        format!(
            "INSERT INTO intake (source, provider, received_at, remote_addr, content_type, headers, body, origin)
             VALUES {}",
            ["(?, ?, ?, ?, ?, ?, ?, ?)"].repeat(rows).join(", ")
        )
    })
});

/// The rows in parts of one of [`SIZES`] each, for [`insert`].
pub(super) fn parts(rows: &[Row]) -> impl Iterator<Item = &[Row]> {
    let mut left = rows;
    std::iter::from_fn(move || {
        let size = SIZES.into_iter().find(|size| *size <= left.len())?;
        let (part, later) = left.split_at(size);
        left = later;
        Some(part)
    })
}

/// Inserts a part of [`parts`]; returns the id of the first row, which the others' ids follow.
pub(super) fn insert(conn: &Connection, part: &[Row]) -> Result<i64> {
    let [sixteen, four, one] = &*INSERTS;
    let sql = match part.len() {
        16 => sixteen,
        4 => four,
        _ => one,
    };
    let columns = part.iter().flat_map(Row::columns);
    conn.prepare_cached(sql)?.execute(params_from_iter(columns))?;
    let others = i64::try_from(part.len()).unwrap_or(1) - 1;
    Ok(conn.last_insert_rowid() - others)
}
