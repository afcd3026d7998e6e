//! Alerts to the owner: by mail, and by a POST as text, JSON or Slack's format.

use std::time::Duration;

use lettre::Address;
use serde_json::json;

use super::http::Clients;
use super::notice::Notice;
use super::smtp::{Letter, MailServer};
use crate::domain::alerts::{AlertText, Channel};
use crate::domain::{AttemptOutcome, Timestamp};

/// Timeout of one try.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The format of a POST.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AlertFormat {
    /// Plain text, as ntfy shows it.
    #[default]
    Text,
    /// All fields for programs: `{"text", "warnings", "over"}`.
    Json,
    /// What Slack takes: `{"text"}`.
    Slack,
}

impl AlertFormat {
    /// The format with this name in the configuration.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            "slack" => Some(Self::Slack),
            _ => None,
        }
    }
}

/// The owner's channels for alerts.
#[derive(Clone, Debug, Default)]
pub struct Ways {
    /// The mail server and the owner's addresses.
    pub mail: Option<(MailServer, Vec<Address>)>,
    /// The owner's URL, and the format of the POST to it.
    pub url: Option<(Notice, AlertFormat)>,
}

impl Ways {
    #[must_use]
    pub fn channels(&self) -> Vec<Channel> {
        let mail = self.mail.as_ref().map(|_| Channel::Mail);
        mail.into_iter().chain(self.url.as_ref().map(|_| Channel::Url)).collect()
    }

    /// Checks each channel without sending anything; an error says why it cannot be reached.
    pub async fn check(&self) -> Vec<(Channel, Result<(), String>)> {
        let mut checked = Vec::new();
        if let Some((server, _)) = &self.mail {
            checked.push((Channel::Mail, server.check().await));
        }
        if let Some((notice, _)) = &self.url {
            checked.push((Channel::Url, notice.check().await));
        }
        checked
    }

    /// Sends a message; `id` is the same on every try.
    ///
    /// # Errors
    /// Why it failed, in plain words, without address or secret.
    pub async fn send(
        &self,
        clients: &Clients,
        channel: Channel,
        id: String,
        text: &AlertText,
        at: Timestamp,
    ) -> Result<(), String> {
        match (channel, &self.mail, &self.url) {
            (Channel::Mail, Some((server, to)), _) => {
                let letter = Letter { id, subject: subject(text), text: in_words(text), html: None, at };
                let result = server.send(&letter, to, TIMEOUT).await;
                if result.outcome == AttemptOutcome::Delivered { Ok(()) } else { Err(result.detail) }
            }
            (Channel::Url, _, Some((notice, format))) => {
                let (content_type, body) = written(text, *format);
                notice.post(clients, content_type, body, TIMEOUT).await
            }
            _ => Err("the channel is not configured any more".to_owned()),
        }
    }
}

fn about(source: Option<&String>, action: Option<&String>) -> String {
    let source = source.map(|source| format!("source {source}: "));
    source.or(action.map(|action| format!("action {action}: "))).unwrap_or_default()
}

/// For a lock screen: the worst problem, and the number of others.
fn subject(text: &AlertText) -> String {
    let first = text
        .warnings
        .first()
        .map(|entry| format!("{}{}", about(entry.source.as_ref(), entry.action.as_ref()), entry.what));
    let over = text
        .over
        .first()
        .map(|entry| format!("over: {}{}", about(entry.source.as_ref(), entry.action.as_ref()), entry.kind));
    let is_test = text.warnings.is_empty() && text.over.is_empty();
    let first = if is_test { Some("test of the alerts".to_owned()) } else { first.or(over) };
    let more = match (text.warnings.len() + text.over.len()).saturating_sub(1) {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    format!("countersign: {}{more}", first.unwrap_or_default())
}

/// The whole text, the worst problem first.
fn in_words(text: &AlertText) -> String {
    let mut lines = Vec::new();
    let mut line = |line: String| lines.push(line);
    match (text.warnings.len(), text.over.len()) {
        (0, 0) => line("This is a test of the alerts of countersign. Nothing happened.".to_owned()),
        (0, _) => {}
        (1, _) => line("1 thing needs attention:".to_owned()),
        (more, _) => line(format!("{more} things need attention:")),
    }
    for (number, entry) in (1..).zip(&text.warnings) {
        let about = about(entry.source.as_ref(), entry.action.as_ref());
        line(format!(
            "{number}. {about}{}\n   → {}\n   {} since {}",
            entry.what, entry.remedy, entry.kind, entry.since
        ));
    }
    for entry in &text.over {
        let about = about(entry.source.as_ref(), entry.action.as_ref());
        line(format!("Over after {}: {about}{} (since {})", entry.lasted, entry.kind, entry.since));
    }
    match text.others {
        0 => {}
        1 => line("1 other thing is still open: countersign status".to_owned()),
        more => line(format!("{more} other things are still open: countersign status")),
    }
    lines.push(String::new());
    lines.join("\n")
}

/// The content type and the body.
fn written(text: &AlertText, format: AlertFormat) -> (&'static str, String) {
    let words = in_words(text);
    match format {
        AlertFormat::Text => ("text/plain; charset=utf-8", words),
        AlertFormat::Json => {
            let body = json!({ "text": words, "warnings": text.warnings, "over": text.over });
            ("application/json", body.to_string())
        }
        AlertFormat::Slack => ("application/json", json!({ "text": words }).to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::alerts::{AlertEntry, OverEntry};

    fn text() -> AlertText {
        let entry = AlertEntry {
            kind: "action_failing".to_owned(),
            source: None,
            action: Some("erp".to_owned()),
            what: "it has failed for 20 min".to_owned(),
            remedy: "see what it says".to_owned(),
            since: "2026-11-28T12:00:00.000Z".to_owned(),
        };
        let over = OverEntry {
            kind: "silent".to_owned(),
            source: Some("shop".to_owned()),
            action: None,
            since: "2026-11-28T09:00:00.000Z".to_owned(),
            lasted: "3 h".to_owned(),
        };
        AlertText { warnings: vec![entry], over: vec![over], others: 2 }
    }

    #[test]
    fn an_alert_says_what_since_when_and_what_to_do() {
        assert_eq!(
            in_words(&text()),
            "1 thing needs attention:\n1. action erp: it has failed for 20 min\n   → see what it says\n   action_failing since \
             2026-11-28T12:00:00.000Z\nOver after 3 h: source shop: silent (since 2026-11-28T09:00:00.000Z)\n2 other \
             things are still open: countersign status\n"
        );
        assert_eq!(subject(&text()), "countersign: action erp: it has failed for 20 min (and 1 more)");
        assert_eq!(subject(&AlertText::default()), "countersign: test of the alerts");
    }

    #[test]
    fn each_format_is_written_as_documented() {
        let read = |format| serde_json::from_str::<serde_json::Value>(&written(&text(), format).1).unwrap();
        let json = read(AlertFormat::Json);
        let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["text", "warnings", "over"]);
        let keys: Vec<&String> = json["warnings"][0].as_object().unwrap().keys().collect();
        assert_eq!(keys, ["kind", "source", "action", "what", "remedy", "since"]);
        let keys: Vec<_> = read(AlertFormat::Slack).as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, ["text"]);
        assert_eq!(written(&text(), AlertFormat::Text).0, "text/plain; charset=utf-8");
    }
}
