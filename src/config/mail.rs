//! The `[mail]` table: the owner's mail server.

use toml_edit::Item;

use super::file::{KnownKey, Section};
use super::secret::{self, Outside};
use super::values;
use crate::actions::smtp::{self, MailServer, SmtpUrl};

pub(super) const KEYS: &[KnownKey] = &[
    ("smtp", "\"smtps://user@mail.example.com\""),
    ("password", "\"…\""),
    ("from", "\"countersign@example.com\""),
];

/// The mail server in the file.
pub(super) enum Configured {
    Absent,
    /// Wrong; the mistake was noted.
    Wrong,
    Server(MailServer),
}

impl Configured {
    /// The server for a key that needs one; `None` if a mistake was noted.
    pub(super) fn required_by(&self, section: &mut Section<'_>, key: &str) -> Option<MailServer> {
        match self {
            Self::Server(server) => Some(server.clone()),
            Self::Wrong => None,
            Self::Absent => {
                let wrong = "needs a mail server; write [mail] with smtp and from";
                section.note(key, format!("{wrong} (e.g. smtp = {})", KEYS[0].1));
                None
            }
        }
    }
}

pub(super) fn read(section: &mut Section<'_>, outside: &mut Outside<'_>) -> Configured {
    if !section.is_present() {
        return Configured::Absent;
    }
    section.refuse_unknown(&[secret::file_key("password")], |_, _| None);
    for key in ["smtp", "from"] {
        if !section.has(key) {
            section.blame(key, "is missing; write it");
        }
    }
    let before = section.mistakes();
    let url = section.read("smtp", |item| SmtpUrl::parse(&values::text(item)?));
    let from = section.read("from", |item| smtp::address(&values::text(item)?));
    let password = secret::read(section, outside, "mail", "password", false).pop();
    let is_right = section.mistakes() == before;
    let (Some(url), Some(from)) = (url, from) else { return Configured::Wrong };
    match (url.has_user(), &password) {
        (true, None) if is_right => {
            section.blame("password", "is missing, though smtp names a user; write it");
        }
        (false, Some(_)) => {
            section.blame("smtp", "names no user, though there is a password; write the user before @");
        }
        _ if is_right => return Configured::Server(MailServer::new(url, password.as_ref(), from)),
        _ => {}
    }
    Configured::Wrong
}

/// The addresses of a list that is not empty.
pub(super) fn addresses(item: &Item) -> Result<Vec<lettre::Address>, String> {
    let addresses = values::list(item, |item| smtp::address(&values::text(item)?))?;
    if addresses.is_empty() {
        return Err("is an empty list; write at least one address, or remove the key".to_owned());
    }
    Ok(addresses)
}
