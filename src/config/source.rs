//! One `[sources.NAME]` table: the keys of every source, and the keys of its provider.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use toml_edit::Item;

use super::entry::{ShownValue, ValueOrigin};
use super::file::Section;
use super::secret::{self, Outside, environment_name, file_key};
use super::values::{self, CENTURY, INSTANT};
use crate::domain::{Rate, ReportedSource};
use crate::providers::keys::KeyValue;
use crate::providers::{Key, KeyKind, Keys, Provider, ProviderKind};

/// Maximum number of characters of a wrong word that an error quotes.
const LONGEST_WORD: usize = 40;

/// One configured account at a provider.
#[derive(Clone)]
pub struct Source {
    /// The name, as in the intake URL.
    pub name: String,
    /// The line of the table in the file, from 1.
    pub line: Option<usize>,
    pub kind: &'static ProviderKind,
    /// The provider's code, with this source's credentials.
    pub provider: Arc<dyn Provider>,
    /// The secret that must follow the name in the intake URL.
    pub path_token: Option<SecretString>,
    /// The URL of the API, without a slash at the end.
    pub api_base: String,
    /// Maximum rate of API calls.
    pub rate_limit: Rate,
    /// A longer silence is reported.
    pub expect_every: Option<Duration>,
}

impl Source {
    /// The source as reports and health know it.
    #[must_use]
    pub fn reported(&self) -> ReportedSource {
        let (name, provider) = (self.name.clone(), self.kind.name.to_owned());
        ReportedSource { name, provider, expect_every: self.expect_every }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("name", &self.name)
            .field("provider", &self.kind.name)
            .field("path_token", &self.path_token)
            .field("api_base", &self.api_base)
            .field("rate_limit", &self.rate_limit)
            .field("expect_every", &self.expect_every)
            .finish_non_exhaustive()
    }
}

fn table(name: &str) -> String {
    format!("sources.{name}")
}

/// Reads a source. `None` means that a mistake was noted.
pub(super) fn read(
    section: &mut Section<'_>,
    name: &str,
    kinds: &[&'static ProviderKind],
    outside: &mut Outside<'_>,
) -> Option<Source> {
    section.know("provider", "\"ecwid\"");
    let kind = read_kind(section, kinds);
    know_keys(section, kind);
    refuse_unknown(section, kinds, kind);
    let path_token = read_path_token(section, outside, name);
    let expect_every = section.read("expect_every", |item| values::duration(item, INSTANT..=CENTURY));
    let Some(kind) = kind else {
        section.read("api_base", values::api_base);
        section.read("rate_limit", values::rate);
        return None;
    };
    let api_base = section.read_or("api_base", &format!("{:?}", kind.default_api_base), values::api_base);
    let rate_limit = section.read_or("rate_limit", &format!("{:?}", kind.default_rate_limit), values::rate);
    let provider = build(section, outside, name, kind);
    Some(Source {
        name: name.to_owned(),
        line: section.line(),
        kind,
        provider: provider?,
        path_token,
        api_base: api_base?,
        rate_limit: rate_limit?,
        expect_every,
    })
}

fn read_kind(section: &mut Section<'_>, kinds: &[&'static ProviderKind]) -> Option<&'static ProviderKind> {
    let words = || kinds.iter().map(|kind| kind.name).collect::<Vec<_>>();
    if !section.has("provider") {
        section.blame("provider", &format!("is missing; set it to one of {}", words().join(", ")));
        return None;
    }
    section.read("provider", |item| {
        let given = values::quoted(item)?;
        kinds.iter().copied().find(|kind| kind.name == given).ok_or_else(|| wrong_word(given, &words()))
    })
}

/// Accepts the provider's keys and the keys of every source.
fn know_keys(section: &mut Section<'_>, kind: Option<&'static ProviderKind>) {
    for key in kind.iter().flat_map(|kind| kind.keys) {
        section.know(key.name, key.example);
    }
    section.know("path_token", "\"k3Vq8mZt\"");
    let api_base = kind.map_or("https://app.ecwid.com/api/v3", |kind| kind.default_api_base);
    section.know("api_base", format!("{api_base:?}"));
    let rate_limit = kind.map_or("600/min", |kind| kind.default_rate_limit);
    section.know("rate_limit", format!("{rate_limit:?}"));
    section.know("expect_every", "\"12h\"");
}

fn wrong_word(given: &str, words: &[&str]) -> String {
    let guess = super::mistakes::closest(given, words.iter().copied());
    let guess = guess.map(|meant| format!("; did you mean {meant}?")).unwrap_or_default();
    let short: String = given.chars().take(LONGEST_WORD).collect();
    let dots = if short.len() < given.len() { "…" } else { "" };
    format!("{short:?}{dots} is not one of {}{guess}", words.join(", "))
}

