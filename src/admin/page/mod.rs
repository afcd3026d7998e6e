//! The page for people: problems, notifications, the evidence for each verdict, and buttons to act.
//!
//! | file | its one job |
//! |---|---|
//! | [`frame`], [`filter`] | the frame, times and rows that all views share; the filter in a URL |
//! | [`overview`], [`notifications`], [`notification`], [`subject`], [`fakes`], [`deliveries`], [`report`], [`settings`] | one view each |
//! | [`comparison`] | a claim beside the API's answer |
//! | [`meaning`] | what each verdict means, and what to do |
//! | [`find`] | the search box: from an id to its order or product |
//! | [`export`], [`tail`] | a filter's notifications as CSV and JSON Lines; new ones, live |
//! | [`changes`], [`selection`] | the buttons: who may press them; the rows that they change |
//!
//! A view reads indexes and sums, pages by key and writes nothing. At most [`VIEWS`] read at once.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::{Method, StatusCode, header};
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use ring::digest;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Admin;
use crate::report::PARTS_CSS;
use filter::{LONGEST_PARAMETER, Parameters};
use frame::Frame;

mod changes;
mod comparison;
mod deliveries;
mod export;
mod fakes;
mod filter;
mod find;
mod frame;
mod meaning;
mod notification;
mod notifications;
mod overview;
mod report;
mod selection;
mod settings;
mod subject;
mod tail;

/// Maximum number of views that read the store at once.
const VIEWS: usize = 8;

/// Maximum number of open tails.
const TAILS: usize = 16;

/// How long a view waits for its permit.
const PATIENCE: Duration = Duration::from_secs(2);

/// The style sheets of the report's parts and of the page.
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
const ICON: &str = include_str!("page.svg");

/// Allows only resources of the page itself, and nothing inline.
const POLICY: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; style-src 'self'; \
                      script-src 'self'; img-src 'self'; connect-src 'self'";

/// The permits for views and tails; they outlive a reload.
#[derive(Clone, Debug)]
pub struct ViewPermits {
    views: Arc<Semaphore>,
    tails: Arc<Semaphore>,
}

impl Default for ViewPermits {
    fn default() -> Self {
        Self { views: Arc::new(Semaphore::new(VIEWS)), tails: Arc::new(Semaphore::new(TAILS)) }
    }
}

impl ViewPermits {
    async fn view(&self) -> Option<OwnedSemaphorePermit> {
        let permit = Arc::clone(&self.views).acquire_owned();
        tokio::time::timeout(PATIENCE, permit).await.ok().and_then(Result::ok)
    }

    fn tail(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.tails).try_acquire_owned().ok()
    }
}

/// Why a view is not shown.
pub(super) enum ViewError {
    /// The address is not valid; the text says why.
    BadRequest(String),
    /// Nothing has this address.
    NotFound,
    /// The store or a template failed.
    Failed(anyhow::Error),
}

