//! One `[actions.NAME]` table: its kind, its filters, and its retries.

use std::time::Duration;

use secrecy::ExposeSecret as _;
use toml_edit::Item;

use super::file::{KnownKey, Section};
use super::mail::{self, Configured};
use super::secret::{self, Outside};
use super::values::{self, CENTURY};
use crate::actions::command::CommandTarget;
use crate::actions::mail::MailTarget;
use crate::actions::signature::SigningKey;
use crate::actions::url::Endpoint;
use crate::actions::{Action, ActionKind};
use crate::domain::{NewsFilter, RetryPolicy, SubjectKind};

/// The keys for the kinds of actions; each action has exactly one of them.
const KINDS: [&str; 3] = ["url", "command", "mail"];

const KEYS: &[KnownKey] = &[
    ("url", "\"https://erp.example.com/orders\""),
    ("secret", "\"whsec_…\""),
    ("command", "[\"/usr/local/bin/ship-order\", \"--live\"]"),
    ("mail", "[\"owner@example.com\"]"),
    ("sources", "[\"shop\"]"),
    ("kinds", "[\"order\"]"),
    ("status", "[\"PAID\", \"completed\"]"),
    ("include", "[\"email\"]"),
    ("timeout", "\"15s\""),
    ("concurrency", "4"),
    ("retry", RETRY),
    ("give_up_after", "\"7d\""),
];

const RETRY: &str = "[\"5s\", \"5m\", \"30m\", \"2h\", \"5h\", \"10h\", \"14h\", \"20h\", \"24h\"]";

/// The minimum of pauses and timeouts.
const SHORTEST: Duration = Duration::from_millis(10);

const HOUR: Duration = Duration::from_secs(3600);

/// Reads all actions; `sources` are the configured names.
pub(super) fn read_all(
    top: &mut Section<'_>,
    sources: &[String],
    mail: &Configured,
    outside: &mut Outside<'_>,
) -> Vec<Action> {
    let mut section = top.below("actions", &[]);
    let mut actions = Vec::new();
    for name in section.names() {
        if !values::is_name(&name) {
            let message =
                "not a valid action name; use 1 to 32 of a-z, 0-9 and -, not - first (e.g. [actions.erp])";
            section.note(&name, message.to_owned());
        }
        if name == "alerts" {
            section.note(
                &name,
                "is reserved for the alerts; choose another name (e.g. [actions.tell])".to_owned(),
            );
        }
        let mut section = section.below(&name, KEYS);
        if section.is_present() {
            actions.extend(read(&mut section, &name, sources, mail, outside));
        }
    }
    actions
}

/// Reads an action; `None` if a mistake was noted.
fn read(
    section: &mut Section<'_>,
    name: &str,
    sources: &[String],
    mail: &Configured,
    outside: &mut Outside<'_>,
) -> Option<Action> {
    section.refuse_unknown(&[secret::file_key("secret")], |_, _| None);
    let given: Vec<&str> = KINDS.into_iter().filter(|key| section.has(key)).collect();
    let kind = read_kind(section, name, &given, mail, outside);
    let (timeout, concurrency) = match given[..] {
        ["command"] => ("\"60s\"", "1"),
        // Many mail servers delay their greeting on purpose.
        ["mail"] => ("\"60s\"", "4"),
        _ => ("\"15s\"", "4"),
    };
    let filter = read_filter(section, sources);
    let include = word_list(section, "include", |word| {
        ["email", "raw"].contains(&word).then(|| word.to_owned()).ok_or("must be email or raw")
    });
    if matches!(given[..], ["mail"]) && include.iter().any(|word| word == "raw") {
        section.blame("include", "raw is not for mails; keep email alone, or remove the key");
    }
    let timeout = section.read_or("timeout", timeout, |item| values::duration(item, SHORTEST..=HOUR));
    let concurrency = section.read_or("concurrency", concurrency, |item| values::number(item, 1..=1024));
    let pauses = section.read_or("retry", RETRY, |item| {
        let pauses = values::list(item, |item| values::duration(item, SHORTEST..=CENTURY))?;
        if pauses.is_empty() {
            Err("is an empty list; write at least one pause".to_owned())
        } else {
            Ok(pauses)
        }
    });
    let give_up_after =
        section.read_or("give_up_after", "\"7d\"", |item| values::duration(item, SHORTEST..=CENTURY));
    Some(Action {
        name: name.to_owned(),
        kind: kind?,
        filter,
        with_email: include.iter().any(|word| word == "email"),
        with_raw: include.iter().any(|word| word == "raw"),
        timeout: timeout?,
        concurrency: usize::try_from(concurrency?).ok()?,
        policy: RetryPolicy { pauses: pauses?, give_up_after: give_up_after? },
    })
}

