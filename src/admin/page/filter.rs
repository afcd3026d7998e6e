//! The filter of notifications or deliveries in a URL, so that every view of a list can be bookmarked or sent
//! on.

use std::collections::BTreeMap;

use crate::config::length_of_time;
use crate::domain::{DeliveryState, Reason, State, Timestamp};
use crate::store::{DeliveryQuery, Filter, RowFilter};

/// Maximum length of an id, name or time, in bytes.
pub(super) const LONGEST_PARAMETER: usize = 300;

/// The parameters of a URL or a form. If a name repeats, the last value counts; an empty value counts as
/// none.
#[derive(Clone, Debug, Default)]
pub(super) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Parses a query or a form.
    pub(super) fn read(text: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(text).filter(|(_, value)| !value.is_empty());
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// `None` if it is missing or empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whether a value is longer than any sensible one. Return addresses may be as long as the filter they
    /// contain.
    pub(super) fn are_too_long(&self) -> bool {
        let is_address = |name: &str| matches!(name, "back" | "again");
        self.0.iter().any(|(name, value)| !is_address(name) && value.len() > LONGEST_PARAMETER)
    }

    /// `None` if it is missing; the error names a parameter that is not a number.
    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, String> {
        let number = |text: &str| text.parse().map_err(|_| format!("{name} must be a number"));
        self.get(name).map(number).transpose()
    }

    /// A time: an age (`24h`), RFC 3339, or a day (UTC).
    pub(super) fn time(&self, name: &str, now: Timestamp) -> Result<Option<Timestamp>, String> {
        self.get(name).map(|text| time(text, now).ok_or_else(|| explained(name))).transpose()
    }
}

fn explained(name: &str) -> String {
    format!("{name}: write an age (24h, 7d), a time (2026-01-02T03:04:05Z) or a day (2026-01-02)")
}

fn time(text: &str, now: Timestamp) -> Option<Timestamp> {
    length_of_time(text)
        .map(|ago| now.minus(ago))
        .or_else(|| Timestamp::parse_rfc3339(text))
        .or_else(|| Timestamp::parse_naive(&format!("{text} 00:00:00"), "%Y-%m-%d %H:%M:%S"))
}

/// The filter of notifications.
#[derive(Clone, Debug, Default)]
pub(super) struct NotificationsFilter {
    pub(super) source: Option<String>,
    pub(super) state: Option<State>,
    pub(super) reason: Option<Reason>,
    pub(super) subject: Option<String>,
    pub(super) sender: Option<String>,
    /// As written, and as a time now.
    pub(super) from: Option<(String, Timestamp)>,
    pub(super) to: Option<(String, Timestamp)>,
    pub(super) before: Option<i64>,
}

impl NotificationsFilter {
    /// Reads the parameters.
    ///
    /// # Errors
    /// A parameter is not valid; the text names it.
    pub(super) fn read(parameters: &Parameters, now: Timestamp) -> Result<Self, String> {
        let text = |name: &str| parameters.get(name).map(str::to_owned);
        let time = |name: &str| -> Result<Option<(String, Timestamp)>, String> {
            Ok(text(name).zip(parameters.time(name, now)?))
        };
        let state = parameters.get("state").map(|word| {
            State::parse(word)
                .ok_or_else(|| format!("state: there is no state {}", super::frame::cell_text(word)))
        });
        let reason = parameters.get("reason").map(|word| {
            Reason::parse(word)
                .ok_or_else(|| format!("reason: unknown reason {}", super::frame::cell_text(word)))
        });
        Ok(Self {
            source: text("source"),
            state: state.transpose()?,
            reason: reason.transpose()?,
            subject: text("subject"),
            sender: text("sender"),
            from: time("from")?,
            to: time("to")?,
            before: parameters.number("before")?,
        })
    }

