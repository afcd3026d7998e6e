//! Rows to words of the domain and back.

use rusqlite::types::ValueRef;
use rusqlite::{Row, params};

use crate::domain::{
    Claim, ClaimKey, Delivery, EventTime, Headers, Reason, State, Subject, SubjectKind, Timestamp,
};
use crate::store::error::Result;

/// The columns of `verdicts` that [`claim`] reads, in its order.
pub(super) const CLAIM_COLUMNS: &str = "event, subject_kind, subject_id, claim, event_time, event_sent, event_order, \
                                        event_id, question, lane, claim_key";

/// Reads [`CLAIM_COLUMNS`] from the `first` column on; `None` where a column that every claim has is empty.
pub(super) fn claim(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<(Claim, ClaimKey)>> {
    let text = |at: usize| row.get::<_, Option<String>>(first + at);
    let (event, kind, id) = (text(0)?, text(1)?, text(2)?);
    let (json, question, lane, key) = (text(3)?, text(8)?, text(9)?, text(10)?);
    let event_time = EventTime {
        instant: text(4)?.as_deref().and_then(Timestamp::parse_rfc3339),
        sent: text(5)?,
        order: row.get::<_, Option<i64>>(first + 6)?.map(Timestamp::from_millis),
    };
    let event_id = text(7)?;
    let parts = (|| {
        let subject = Subject { kind: SubjectKind::parse(&kind?)?, id: id? };
        let (asserted, unverified) = Claim::split_stored_json(&json?)?;
        let key = ClaimKey::from_stored(key.unwrap_or_default());
        let (question, lane) = (question.unwrap_or_default(), lane.unwrap_or_default());
        Some((
            Claim { event: event?, subject, question, lane, asserted, unverified, event_time, event_id },
            key,
        ))
    })();
    Ok(parts)
}

/// The columns of `intake` that [`delivery`] reads, in its order; the id comes first.
pub(super) const DELIVERY_COLUMNS: &str =
    "i.id, i.source, i.provider, i.received_at, i.remote_addr, i.content_type, i.headers, i.body";

/// Reads [`DELIVERY_COLUMNS`]; `None` where the body or the headers were emptied or never were.
pub(super) fn delivery(row: &Row<'_>) -> rusqlite::Result<Option<(i64, Delivery)>> {
    let headers: Option<String> = row.get(6)?;
    let body = match row.get_ref(7)? {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(bytes.to_vec()),
        _ => None,
    };
    let (Some(headers), Some(body)) = (headers.as_deref().and_then(Headers::from_stored_json), body) else {
        return Ok(None);
    };
    let delivery = Delivery {
        source: row.get(1)?,
        provider: row.get(2)?,
        received_at: instant(row, 3)?.unwrap_or(Timestamp::from_millis(0)),
        remote_addr: row.get::<_, Option<String>>(4)?.unwrap_or_default(),
        content_type: row.get(5)?,
        headers,
        body,
    };
    Ok(Some((row.get(0)?, delivery)))
}

/// A time column.
pub(super) fn instant(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<String>>(at)?.as_deref().and_then(Timestamp::parse_rfc3339))
}

/// A state column; the CHECK of the table lets nothing else in.
pub(super) fn state(row: &Row<'_>, at: usize) -> rusqlite::Result<State> {
    Ok(row.get_ref(at)?.as_str().ok().and_then(State::parse).unwrap_or(State::Pending))
}

/// A reason column.
pub(super) fn reason(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<Reason>> {
    Ok(row.get_ref(at)?.as_str_or_null().ok().flatten().and_then(Reason::parse))
}

/// Whose turn a notification takes: its sender's address; one IPv6 subscriber owns a whole /64.
pub(super) fn sender(remote_addr: &str) -> String {
    match remote_addr.parse::<std::net::Ipv6Addr>() {
        Ok(v6) => {
            let network = u128::from(v6) & !u128::from(u64::MAX);
            format!("{}/64", std::net::Ipv6Addr::from(network))
        }
        Err(_) => remote_addr.to_owned(),
    }
}

/// A number of rows as a LIMIT.
pub(super) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// Remembers a source; its provider is for ever.
pub(super) fn introduce_source(
    conn: &rusqlite::Connection,
    name: &str,
    provider: &str,
    now: Timestamp,
) -> Result<Option<String>> {
    conn.prepare_cached(
        "INSERT INTO sources (name, provider, first_served_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    )?
    .execute(params![name, provider, now.to_string()])?;
    let known: String = conn
        .prepare_cached("SELECT provider FROM sources WHERE name = ?1")?
        .query_row([name], |row| row.get(0))?;
    Ok((known != provider).then_some(known))
}