fn refuse_unknown(
    section: &mut Section<'_>,
    kinds: &[&'static ProviderKind],
    kind: Option<&'static ProviderKind>,
) {
    // If the provider itself is wrong, it is unknown which keys apply, so the keys of every provider pass.
    let judged: Vec<&ProviderKind> = kind.map_or_else(|| kinds.to_vec(), |kind| vec![kind]);
    let own = judged.iter().flat_map(|kind| kind.keys);
    let mut also = vec![file_key("path_token")];
    also.extend(own.clone().filter(|key| is_secret(key)).map(|key| file_key(key.name)));
    also.extend(own.map(|key| key.name.to_owned()));
    section.refuse_unknown(&also, |name, _| {
        let takers: Vec<_> = kinds.iter().filter(|kind| takes(kind, name)).map(|kind| kind.name).collect();
        let kind = kind.filter(|_| !takers.is_empty())?;
        let example = takers.first()?;
        let takers = takers.join(" and ");
        Some(format!(
            "is a key of provider {takers}, not {}; remove it, or correct the provider (e.g. provider = {example:?})",
            kind.name
        ))
    });
}

fn is_secret(key: &Key) -> bool {
    matches!(key.kind, KeyKind::Secret | KeyKind::Secrets)
}

fn takes(kind: &ProviderKind, name: &str) -> bool {
    kind.keys.iter().any(|key| key.name == name || (is_secret(key) && file_key(key.name) == name))
}

fn read_path_token(section: &mut Section<'_>, outside: &mut Outside<'_>, name: &str) -> Option<SecretString> {
    let token = secret::read(section, outside, &table(name), "path_token", false).pop()?;
    let text = token.expose_secret();
    let is_safe = |b: u8| b.is_ascii_alphanumeric() || b"._~-".contains(&b);
    if !text.bytes().all(is_safe) || text.len() > 128 || text == "." || text == ".." {
        let wrong = "must be 1 to 128 letters, digits or . _ ~ - because it is part of the intake URL";
        secret::blame(section, outside, &table(name), "path_token", wrong);
        return None;
    }
    Some(token)
}

/// Reads the provider's keys and builds the provider.
fn build(
    section: &mut Section<'_>,
    outside: &mut Outside<'_>,
    name: &str,
    kind: &'static ProviderKind,
) -> Option<Arc<dyn Provider>> {
    let before = section.mistakes();
    let mut keys = Keys::default();
    for key in kind.keys {
        let before = section.mistakes();
        match read_key(section, outside, name, key) {
            Some(value) => keys.set(key.name, value),
            // A key with a wrong value already has its mistake.
            None if key.required && section.mistakes() == before => blame_missing(section, name, key),
            None => {}
        }
    }
    // If a key is missing, the provider would only report the consequences.
    if section.mistakes() > before {
        return None;
    }
    let errors = match (kind.build)(&keys) {
        Ok(provider) => return Some(provider),
        Err(errors) => errors,
    };
    for error in errors {
        if kind.keys.iter().any(|key| key.name == error.key && is_secret(key)) {
            secret::blame(section, outside, &table(name), error.key, &error.message);
        } else {
            section.blame(error.key, &error.message);
        }
    }
    None
}

fn read_key(
    section: &mut Section<'_>,
    outside: &mut Outside<'_>,
    source: &str,
    key: &Key,
) -> Option<KeyValue> {
    match key.kind {
        KeyKind::Id => read_plain(section, key, values::id).map(KeyValue::Text),
        KeyKind::Text => read_plain(section, key, values::text).map(KeyValue::Text),
        KeyKind::Flag => read_plain(section, key, values::flag).map(KeyValue::Flag),
        KeyKind::Choice(words) => read_plain(section, key, |item| {
            let given = values::quoted(item)?;
            let is_one = words.contains(&given);
            if is_one { Ok(KeyValue::Text(given.to_owned())) } else { Err(wrong_word(given, words)) }
        }),
        KeyKind::Secret | KeyKind::Secrets => {
            let many = key.kind == KeyKind::Secrets;
            let secrets = secret::read(section, outside, &table(source), key.name, many);
            (!secrets.is_empty()).then_some(KeyValue::Secrets(secrets))
        }
        KeyKind::Files => {
            section.read(key.name, |item| match values::list(item, |item| secret::contents(item, outside))? {
                files if files.is_empty() => {
                    Err("is an empty list; name a file, or remove the key".to_owned())
                }
                files => Ok(KeyValue::Files(files)),
            })
        }
    }
}

/// Reads a key that is not a secret. The provider applies a default itself; here it is only entered.
fn read_plain<T>(
    section: &mut Section<'_>,
    key: &Key,
    reader: impl FnOnce(&Item) -> Result<T, String>,
) -> Option<T> {
    let value = section.read(key.name, reader);
    if let Some(default) = key.default.filter(|_| !section.has(key.name)) {
        section.enter(key.name, ShownValue::default(default), ValueOrigin::Default);
    }
    value
}

fn blame_missing(section: &mut Section<'_>, source: &str, key: &Key) {
    if is_secret(key) {
        let (file_key, variable) = (file_key(key.name), environment_name(source, key.name));
        let wrong = format!("is missing; set it, or {file_key}, or the environment variable {variable}");
        section.blame(key.name, &wrong);
    } else {
        section.blame(key.name, "is missing; set it");
    }
}