    /// Name and value of each set parameter except `before`.
    pub(super) fn pairs(&self) -> Vec<(&'static str, String)> {
        let pairs = [
            ("source", self.source.clone()),
            ("state", self.state.map(|state| state.as_str().to_owned())),
            ("reason", self.reason.map(|reason| reason.as_str().to_owned())),
            ("subject", self.subject.clone()),
            ("sender", self.sender.clone()),
            ("from", self.from.as_ref().map(|(text, _)| text.clone())),
            ("to", self.to.as_ref().map(|(text, _)| text.clone())),
        ];
        pairs.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    /// The same as a query of the store.
    pub(super) fn of_store(&self, limit: usize) -> (Filter, RowFilter) {
        let filter = Filter {
            state: self.state,
            reason: self.reason,
            source: self.source.clone(),
            subject: self.subject.clone(),
            since: self.from.as_ref().map(|(_, at)| *at),
            before_id: self.before,
            limit,
            ..Filter::default()
        };
        (filter, RowFilter { sender: self.sender.clone(), until: self.to.as_ref().map(|(_, at)| *at) })
    }
}

/// The filter of deliveries.
#[derive(Clone, Debug, Default)]
pub(super) struct DeliveriesFilter {
    pub(super) action: Option<String>,
    pub(super) state: Option<DeliveryState>,
    pub(super) subject: Option<String>,
    /// As written, and as a time now.
    pub(super) from: Option<(String, Timestamp)>,
    pub(super) to: Option<(String, Timestamp)>,
}

impl DeliveriesFilter {
    /// Reads the parameters.
    ///
    /// # Errors
    /// A parameter is not valid; the text names it.
    pub(super) fn read(parameters: &Parameters, now: Timestamp) -> Result<Self, String> {
        let text = |name: &str| parameters.get(name).map(str::to_owned);
        let time = |name: &str| -> Result<Option<(String, Timestamp)>, String> {
            Ok(text(name).zip(parameters.time(name, now)?))
        };
        let state = parameters.get("state").map(|word| {
            DeliveryState::parse(word)
                .ok_or_else(|| format!("state: there is no state {}", super::frame::cell_text(word)))
        });
        Ok(Self {
            action: text("action"),
            state: state.transpose()?,
            subject: text("subject"),
            from: time("from")?,
            to: time("to")?,
        })
    }

    /// Name and value of each set parameter.
    pub(super) fn pairs(&self) -> Vec<(&'static str, String)> {
        let written = |time: &Option<(String, Timestamp)>| time.as_ref().map(|(text, _)| text.clone());
        let pairs = [
            ("action", self.action.clone()),
            ("state", self.state.map(|state| state.as_str().to_owned())),
            ("subject", self.subject.clone()),
            ("from", written(&self.from)),
            ("to", written(&self.to)),
        ];
        pairs.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    /// The same as a query of the store.
    pub(super) fn of_store(&self, limit: usize) -> DeliveryQuery {
        DeliveryQuery {
            action: self.action.clone(),
            state: self.state,
            subject: self.subject.clone(),
            since: self.from.as_ref().map(|(_, at)| *at),
            until: self.to.as_ref().map(|(_, at)| *at),
            limit,
            ..DeliveryQuery::default()
        }
    }
}

/// `?name=value&…`; empty if nothing is set.
pub(super) fn query<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        query.append_pair(name, &value);
    }
    let query = query.finish();
    if query.is_empty() { query } else { format!("?{query}") }
}

/// An option of a form's list.
pub(super) struct Choice {
    pub(super) word: String,
    pub(super) is_chosen: bool,
}

/// These options, one of them selected.
pub(super) fn choices(words: impl IntoIterator<Item = String>, chosen: Option<&str>) -> Vec<Choice> {
    words.into_iter().map(|word| Choice { is_chosen: Some(word.as_str()) == chosen, word }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_and_its_address_say_the_same() {
        let now = Timestamp::parse_rfc3339("2026-01-02T03:04:05Z").unwrap();
        let address = "source=shop&state=ignored&reason=not_found&subject=A%2FB%26c&sender=203.0.113.9&from=24h&to=2026-01-02";
        let filter = NotificationsFilter::read(&Parameters::read(address.as_bytes()), now).unwrap();
        assert_eq!(query(filter.pairs()), format!("?{address}"));
        assert_eq!(filter.from.unwrap().1, now.minus(std::time::Duration::from_secs(86_400)));
        for wrong in ["state=open", "reason=fake", "from=yesterday", "before=x"] {
            let parameters = Parameters::read(wrong.as_bytes());
            let name = wrong.split('=').next().unwrap();
            assert!(NotificationsFilter::read(&parameters, now).unwrap_err().starts_with(name), "{wrong}");
        }
    }
}
