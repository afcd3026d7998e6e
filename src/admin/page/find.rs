//! The search box of every view: finds an order or product by its id, as people know it from the shop's
//! panel.

use std::collections::BTreeSet;

use askama::Template;

use super::filter::Parameters;
use super::frame::{Frame, LIST, cell_text, fitting, subject_href, weight};
use super::{View, ViewError};
use crate::admin::Admin;
use crate::domain::SubjectKind;
use crate::store::{Filter, RowFilter};

/// Maximum number of notifications to read: the newest with this id.
const LOOKS: usize = 200;

#[derive(Template)]
#[template(path = "admin/page/find.html")]
struct Page {
    frame: Frame,
    id: String,
    found: Vec<Found>,
}

/// An order or product of a source.
struct Found {
    name: String,
    source: String,
    href: String,
}

/// Redirects to the one order or product with this id, or lists several. A number that is no such id is taken
/// for a notification's id.
pub(super) async fn show(admin: &Admin, asked: &Parameters) -> Result<View, ViewError> {
    let Some(id) = asked.get("id").map(|id| id.trim().trim_start_matches('#')).filter(|id| !id.is_empty())
    else {
        return Ok(View::Elsewhere("/notifications".to_owned()));
    };
    let reader = admin.store.reader();
    let mut subjects = BTreeSet::new();
    let filter = Filter { subject: Some(id.to_owned()), limit: LOOKS, ..Filter::default() };
    for line in reader.lines(filter, RowFilter::default(), LOOKS).await?.lines {
        if let (Some(kind), Some(known)) = (line.subject_kind, line.resolved_id.or(line.subject_id)) {
            subjects.insert((kind, line.source, known));
        }
    }
    // `reconcile` may have found an order that no notification ever named.
    for (source, _) in reader.known_sources().await? {
        for kind in [SubjectKind::Order, SubjectKind::Product] {
            if !reader.truth(source.clone(), kind, id.to_owned()).await?.columns.is_empty() {
                subjects.insert((kind.as_str().to_owned(), source.clone(), id.to_owned()));
            }
        }
    }
    let mut found: Vec<Found> =
        subjects.iter().map(|(kind, source, id)| Found::new(kind, source, id)).collect();
    if found.len() == 1
        && let Some(only) = found.pop()
    {
        return Ok(View::Elsewhere(only.href));
    }
    if found.is_empty()
        && let Ok(number) = id.parse()
        && !reader.lines_of(vec![number]).await?.is_empty()
    {
        return Ok(View::Elsewhere(format!("/notifications/{number}")));
    }
    let (found, _) =
        fitting(found, LIST, |one| 100 + weight(&one.name) + weight(&one.source) + weight(&one.href));
    Ok(View::Page(Page { frame: Frame::new(admin, ""), id: cell_text(id), found }.render()?))
}

impl Found {
    fn new(kind: &str, source: &str, id: &str) -> Self {
        Self {
            name: format!("{kind} {}", cell_text(id)),
            source: source.to_owned(),
            href: subject_href(kind, source, id),
        }
    }
}