/// Reads what an action does, from the one key of [`KINDS`] that is `given`.
fn read_kind(
    section: &mut Section<'_>,
    name: &str,
    given: &[&str],
    mail: &Configured,
    outside: &mut Outside<'_>,
) -> Option<ActionKind> {
    let kind = match *given {
        ["url"] => url(section, name, outside).map(ActionKind::Url),
        ["command"] => command(section, outside).map(ActionKind::Command),
        ["mail"] => mailbox(section, mail).map(ActionKind::Mail),
        [] => {
            section.note_itself(&format!(
                "has none of {}; say where the news goes (e.g. url = \"https://…\")",
                KINDS.join(", ")
            ));
            None
        }
        [_, second, ..] => {
            section.blame(
                second,
                &format!("is set together with {}; keep one of them, or make two actions", given[0]),
            );
            None
        }
        _ => None,
    };
    if !matches!(given, ["url"]) {
        for key in ["secret".to_owned(), secret::file_key("secret")] {
            if section.has(&key) {
                section.note(&key, "is a key of actions with a url; remove it".to_owned());
            }
        }
    }
    kind
}

/// Reads the news that an action takes.
fn read_filter(section: &mut Section<'_>, sources: &[String]) -> NewsFilter {
    NewsFilter {
        sources: word_list(section, "sources", |word| {
            sources
                .iter()
                .any(|name| name == word)
                .then(|| word.to_owned())
                .ok_or("no such source is configured")
        }),
        kinds: word_list(section, "kinds", |word| SubjectKind::parse(word).ok_or("must be order or product")),
        status: word_list(section, "status", |word| Ok(word.to_owned())),
    }
}

/// A list of words that is not empty; no words if the key is missing.
fn word_list<T>(
    section: &mut Section<'_>,
    key: &str,
    word: impl Fn(&str) -> Result<T, &'static str>,
) -> Vec<T> {
    let read = section.read(key, |item| {
        let words = values::list(item, |item| word(&values::text(item)?).map_err(str::to_owned))?;
        if words.is_empty() {
            return Err("is an empty list; write at least one word, or remove the key".to_owned());
        }
        Ok(words)
    });
    read.unwrap_or_default()
}

fn url(section: &mut Section<'_>, name: &str, outside: &mut Outside<'_>) -> Option<Endpoint> {
    let table = format!("actions.{name}");
    let before = section.mistakes();
    let secrets = secret::read(section, outside, &table, "secret", true);
    let mut keys = Vec::with_capacity(secrets.len());
    for secret in secrets {
        match SigningKey::parse(secret.expose_secret()) {
            Ok(key) => keys.push(key),
            Err(wrong) => secret::blame(section, outside, &table, "secret", &wrong),
        }
    }
    let is_right = section.mistakes() == before;
    let endpoint = section.read("url", |item| Endpoint::new(&values::text(item)?, keys))?;
    section.enter_as("url", &endpoint.shown());
    is_right.then_some(endpoint)
}

fn mailbox(section: &mut Section<'_>, mail: &Configured) -> Option<MailTarget> {
    let to = section.read("mail", mail::addresses);
    let server = mail.required_by(section, "mail");
    Some(MailTarget::new(server?, to?))
}

fn command(section: &mut Section<'_>, outside: &Outside<'_>) -> Option<CommandTarget> {
    section.read("command", |item| {
        let argument = |item: &Item| match values::quoted(item)? {
            text if text.contains('\0') => Err("holds a NUL; remove it".to_owned()),
            text => Ok(text.to_owned()),
        };
        let mut words = values::list(item, argument)?.into_iter();
        let Some(program) = words.next().filter(|program| !program.is_empty()) else {
            return Err("names no program; write its path and its arguments".to_owned());
        };
        let program = if program.contains('/') { outside.folder.join(program) } else { program.into() };
        Ok(CommandTarget::new(program, words.collect()))
    })
}
