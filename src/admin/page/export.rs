//! Exports a filter's notifications or deliveries as CSV or JSON Lines: newest first, streamed, and cut at a
//! maximum, as the last line then says.

use std::sync::Arc;

use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::OwnedSemaphorePermit;

use super::filter::{DeliveriesFilter, NotificationsFilter, Parameters};
use super::notifications::LOOKS;
use super::{ViewError, error_page};
use crate::admin::Admin;
use crate::report::cell;
use crate::store::DeliveryQuery;

/// Maximum number of rows of an export.
const MOST: usize = 100_000;

/// Number of rows read at once.
const CHUNK: usize = 500;

/// The last line of a cut export.
const CUT: &str = "cut after 100,000 rows; filter by time for the rest";

#[derive(Clone, Copy)]
enum Format {
    Csv,
    JsonLines,
}

/// The list to export; the filter moves on from chunk to chunk.
enum Rows {
    Notifications(NotificationsFilter),
    Deliveries(DeliveryQuery),
}

/// The state of an export.
struct Export {
    admin: Arc<Admin>,
    rows: Rows,
    format: Format,
    left: usize,
    is_over: bool,
    /// Held until the last byte is sent.
    _permit: OwnedSemaphorePermit,
}

/// Exports the list with this file name (`notifications.csv`, `deliveries.jsonl`), filtered as the request
/// says.
pub(super) fn answer(
    admin: &Arc<Admin>,
    req: &HttpRequest,
    name: &str,
    permit: OwnedSemaphorePermit,
) -> HttpResponse {
    let (format, content_type) = if name.ends_with(".csv") {
        (Format::Csv, "text/csv; charset=utf-8")
    } else {
        (Format::JsonLines, "application/jsonl")
    };
    let (asked, now) = (Parameters::read(req.query_string().as_bytes()), admin.clock.now());
    let rows = if name.starts_with("deliveries") {
        DeliveriesFilter::read(&asked, now).map(|filter| Rows::Deliveries(filter.of_store(CHUNK)))
    } else {
        NotificationsFilter::read(&asked, now).map(Rows::Notifications)
    };
    let rows = match rows {
        Ok(rows) => rows,
        Err(why) => return error_page(admin, ViewError::BadRequest(why)),
    };
    let head = match format {
        Format::Csv => Some(Ok(Bytes::from(format!("{}\n", rows.columns().join(","))))),
        Format::JsonLines => None,
    };
    let export =
        Export { admin: Arc::clone(admin), rows, format, left: MOST, is_over: false, _permit: permit };
    let rows = stream::unfold(export, |mut export| async move {
        let chunk = export.next().await?;
        Some((chunk, export))
    });
    let attachment = format!("attachment; filename=\"{name}\"");
    let mut response = HttpResponse::Ok();
    response.content_type(content_type).insert_header((header::CONTENT_DISPOSITION, attachment));
    response.streaming(futures_util::StreamExt::chain(stream::iter(head), rows))
}

impl Rows {
    fn columns(&self) -> &'static [&'static str] {
        match self {
            Self::Notifications(_) => &NOTIFICATIONS,
            Self::Deliveries(_) => &DELIVERIES,
        }
    }

    /// The next rows as sent, at most `limit`, with their number and whether there are more.
    async fn next(
        &mut self,
        admin: &Admin,
        format: Format,
        limit: usize,
    ) -> Result<(String, usize, bool), anyhow::Error> {
        let columns = self.columns();
        match self {
            Self::Notifications(filter) => {
                let (of_store, row_filter) = filter.of_store(limit);
                let found = admin.store.reader().lines(of_store, row_filter, LOOKS).await?;
                filter.before = found.continue_before;
                let count = found.lines.len();
                Ok((write(format, columns, found.lines).await?, count, found.continue_before.is_some()))
            }
            Self::Deliveries(query) => {
                query.limit = limit;
                let found = admin.store.reader().delivery_page(query.clone(), LOOKS).await?;
                query.before_id = found.continue_from;
                let count = found.rows.len();
                Ok((write(format, columns, found.rows).await?, count, found.continue_from.is_some()))
            }
        }
    }
}

impl Export {
    /// The next rows; `None` at the end. An error breaks the answer off, so that it never passes for
    /// complete.
    async fn next(&mut self) -> Option<Result<Bytes, anyhow::Error>> {
        if self.is_over {
            return None;
        }
        let limit = CHUNK.min(self.left);
        let (mut text, count, is_more) = match self.rows.next(&self.admin, self.format, limit).await {
            Ok(found) => found,
            Err(error) => {
                self.is_over = true;
                return Some(Err(error));
            }
        };
        self.left -= count;
        self.is_over = !is_more || self.left == 0;
        if self.left == 0 && is_more {
            text += &match self.format {
                Format::Csv => format!("{CUT}\n"),
                Format::JsonLines => format!("{}\n", json!({ "cut": CUT })),
            };
        }
        Some(Ok(Bytes::from(text)))
    }
}

const NOTIFICATIONS: [&str; 21] = [
    "id",
    "source",
    "provider",
    "received_at",
    "remote_addr",
    "content_type",
    "event",
    "subject_kind",
    "subject_id",
    "resolved_id",
    "claim",
    "event_time",
    "state",
    "reason",
    "detail",
    "duplicate_of",
    "news",
    "attempts",
    "next_attempt_at",
    "decided_at",
    "origin",
];

const DELIVERIES: [&str; 11] = [
    "id",
    "action",
    "seq",
    "source",
    "subject_kind",
    "subject_id",
    "state",
    "attempts",
    "next_attempt_at",
    "decided_at",
    "detail",
];

/// Renders rows. This does not run on the listener's only thread, which also answers health checks.
async fn write<T: Serialize + Send + 'static>(
    format: Format,
    columns: &'static [&'static str],
    rows: Vec<T>,
) -> Result<String, anyhow::Error> {
    let written = tokio::task::spawn_blocking(move || match format {
        Format::Csv => as_csv(columns, &rows),
        Format::JsonLines => as_json_lines(&rows),
    });
    written.await?
}

fn as_json_lines<T: Serialize>(rows: &[T]) -> Result<String, anyhow::Error> {
    let mut text = String::new();
    for row in rows {
        text += &serde_json::to_string(row)?;
        text.push('\n');
    }
    Ok(text)
}

fn as_csv<T: Serialize>(columns: &[&str], rows: &[T]) -> Result<String, anyhow::Error> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    for row in rows {
        let row = serde_json::to_value(row)?;
        writer.write_record(columns.iter().map(|column| match &row[*column] {
            Value::Null => String::new(),
            Value::String(text) => cell(text),
            other => cell(&other.to_string()),
        }))?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}
