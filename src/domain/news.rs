//! News: the changes that confirmed notifications made to what is known about a subject, and their JSON. A
//! line of the feed, an event's data, a request's body and a command's standard input are the same.

use serde_json::{Map, Value, json};

use super::claim::SubjectKind;
use super::time::Timestamp;
use super::verdict::{Reason, words};

words! {
    /// The kind of a change.
    NewsType {
        /// An order is new, or its values changed.
        OrderChanged = "order.changed",
        /// An order is deleted.
        OrderDeleted = "order.deleted",
        /// A product is new, or its values changed.
        ProductChanged = "product.changed",
        /// A product is deleted.
        ProductDeleted = "product.deleted",
        /// The shop no longer shows a product.
        ProductUnavailable = "product.unavailable",
        /// No news: the owner tests an action.
        Test = "test",
    }
}

impl NewsType {
    /// The kind of news that a confirmation for `reason` makes of a subject of this kind.
    #[must_use]
    pub fn of(kind: SubjectKind, reason: Reason) -> Self {
        match (kind, reason) {
            (SubjectKind::Order, Reason::Deleted) => Self::OrderDeleted,
            (SubjectKind::Order, _) => Self::OrderChanged,
            (SubjectKind::Product, Reason::Deleted) => Self::ProductDeleted,
            (SubjectKind::Product, Reason::Unavailable) => Self::ProductUnavailable,
            (SubjectKind::Product, _) => Self::ProductChanged,
        }
    }
}

/// One row of `news`.
#[derive(Clone, Debug, PartialEq)]
pub struct News {
    /// Ascending in commit order, never reused.
    pub seq: i64,
    /// The kind of change.
    pub kind: NewsType,
    /// When the verdict was written.
    pub at: Timestamp,
    pub notification_id: i64,
    pub source: String,
    pub provider: String,
    pub event: Option<String>,
    /// Whether a request or `reconcile` brought the notification: `intake` or `reconcile`.
    pub origin: String,
    pub subject_kind: SubjectKind,
    /// The id in `orders` or `products`.
    pub subject_id: String,
    /// The current values; the last known ones of a subject that is gone.
    pub current: Map<String, Value>,
    /// The values of the previous news; `None` the first time.
    pub previous: Option<Map<String, Value>>,
}

impl News {
    /// The line of the feed, without its line end; `extra` fields follow those of `data`.
    #[must_use]
    pub fn line(&self, extra: &Map<String, Value>) -> String {
        let mut data = json!({
            "seq": self.seq,
            "notification_id": self.notification_id,
            "source": self.source,
            "provider": self.provider,
            "event": self.event,
            "origin": self.origin,
            "subject_kind": self.subject_kind.as_str(),
            "subject_id": self.subject_id,
            "current": self.current,
            "previous": self.previous,
        });
        if let Some(data) = data.as_object_mut() {
            data.extend(extra.clone());
        }
        envelope(self.kind, self.at, &data)
    }

    /// The current values that a `status` filter is compared with.
    pub fn statuses(&self) -> impl Iterator<Item = &str> {
        ["status", "fulfillment_status"].into_iter().filter_map(|key| self.current.get(key)?.as_str())
    }
}

/// The line that `send-test` sends to an action.
#[must_use]
pub fn test_line(action: &str, at: Timestamp) -> String {
    envelope(NewsType::Test, at, &json!({ "action": action }))
}

fn envelope(kind: NewsType, at: Timestamp, data: &Value) -> String {
    json!({ "type": kind.as_str(), "timestamp": at.to_string(), "data": data }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_written_as_documented() {
        let values =
            json!({"status": "PAID", "fulfillment_status": "NEW", "total": "99.00", "currency": "EUR"});
        let news = News {
            seq: 4711,
            kind: NewsType::OrderChanged,
            at: Timestamp::parse_rfc3339("2026-11-28T12:00:00.123Z").unwrap(),
            notification_id: 17,
            source: "shop".to_owned(),
            provider: "ecwid".to_owned(),
            event: Some("order.updated".to_owned()),
            origin: "intake".to_owned(),
            subject_kind: SubjectKind::Order,
            subject_id: "SALE-H4K9P".to_owned(),
            current: values.as_object().unwrap().clone(),
            previous: None,
        };
        assert_eq!(
            news.line(&Map::new()),
            r#"{"type":"order.changed","timestamp":"2026-11-28T12:00:00.123Z","data":{"seq":4711,"notification_id":17,"source":"shop","provider":"ecwid","event":"order.updated","origin":"intake","subject_kind":"order","subject_id":"SALE-H4K9P","current":{"status":"PAID","fulfillment_status":"NEW","total":"99.00","currency":"EUR"},"previous":null}}"#
        );
        assert_eq!(news.statuses().collect::<Vec<_>>(), ["PAID", "NEW"]);
    }
}
