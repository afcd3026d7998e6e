//! The `[alerts]` table: channels and times of alerts, and the heartbeat.

use std::time::Duration;

use secrecy::ExposeSecret as _;
use toml_edit::Item;

use super::file::{KnownKey, Section};
use super::mail::{Configured, addresses};
use super::secret::{self, Outside};
use super::values::{self, CENTURY, INSTANT};
use crate::actions::alert::{AlertFormat, Ways};
use crate::actions::notice::Notice;
use crate::domain::alerts::AlertRules;

pub(super) const KEYS: &[KnownKey] = &[
    ("mail", "[\"owner@example.com\"]"),
    ("url", "\"https://ntfy.example.com/shop\""),
    ("format", "\"text\""),
    ("after", "\"5m\""),
    ("remind", "\"24h\""),
    ("recovery", "true"),
    ("heartbeat_url", "\"https://hc-ping.example.com/…\""),
    ("heartbeat_every", "\"5m\""),
];

/// Minimum of every interval in the table.
const SHORTEST: Duration = Duration::from_secs(1);

/// The `[alerts]` table: channels, times and the heartbeat.
#[derive(Clone, Debug)]
pub struct Alerts {
    pub ways: Ways,
    /// When alerts are sent.
    pub rules: AlertRules,
    /// The heartbeat's URL and interval.
    pub heartbeat: Option<(Notice, Duration)>,
}

pub(super) fn read(
    section: &mut Section<'_>,
    mail: &Configured,
    outside: &mut Outside<'_>,
) -> Option<Alerts> {
    let files = [secret::file_key("url"), secret::file_key("heartbeat_url")];
    section.refuse_unknown(&files, |_, _| None);
    let to = section.read("mail", addresses);
    let server = if section.has("mail") { mail.required_by(section, "mail") } else { None };
    let url = notice(section, outside, "url");
    let format = section.read_or("format", "\"text\"", |item| {
        AlertFormat::parse(&values::text(item)?).ok_or_else(|| "must be text, json or slack".to_owned())
    });
    let after = section.read_or("after", "\"5m\"", |item| values::duration(item, INSTANT..=CENTURY));
    let remind = section.read_or("remind", "\"24h\"", remind);
    let recovery = section.read_or("recovery", "true", values::flag);
    let heartbeat_url = notice(section, outside, "heartbeat_url");
    let every =
        section.read_or("heartbeat_every", "\"5m\"", |item| values::duration(item, SHORTEST..=CENTURY));
    let ways = Ways { mail: server.zip(to), url: url.zip(format) };
    let rules = AlertRules { after: after?, remind: remind?, recovery: recovery?, channels: ways.channels() };
    Some(Alerts { ways, rules, heartbeat: heartbeat_url.zip(every) })
}

fn remind(item: &Item) -> Result<Option<Duration>, String> {
    match item.as_str() {
        Some("never") => Ok(None),
        _ => values::duration(item, SHORTEST..=CENTURY)
            .map(Some)
            .map_err(|wrong| format!("{wrong} (or \"never\")")),
    }
}

/// `None` if the key is missing, or if a mistake was noted.
fn notice(section: &mut Section<'_>, outside: &mut Outside<'_>, key: &str) -> Option<Notice> {
    let url = secret::read(section, outside, "alerts", key, false).pop()?;
    Notice::new(url.expose_secret())
        .map_err(|wrong| secret::blame(section, outside, "alerts", key, &wrong))
        .ok()
}