impl From<crate::store::StoreError> for ViewError {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<anyhow::Error> for ViewError {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<askama::Error> for ViewError {
    fn from(error: askama::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// The HTML of a view.
pub(super) type ViewResult = Result<String, ViewError>;

/// Answers a request for the page, which [`super::Guard`] has admitted.
pub(super) async fn answer(admin: &Arc<Admin>, req: &HttpRequest, payload: Payload) -> HttpResponse {
    contained(match *req.method() {
        Method::GET => read(admin, req).await,
        // Without its body an export or a tail ends here, and reads nothing for a reader that is not there.
        Method::HEAD => read(admin, req).await.drop_body().map_into_boxed_body(),
        Method::POST => changes::answer(admin, req, payload).await,
        _ => {
            let mut refusal = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and POST\n");
            let allowed = header::HeaderValue::from_static("GET, HEAD, POST");
            refusal.headers_mut().insert(header::ALLOW, allowed);
            refusal
        }
    })
}

/// Adds the security headers, whatever the answer is.
pub(super) fn contained(mut response: HttpResponse) -> HttpResponse {
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, header::HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    }
    response
}

async fn read(admin: &Arc<Admin>, req: &HttpRequest) -> HttpResponse {
    match req.path() {
        "/page.css" => return resource(req, "text/css; charset=utf-8", &[PARTS_CSS, STYLE]),
        "/page.js" => return resource(req, "text/javascript; charset=utf-8", &[SCRIPT]),
        "/page.svg" => return resource(req, "image/svg+xml", &[ICON]),
        "/tail" => return tail::answer(admin, req).await,
        _ => {}
    }
    let Some(permit) = admin.permits.view().await else {
        return HttpResponse::ServiceUnavailable()
            .insert_header((header::RETRY_AFTER, "2"))
            .content_type("text/plain; charset=utf-8")
            .body("too many views are open at once; try again\n");
    };
    if let Some(
        name @ ("notifications.csv" | "notifications.jsonl" | "deliveries.csv" | "deliveries.jsonl"),
    ) = req.path().strip_prefix('/')
    {
        return export::answer(admin, req, name, permit);
    }
    let asked = Parameters::read(req.query_string().as_bytes());
    let shown = if asked.are_too_long() {
        Err(ViewError::BadRequest(format!("a parameter is longer than {LONGEST_PARAMETER} bytes")))
    } else {
        view(admin, req.path(), &asked).await
    };
    drop(permit);
    match shown {
        Ok(View::Elsewhere(address)) => {
            HttpResponse::SeeOther().insert_header((header::LOCATION, address)).finish()
        }
        Ok(View::Page(html)) => HttpResponse::Ok().content_type("text/html; charset=utf-8").body(html),
        Ok(View::Body { id, bytes }) => HttpResponse::Ok()
            .content_type("application/octet-stream")
            .insert_header((
                header::CONTENT_DISPOSITION,
                format!("attachment; filename=\"notification-{id}.body\""),
            ))
            .body(bytes),
        Err(error) => error_page(admin, error),
    }
}

enum View {
    Page(String),
    /// The view of a path.
    Elsewhere(String),
    /// The exact bytes of a notification's body.
    Body {
        id: i64,
        bytes: Vec<u8>,
    },
}

async fn view(admin: &Admin, path: &str, asked: &Parameters) -> Result<View, ViewError> {
    if let Some((change, None)) = selection::Change::at(path) {
        return Ok(View::Page(changes::question(admin, change, asked).await?));
    }
    if path == "/find" {
        return find::show(admin, asked).await;
    }
    if let Some(rest) = path.strip_prefix("/notifications/") {
        return match rest.split_once('/') {
            None => Ok(View::Page(notification::show(admin, number(rest)?).await?)),
            Some((id, "body")) => {
                let id = number(id)?;
                let bytes = notification::body(admin, id).await?;
                Ok(View::Body { id, bytes })
            }
            Some(_) => Err(ViewError::NotFound),
        };
    }
    Ok(View::Page(match path {
        "/" => overview::show(admin).await?,
        "/notifications" => notifications::show(admin, asked).await?,
        "/order" | "/product" => subject::show(admin, &path[1..], asked).await?,
        "/deliveries" => deliveries::show(admin, asked).await?,
        "/fakes" => fakes::show(admin, asked).await?,
        "/report" => report::show(admin, asked).await?,
        "/settings" => settings::show(admin)?,
        "/done" => changes::done(admin, asked)?,
        _ => return Err(ViewError::NotFound),
    }))
}

fn number(text: &str) -> Result<i64, ViewError> {
    text.parse().map_err(|_| ViewError::NotFound)
}

/// A page with a few lines of text.
#[derive(Template)]
#[template(path = "admin/page/message.html")]
struct Message {
    frame: Frame,
    heading: String,
    lines: Vec<String>,
    again: Option<String>,
    back: Option<String>,
}

/// The page that says why there is no view.
pub(super) fn error_page(admin: &Admin, error: ViewError) -> HttpResponse {
    let (status, heading, line) = match error {
        ViewError::BadRequest(why) => (StatusCode::BAD_REQUEST, "This address is not valid", why),
        ViewError::NotFound => {
            (StatusCode::NOT_FOUND, "Nothing here", "No such view, or the row was removed.".to_owned())
        }
        ViewError::Failed(error) => {
            log::error!("the page could not be shown: {error:#}");
            let line = format!("{error:#}; run countersign status");
            (StatusCode::INTERNAL_SERVER_ERROR, "The store could not be read", line)
        }
    };
    let frame = Frame::new(admin, "");
    let message = Message { frame, heading: heading.to_owned(), lines: vec![line], again: None, back: None };
    match message.render() {
        Ok(html) => HttpResponse::build(status).content_type("text/html; charset=utf-8").body(html),
        Err(error) => {
            log::error!("the page could not be shown: {error:#}");
            HttpResponse::InternalServerError().finish()
        }
    }
}

/// One line of text.
pub(super) fn text(status: StatusCode, line: &'static str) -> HttpResponse {
    HttpResponse::build(status).content_type("text/plain; charset=utf-8").body(line)
}

/// A static resource. The browser asks whether it has changed; it changes only with the program.
fn resource(req: &HttpRequest, content_type: &str, parts: &[&str]) -> HttpResponse {
    let content = parts.concat();
    let digest = digest::digest(&digest::SHA256, content.as_bytes());
    let tag: String = digest.as_ref().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{tag}\"");
    let is_known =
        req.headers().get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let status = if is_known { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
    let mut response = HttpResponse::build(status);
    response.insert_header((header::ETAG, tag)).insert_header((header::CACHE_CONTROL, "no-cache"));
    if is_known { response.finish() } else { response.content_type(content_type).body(content) }
}
