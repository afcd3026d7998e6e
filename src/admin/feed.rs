//! The feed of news: JSON Lines, or server-sent events that continue as news arrives.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream;
use serde_json::Map;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Admin;
use crate::domain::News;
use crate::store::{FeedEdge, NewsQuery, Reader};

/// Maximum and default number of news in one answer without a stream.
const MOST: usize = 1000;
const DEFAULT_LIMIT: usize = 100;

/// Number of news that a stream reads at once.
const PAGE: usize = 100;

/// The interval of comments in a stream: proxies close a connection that is silent for long.
const COMMENT_EVERY: Duration = Duration::from_secs(15);

/// The interval at which a stream checks for news made by another process.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Maximum number of concurrent streams.
const MOST_STREAMS: usize = 64;

static STREAMS: AtomicUsize = AtomicUsize::new(0);

/// A request for the feed, as its parameters and headers state it.
struct FeedRequest {
    after: i64,
    limit: usize,
    source: Option<String>,
    streams: bool,
}

pub(super) async fn answer(request: &HttpRequest, admin: &Arc<Admin>) -> HttpResponse {
    let asked = match FeedRequest::read(request, admin).await {
        Ok(asked) => asked,
        Err(wrong) => return refused(HttpResponse::BadRequest(), &wrong),
    };
    let query = NewsQuery {
        after: asked.after,
        source: asked.source.clone(),
        limit: if asked.streams { 0 } else { asked.limit },
    };
    let (news, edge) = match admin.store.reader().news(query).await {
        Ok(found) => found,
        Err(error) => {
            log::error!("cannot read the news: {error:#}");
            return refused(HttpResponse::InternalServerError(), "the store could not be read; see the log");
        }
    };
    if asked.after != 0 && asked.after < edge.removed {
        let oldest =
            edge.oldest.map_or_else(|| "none is kept".to_owned(), |seq| format!("the oldest kept is {seq}"));
        let said = format!("news up to {} were removed; {oldest}", edge.removed);
        return HttpResponse::Gone()
            .json(serde_json::json!({ "error": said, "oldest": edge.oldest, "removed": edge.removed }));
    }
    if asked.streams {
        return stream(admin, asked);
    }
    let lines: String = news.iter().map(|news| news.line(&Map::new()) + "\n").collect();
    HttpResponse::Ok()
        .content_type("application/jsonl; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(lines)
}

fn refused(mut answer: actix_web::HttpResponseBuilder, why: &str) -> HttpResponse {
    answer.json(serde_json::json!({ "error": why }))
}

impl FeedRequest {
    async fn read(request: &HttpRequest, admin: &Admin) -> Result<Self, String> {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let accepts = header("accept").unwrap_or_default();
        let streams = accepts.split(',').any(|part| {
            part.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/event-stream")
        });
        let (mut after, mut limit, mut source) = (None, None, None);
        for (name, value) in form_urlencoded::parse(request.query_string().as_bytes()) {
            let is_twice = match &*name {
                "after" => {
                    after.replace(seq(&value).ok_or("after must be a seq: a whole number from 0")?).is_some()
                }
                "limit" => {
                    let number = value.parse().ok().filter(|limit| (1..=MOST).contains(limit));
                    limit.replace(number.ok_or(format!("limit must be from 1 to {MOST}"))?).is_some()
                }
                "source" => source.replace(value.into_owned()).is_some(),
                _ => return Err("unknown parameter; there are after, limit and source".to_owned()),
            };
            if is_twice {
                return Err("a parameter is given twice".to_owned());
            }
        }
        if let Some(last) = header("last-event-id").filter(|_| streams) {
            after = Some(seq(last).ok_or("Last-Event-ID must be a seq")?);
        }
        if let Some(source) = &source {
            let is_configured = admin.sources.iter().any(|known| known.name == *source);
            if !is_configured && !is_known(admin.store.reader(), source).await {
                return Err("no such source".to_owned());
            }
        }
        Ok(Self { after: after.unwrap_or(0), limit: limit.unwrap_or(DEFAULT_LIMIT), source, streams })
    }
}

fn seq(text: &str) -> Option<i64> {
    text.parse().ok().filter(|seq| *seq >= 0)
}

/// A source that was removed keeps its news.
async fn is_known(reader: &Reader, source: &str) -> bool {
    let known = reader.known_sources().await.unwrap_or_default();
    known.iter().any(|(name, _)| name == source)
}

/// A permit for one stream; returned when dropped.
struct StreamPermit;

impl StreamPermit {
    fn take() -> Option<Self> {
        let taken = STREAMS.fetch_update(Ordering::AcqRel, Ordering::Acquire, |taken| {
            (taken < MOST_STREAMS).then_some(taken + 1)
        });
        taken.ok().map(|_| Self)
    }
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        STREAMS.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The state of a stream between two parts.
struct Tail {
    reader: Reader,
    changed: watch::Receiver<()>,
    stopping: watch::Receiver<bool>,
    after: i64,
    source: Option<String>,
    comment_at: Instant,
    _permit: StreamPermit,
}

fn stream(admin: &Admin, asked: FeedRequest) -> HttpResponse {
    let Some(permit) = StreamPermit::take() else {
        let mut answer = HttpResponse::ServiceUnavailable();
        answer.insert_header((header::RETRY_AFTER, "10"));
        return refused(answer, &format!("{MOST_STREAMS} streams are served already; try again later"));
    };
    let tail = Tail {
        reader: admin.store.reader().clone(),
        changed: admin.store.outbox_changed(),
        stopping: admin.stopping.clone(),
        after: asked.after,
        source: asked.source,
        comment_at: Instant::now(),
        _permit: permit,
    };
    let parts = stream::unfold(tail, |mut tail| async move {
        let part = tail.next().await?;
        Some((Ok::<_, actix_web::Error>(part), tail))
    });
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .streaming(parts)
}

impl Tail {
    /// The next part of the stream: events, or a comment; `None` at its end.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if *self.stopping.borrow() {
                return None;
            }
            self.changed.borrow_and_update();
            match self.read().await {
                Ok(news) if !news.is_empty() => {
                    return Some(news.iter().map(event).collect::<String>().into());
                }
                Ok(_) => {}
                Err(error) => {
                    log::warn!("a stream of news ends early: {error:#}");
                    return None;
                }
            }
            let now = Instant::now();
            if now >= self.comment_at {
                self.comment_at = now + COMMENT_EVERY;
                return Some(Bytes::from_static(b": countersign\n\n"));
            }
            tokio::select! {
                _ = self.changed.changed() => {}
                _ = self.stopping.changed() => {}
                () = tokio::time::sleep_until(self.comment_at.min(now + LOOK_EVERY)) => {}
            }
        }
    }

    async fn read(&mut self) -> crate::store::Result<Vec<News>> {
        let query = NewsQuery { after: self.after, source: self.source.clone(), limit: PAGE };
        let (news, FeedEdge { .. }) = self.reader.news(query).await?;
        if let Some(last) = news.last() {
            self.after = last.seq;
        }
        Ok(news)
    }
}

fn event(news: &News) -> String {
    format!("id: {}\nevent: {}\ndata: {}\n\n", news.seq, news.kind, news.line(&Map::new()))
}
