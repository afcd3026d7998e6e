//! The parts that all views share: the frame, times with their age, and a notification as a row.

use crate::admin::Admin;
use crate::domain::Timestamp;
use crate::domain::escape::{escape_and_truncate, escape_controls};
use crate::domain::format::span;
use crate::store::NotificationLine;

/// Maximum length of a stranger's text in a cell; the notification's own view has the rest.
const LONGEST: usize = 300;

/// Maximum size of a view, in bytes of HTML: with style, script and icon, a page is at most 100 KB.
pub(super) const HEAVIEST: usize = 84_000;

/// The part of a view that does not depend on the store: frame, headings and forms.
const FRAME: usize = 9_000;

/// Maximum size of a list's rows, in bytes of HTML.
pub(super) const LIST: usize = HEAVIEST - FRAME;

/// The size of a text in HTML, in bytes.
pub(super) fn weight(text: &str) -> usize {
    let weight = |c: char| if matches!(c, '<' | '>' | '&' | '"' | '\'') { 5 } else { c.len_utf8() };
    text.chars().map(weight).sum()
}

/// The first of these rows that fit into `most` bytes together, and the number of rows left out.
pub(super) fn fitting<T>(mut rows: Vec<T>, most: usize, weight: impl Fn(&T) -> usize) -> (Vec<T>, usize) {
    let mut sum = 0;
    let fitting = rows.iter().take_while(|row| {
        sum += weight(row);
        sum <= most
    });
    let count = fitting.count();
    let left_out = rows.len() - count;
    rows.truncate(count);
    (rows, left_out)
}

/// The frame around a view.
pub(super) struct Frame {
    pub(super) tabs: Vec<Tab>,
    pub(super) version: &'static str,
    pub(super) read_only: bool,
    pub(super) can_change: bool,
    pub(super) now: String,
}

/// A view in the navigation.
pub(super) struct Tab {
    pub(super) href: &'static str,
    pub(super) name: &'static str,
    pub(super) is_here: bool,
}

const TABS: [(&str, &str); 6] = [
    ("/", "Overview"),
    ("/notifications", "Notifications"),
    ("/fakes", "Fakes"),
    ("/deliveries", "Deliveries"),
    ("/report", "Report"),
    ("/settings", "Settings"),
];

impl Frame {
    /// The frame of the view at `here`.
    pub(super) fn new(admin: &Admin, here: &str) -> Self {
        let tab = |(href, name): (&'static str, &'static str)| Tab { href, name, is_here: href == here };
        let read_only = admin.settings.admin.read_only;
        Self {
            tabs: TABS.into_iter().map(tab).collect(),
            version: env!("CARGO_PKG_VERSION"),
            read_only,
            can_change: !read_only,
            now: admin.clock.now().to_string(),
        }
    }
}

/// A time with its age.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct When {
    /// As stored: RFC 3339 in UTC, with milliseconds.
    pub(super) at: String,
    /// For people: `2026-01-02 03:04:05`.
    pub(super) shown: String,
    /// `3 min ago`, `in 20 s`.
    pub(super) age: String,
}

impl When {
    /// A time column of the store.
    pub(super) fn new(at: &str, now: Timestamp) -> Self {
        let Some(instant) = Timestamp::parse_rfc3339(at) else {
            return Self { at: at.to_owned(), shown: at.to_owned(), age: String::new() };
        };
        let age = if instant > now {
            format!("in {}", span(instant.since(now)))
        } else {
            format!("{} ago", span(now.since(instant)))
        };
        let shown = at.get(..19).unwrap_or(at).replace('T', " ");
        Self { at: at.to_owned(), shown, age }
    }

    /// The time and its age, as one text.
    pub(super) fn text(at: &str, now: Timestamp) -> String {
        let Self { shown, age, .. } = Self::new(at, now);
        if age.is_empty() { shown } else { format!("{shown} ({age})") }
    }
}

/// The marks and times of a notification's row.
const ROW: usize = 800;

