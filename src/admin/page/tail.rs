//! The live tail: rows of a filter as they arrive and as their verdicts change, as server-sent events.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use futures_util::stream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::filter::{NotificationsFilter, Parameters};
use super::frame::NotificationEntry;
use super::{ViewError, error_page};
use crate::admin::Admin;
use crate::store::{Filter, NotificationLine, Result};

/// The interval of reads if this process wrote something meanwhile.
const EVERY: Duration = Duration::from_millis(400);

/// The same if another process may have written something.
const ELSEWHERE: Duration = Duration::from_secs(5);

/// After such a silence, a comment keeps the connection open and shows whether the reader is still there.
const SILENCE: Duration = Duration::from_secs(5);

/// Number of rows followed until their verdict: the newest.
const FOLLOWED: usize = 200;

/// Maximum number of new rows per read; more come with the next reads.
const NEW: usize = 200;

/// Rows that arrived while the page was loading are sent, up to this number.
const CATCH_UP: i64 = 1_000;

#[derive(Template)]
#[template(path = "admin/page/line.html")]
struct Row {
    line: NotificationEntry,
}

/// The state of a tail.
struct Tail {
    admin: Arc<Admin>,
    filter: NotificationsFilter,
    /// The newest id seen.
    last: i64,
    /// Rows whose verdict may still change, as last sent.
    followed: BTreeMap<i64, (String, Option<String>)>,
    commits: Option<u64>,
    looked_at: Instant,
    sent_at: Instant,
    _permit: OwnedSemaphorePermit,
}

pub(super) async fn answer(admin: &Arc<Admin>, req: &HttpRequest) -> HttpResponse {
    let asked = Parameters::read(req.query_string().as_bytes());
    let filter = match NotificationsFilter::read(&asked, admin.clock.now()) {
        Ok(filter) => filter,
        Err(why) => return error_page(admin, ViewError::BadRequest(why)),
    };
    let Some(permit) = admin.permits.tail() else {
        return HttpResponse::ServiceUnavailable()
            .content_type("text/plain; charset=utf-8")
            .body("too many live views are open; close one\n");
    };
    let mut tail = Tail {
        admin: Arc::clone(admin),
        filter,
        last: 0,
        followed: BTreeMap::new(),
        commits: None,
        looked_at: Instant::now(),
        sent_at: Instant::now(),
        _permit: permit,
    };
    let shown = Shown::read(req, &asked);
    if let Err(error) = tail.begin(&shown).await {
        return error_page(admin, error.into());
    }
    let events = stream::unfold(tail, |mut tail| async move {
        let mut stopping = tail.admin.stopping.clone();
        let event = tokio::select! {
            _ = stopping.wait_for(|is_stopping| *is_stopping) => return None,
            event = tail.next() => event,
        };
        Some((Ok::<_, Infallible>(Bytes::from(event)), tail))
    });
    HttpResponse::Ok().content_type("text/event-stream").streaming(events)
}

/// The rows that the page already shows.
struct Shown {
    /// The newest id at that time.
    last: Option<i64>,
    /// When the page was rendered.
    at: String,
}

impl Shown {
    fn read(req: &HttpRequest, asked: &Parameters) -> Self {
        let resumed = req.headers().get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
        let last = asked.number("after").ok().flatten();
        Self { last: resumed.max(last), at: asked.get("at").unwrap_or_default().to_owned() }
    }
}

impl Tail {
    /// Continues from the page: its rows are sent again only when they change.
    async fn begin(&mut self, shown: &Shown) -> Result<()> {
        let filter = Filter { limit: FOLLOWED, ..Filter::default() };
        let ids = self.admin.store.reader().ids(filter).await?;
        let newest = ids.first().copied().unwrap_or(0);
        let last = shown.last.unwrap_or(newest);
        self.last = last.clamp(newest.saturating_sub(CATCH_UP), newest);
        for line in self.admin.store.reader().lines_of(ids).await? {
            let is_news = line.decided_at.as_ref().is_some_and(|at| *at >= shown.at);
            if line.id > self.last {
                continue;
            } else if is_open(&line) {
                self.followed.insert(line.id, (line.state, line.reason));
            } else if is_news && !shown.at.is_empty() {
                self.followed.insert(line.id, ("pending".to_owned(), None));
            }
        }
        Ok(())
    }

    /// The next event, or a comment after a silence.
    async fn next(&mut self) -> String {
        loop {
            tokio::time::sleep(EVERY).await;
            let commits = self.admin.store.commits();
            let is_due = self.looked_at.elapsed() >= ELSEWHERE;
            if self.commits.replace(commits) != Some(commits) || is_due {
                self.looked_at = Instant::now();
                match self.changed().await {
                    Ok(events) if events.is_empty() => {}
                    Ok(events) => {
                        self.sent_at = Instant::now();
                        return events;
                    }
                    Err(error) => log::debug!("a live view cannot read the store: {error:#}"),
                }
            }
            if self.sent_at.elapsed() >= SILENCE {
                self.sent_at = Instant::now();
                return ": still here\n\n".to_owned();
            }
        }
    }

    /// The new and changed rows since the last read, oldest first.
    async fn changed(&mut self) -> Result<String> {
        let reader = self.admin.store.reader();
        let new = reader.ids_after(self.last, NEW).await?;
        let mut ids: Vec<i64> = self.followed.keys().copied().collect();
        ids.extend(&new);
        self.last = new.last().copied().unwrap_or(self.last);
        let now = self.admin.clock.now();
        let mut events = String::new();
        for line in reader.lines_of(ids).await? {
            let verdict = (line.state.clone(), line.reason.clone());
            let before = self.followed.remove(&line.id);
            if before.as_ref() == Some(&verdict) {
                self.followed.insert(line.id, verdict);
                continue;
            }
            if is_open(&line) {
                self.followed.insert(line.id, verdict);
            }
            if passes(&self.filter, &line) {
                events += &event(&line, self.last, now);
            } else if before.is_some() {
                events += &format!("event: gone\nid: {}\ndata: n{}\n\n", self.last, line.id);
            }
        }
        // The oldest are no longer followed; a page shows no more than these.
        while self.followed.len() > FOLLOWED {
            self.followed.pop_first();
        }
        Ok(events)
    }
}

fn is_open(line: &NotificationLine) -> bool {
    matches!(line.state.as_str(), "pending" | "undecided")
}

fn event(line: &NotificationLine, last: i64, now: crate::domain::Timestamp) -> String {
    match (Row { line: NotificationEntry::new(line, now) }).render() {
        Ok(row) => {
            format!("event: notification\nid: {last}\ndata: {}\n\n", row.replace(['\r', '\n'], " "))
        }
        Err(error) => {
            log::error!("cannot render a row of a live view: {error}");
            String::new()
        }
    }
}

/// As a filter of the store's list.
fn passes(filter: &NotificationsFilter, line: &NotificationLine) -> bool {
    let is =
        |wanted: &Option<String>, known: Option<&String>| wanted.as_ref().is_none_or(|w| Some(w) == known);
    is(&filter.source, Some(&line.source))
        && filter.state.is_none_or(|state| state.as_str() == line.state)
        && filter.reason.is_none_or(|reason| Some(reason.as_str()) == line.reason.as_deref())
        && (is(&filter.subject, line.subject_id.as_ref()) || is(&filter.subject, line.resolved_id.as_ref()))
        && is(&filter.sender, line.remote_addr.as_ref())
        && filter.from.as_ref().is_none_or(|(_, from)| line.received_at >= from.to_string())
        && filter.to.as_ref().is_none_or(|(_, to)| line.received_at < to.to_string())
}
