//! Reads the `[ledger]` table: keys, ranges and defaults.

use super::file::{KnownKey, Section};
use super::secret::{self, Outside};
use super::values;
use crate::domain::shipping::{Include, Included};
use crate::ledger::{LedgerSettings, LedgerUrl};

const KEYS: &[KnownKey] = &[
    ("url", "\"postgres://countersign@db.example.com/shop\""),
    ("password", "\"…\""),
    ("ca_file", "\"db-ca.pem\""),
    ("schema", "\"countersign\""),
    ("node", "\"a\""),
    ("include", "[\"body\", \"email\"]"),
];

/// Maximum length of a schema name.
const LONGEST_SCHEMA: usize = 63;

/// Reads the table; `None` if it is missing or a mistake was noted.
pub(super) fn read(top: &mut Section<'_>, outside: &mut Outside<'_>) -> Option<LedgerSettings> {
    let mut section = top.below("ledger", KEYS);
    if !section.is_present() {
        return None;
    }
    section.refuse_unknown(&[secret::file_key("password")], |_, _| None);
    for key in ["url", "node"] {
        if !section.has(key) {
            section.blame(key, "is missing; a ledger needs it");
        }
    }
    let target = section.read("url", |item| LedgerUrl::parse(&values::text(item)?));
    let password = secret::read(&mut section, outside, "ledger", "password", false).pop();
    let folder = outside.folder;
    let ca_file = section.read("ca_file", |item| values::path(item, folder));
    let schema = section.read_or("schema", "\"countersign\"", |item| {
        let name = values::text(item)?;
        if is_schema(&name) {
            Ok(name)
        } else {
            Err("is not a valid schema name; use 1 to 63 of a-z, 0-9 and _, no digit first, and not pg_"
                .to_owned())
        }
    });
    let node = section.read("node", |item| {
        let name = values::text(item)?;
        if values::is_name(&name) {
            Ok(name)
        } else {
            Err("is not a valid node name; use 1 to 32 of a-z, 0-9 and -, not - first".to_owned())
        }
    });
    let include = section.read_or("include", "[]", |item| {
        let words = values::list(item, |item| {
            let all = || Included::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>().join(", ");
            Included::parse(&values::text(item)?).ok_or_else(|| format!("must be one of {}", all()))
        })?;
        Ok(words.into_iter().collect::<Include>())
    });
    Some(LedgerSettings {
        target: target?,
        password,
        ca_file,
        schema: schema?,
        node: node?,
        include: include?,
    })
}

fn is_schema(name: &str) -> bool {
    let is_word = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    is_word
        && (1..=LONGEST_SCHEMA).contains(&name.len())
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.starts_with("pg_")
}