/// A notification as a row.
pub(super) struct NotificationEntry {
    pub(super) id: i64,
    pub(super) received: When,
    pub(super) source: String,
    pub(super) sender: String,
    pub(super) event: String,
    pub(super) subject: String,
    pub(super) subject_href: Option<String>,
    pub(super) state: String,
    pub(super) reason: Option<String>,
    pub(super) detail: String,
    pub(super) news: bool,
}

impl NotificationEntry {
    /// The row of a notification.
    pub(super) fn new(line: &NotificationLine, now: Timestamp) -> Self {
        let shown = |text: &Option<String>| text.as_deref().map(cell_text).unwrap_or_default();
        let id = line.resolved_id.as_ref().or(line.subject_id.as_ref());
        let subject_href = match (&line.subject_kind, id) {
            (Some(kind), Some(id)) => Some(subject_href(kind, &line.source, id)),
            _ => None,
        };
        Self {
            id: line.id,
            received: When::new(&line.received_at, now),
            source: line.source.clone(),
            sender: shown(&line.remote_addr),
            event: shown(&line.event),
            subject: shown(&line.subject_id),
            subject_href,
            state: line.state.clone(),
            reason: line.reason.clone(),
            detail: shown(&line.detail),
            news: line.news == 1,
        }
    }

    /// Maximum size of the row, in bytes of HTML.
    pub(super) fn weight(&self) -> usize {
        let texts = [&self.source, &self.event, &self.subject, &self.detail];
        let texts: usize = texts.into_iter().map(|text| weight(text)).sum();
        ROW + texts + self.subject_href.as_deref().map_or(0, weight)
    }
}

/// The address of the view of an order or product.
pub(super) fn subject_href(kind: &str, source: &str, id: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("source", source)
        .append_pair("id", id)
        .finish();
    format!("/{kind}?{query}")
}

/// A stranger's text, escaped, and cut to fit a cell.
pub(super) fn cell_text(text: &str) -> String {
    escape_and_truncate(text, LONGEST)
}

/// The beginning of a text as HTML for a `<pre>`: at most `most` bytes of the text and `room` bytes of HTML.
/// Line breaks stay, other control characters are made visible, and quotes are not escaped, because JSON is
/// full of them. Also returns the number of bytes of the text shown.
pub(super) fn preformatted(text: &str, most: usize, room: usize) -> (String, usize) {
    let mut html = String::new();
    for (at, c) in text.char_indices() {
        let mut bytes = [0; 4];
        let shown = match c {
            '&' => "&#38;".into(),
            '<' => "&#60;".into(),
            '>' => "&#62;".into(),
            '\n' => "\n".into(),
            c => escape_controls(c.encode_utf8(&mut bytes)),
        };
        if at + c.len_utf8() > most || html.len() + shown.len() > room {
            return (html, at);
        }
        html += &shown;
    }
    (html, text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_to_the_second_with_its_age() {
        let now = Timestamp::parse_rfc3339("2026-01-02T03:04:05.000Z").unwrap();
        let when = When::new("2026-01-02T03:03:00.123Z", now);
        assert_eq!((when.shown.as_str(), when.age.as_str()), ("2026-01-02 03:03:00", "64 s ago"));
        assert_eq!(When::new("2026-01-02T03:05:00.000Z", now).age, "in 55 s");
        assert_eq!(When::text("2026-01-02T03:03:00.123Z", now), "2026-01-02 03:03:00 (64 s ago)");
        assert_eq!(When::text("later", now), "later");
    }

    #[test]
    fn preformatted_text_is_obeyed_by_nothing_and_ends_at_its_bounds() {
        assert_eq!(
            preformatted("{\"a\": '<b>&'}\n\u{1b}é", 99, 999).0,
            "{\"a\": '&#60;b&#62;&#38;'}\n\\u{1b}é"
        );
        assert_eq!(preformatted("ééé", 5, 999), ("éé".to_owned(), 4));
        assert_eq!(preformatted("a<b", 99, 6), ("a&#60;".to_owned(), 2));
        assert_eq!(preformatted("", 99, 0), (String::new(), 0));
    }

    #[test]
    fn rows_are_left_out_where_they_do_not_fit() {
        assert_eq!(weight("a<é"), 8);
        assert_eq!(fitting(vec![3, 4, 5, 1], 8, |row| *row), (vec![3, 4], 2));
    }
}
