//! The buttons: who may press them, the confirmation of a bulk change, and the result.

use std::sync::Arc;

use actix_web::http::{StatusCode, header};
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use futures_util::StreamExt as _;

use super::filter::{Parameters, query};
use super::frame::Frame;
use super::selection::{Change, ChangeCounts, FilteredRows, MOST};
use super::{Message, ViewError, ViewResult, error_page, text};
use crate::admin::Admin;

/// Maximum size of a form, in bytes.
const LONGEST_FORM: usize = 64 * 1024;

const READ_ONLY: &str = "admin.read_only: nothing can be changed here\n";

/// A request that changes something.
pub(super) async fn answer(admin: &Arc<Admin>, req: &HttpRequest, payload: Payload) -> HttpResponse {
    if admin.settings.admin.read_only {
        return text(StatusCode::FORBIDDEN, READ_ONLY);
    }
    if !comes_from_here(req) {
        return text(
            StatusCode::FORBIDDEN,
            "changes are made by the page's own buttons; scripts use the command line\n",
        );
    }
    let Some(form) = form(payload).await else {
        return text(StatusCode::PAYLOAD_TOO_LARGE, "the form is larger than 64 KiB\n");
    };
    match change(admin, req.path(), &Parameters::read(&form)).await {
        Ok(location) => HttpResponse::SeeOther().insert_header((header::LOCATION, location)).finish(),
        Err(error) => error_page(admin, error),
    }
}

/// Whether the browser states that the page itself sends this. Another site's page can send a form, but
/// cannot change these headers.
fn comes_from_here(req: &HttpRequest) -> bool {
    let header = |name: header::HeaderName| req.headers().get(name).map(header::HeaderValue::as_bytes);
    if let Some(site) = header(header::HeaderName::from_static("sec-fetch-site")) {
        return matches!(site, b"same-origin" | b"none");
    }
    let origin = header(header::ORIGIN).and_then(|origin| std::str::from_utf8(origin).ok());
    let from = origin.and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    from.is_some_and(|from| header(header::HOST).is_some_and(|own| own.eq_ignore_ascii_case(from.as_bytes())))
}

/// The form; `None` if it is too long or breaks off.
async fn form(mut payload: Payload) -> Option<Vec<u8>> {
    let mut form = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.ok()?;
        if chunk.len() > LONGEST_FORM - form.len() {
            return None;
        }
        form.extend_from_slice(&chunk);
    }
    Some(form)
}

/// Makes the change; returns the address that the browser is sent to.
async fn change(admin: &Admin, path: &str, form: &Parameters) -> Result<String, ViewError> {
    let (change, id) = Change::at(path).ok_or(ViewError::NotFound)?;
    let note = form.get("note");
    let mut result = vec![("change", change.word().to_owned())];
    let (tally, back) = match id {
        Some(id) => {
            let mut tally = ChangeCounts::default();
            change.decide(admin, vec![id], note, &mut tally).await?;
            (tally, change.row(id))
        }
        None => {
            let selection =
                FilteredRows::read(change, form, admin.clock.now()).map_err(ViewError::BadRequest)?;
            let up_to = form.number("up_to").map_err(ViewError::BadRequest)?;
            let up_to = up_to.ok_or_else(|| ViewError::BadRequest("up_to is missing".to_owned()))?;
            let after = form.number("after").map_err(ViewError::BadRequest)?;
            let (tally, last) = selection.change(admin, after, up_to, note).await?;
            let again = selection.pairs().into_iter().chain([("after", last.to_string())]);
            if tally.left > 0 {
                result.push(("again", format!("{}/{}{}", change.list(), change.word(), query(again))));
            }
            (tally, format!("{}{}", change.list(), query(selection.pairs())))
        }
    };
    result.extend([
        ("done", tally.done.to_string()),
        ("refused", tally.refused.to_string()),
        ("left", tally.left.to_string()),
        ("back", back),
    ]);
    Ok(format!("/done{}", query(result)))
}

#[derive(Template)]
#[template(path = "admin/page/change.html")]
struct Question {
    frame: Frame,
    heading: &'static str,
    question: String,
    action: String,
    fields: Vec<(&'static str, String)>,
    has_note: bool,
    button: Option<String>,
    back: String,
}

/// Asks for confirmation of a bulk change, with the number of rows and the newest id.
pub(super) async fn question(admin: &Admin, change: Change, asked: &Parameters) -> ViewResult {
    let selection = FilteredRows::read(change, asked, admin.clock.now()).map_err(ViewError::BadRequest)?;
    let after = asked.number("after").map_err(ViewError::BadRequest)?;
    let (count, newest) = selection.count(admin, after).await?;
    let frame = Frame::new(admin, change.list());
    let mut fields = selection.pairs();
    fields.extend(after.map(|id| ("after", id.to_string())));
    fields.extend(newest.map(|id| ("up_to", id.to_string())));
    let view = Question {
        heading: change.heading(),
        question: match newest {
            _ if frame.read_only => READ_ONLY.to_owned(),
            None => format!("No {} to change passes this filter.", change.noun()),
            Some(newest) => {
                let number = if count > MOST { format!("More than {MOST}") } else { count.to_string() };
                format!(
                    "{number} {} {}: those that pass the filter now, up to number {newest}, oldest first, \
                     at most {MOST} at a time.",
                    change.nouns(count),
                    change.would(),
                )
            }
        },
        action: format!("{}/{}", change.list(), change.word()),
        back: format!("{}{}", change.list(), query(selection.pairs())),
        fields,
        has_note: change == Change::Dismiss && frame.can_change,
        button: newest.filter(|_| frame.can_change).map(|_| {
            if count > MOST {
                format!("{} the oldest {MOST}", change.heading())
            } else {
                format!("{} {count} {}", change.heading(), change.nouns(count))
            }
        }),
        frame,
    };
    Ok(view.render()?)
}

/// The page after a change: how many rows changed, were refused, and are left.
pub(super) fn done(admin: &Admin, asked: &Parameters) -> ViewResult {
    let number = |name: &str| -> Result<usize, ViewError> {
        let number = asked.number(name).map_err(ViewError::BadRequest)?;
        Ok(number.and_then(|number| usize::try_from(number).ok()).unwrap_or_default())
    };
    let (done, refused, left) = (number("done")?, number("refused")?, number("left")?);
    let change = asked.get("change").and_then(Change::parse).ok_or(ViewError::NotFound)?;
    let mut lines = vec![format!("{done} {} {}.", change.nouns(done), change.will_be(done))];
    if refused > 0 {
        lines.push(format!("{refused} {} as before: {}.", change.stay(refused), change.why_refused()));
    }
    if left > 0 {
        let number = if left > MOST { format!("More than {MOST}") } else { left.to_string() };
        lines.push(format!("{number} {} left.", if left == 1 { "is" } else { "are" }));
    }
    // Only addresses of this page: a crafted link must not lead elsewhere.
    let own = |name: &str| {
        let address = asked.get(name).filter(|address| address.starts_with(change.list()));
        address.map(str::to_owned)
    };
    let message = Message {
        frame: Frame::new(admin, change.list()),
        heading: if done > 0 { "Done" } else { "Nothing changed" }.to_owned(),
        lines,
        again: own("again").filter(|_| left > 0),
        back: own("back"),
    };
    Ok(message.render()?)
}
