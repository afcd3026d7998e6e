//! Secrets. If a secret is set in more than one place, the first of these wins: the environment, a systemd
//! credential, the file that `KEY_file` names, the value of `KEY`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use toml_edit::Item;

use super::entry::{ShownValue, ValueOrigin};
use super::file::Section;
use super::values;

/// Maximum size of a secret's file. No key, token or certificate comes near it; a larger file is the wrong one (or
/// `/dev/zero`).
const LONGEST_FILE: u64 = 1024 * 1024;

/// The characters that an editor adds after the last line.
const LINE_ENDS: [char; 2] = ['\r', '\n'];

/// The start of a PEM key or certificate. In PEM, the line end after the last line belongs to the text.
const PEM: &str = "-----BEGIN ";

/// A name at least this long could be a secret in the wrong key, if it does not look like a path.
const SHORTEST_UNNAMED: usize = 16;

/// The variable that names the credentials folder (systemd's `LoadCredential=`).
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// The start of a path that leads to a credential.
const CREDENTIALS_PREFIX: &str = "$CREDENTIALS_DIRECTORY/";

/// The environment variable that may hold a secret of a source: `COUNTERSIGN_SOURCES_MY_SHOP_TOKEN` for `token` of
/// `[sources.my-shop]`.
#[must_use]
pub fn environment_name(source: &str, key: &str) -> String {
    variable(&format!("sources.{source}"), key)
}

/// The environment variable of a secret of any table: `COUNTERSIGN_ADMIN_PASSWORD` for `password` of `[admin]`.
fn variable(table: &str, key: &str) -> String {
    format!("COUNTERSIGN_{table}_{key}").to_ascii_uppercase().replace(['-', '.'], "_")
}

/// The key that names a secret's file instead of the secret.
pub(super) fn file_key(key: &str) -> String {
    format!("{key}_file")
}

/// Where the secrets of all tables come from, beside the configuration file itself.
pub(super) struct Outside<'a> {
    /// The folder at which relative paths start.
    pub(super) folder: &'a Path,
    environment: &'a dyn Fn(&str) -> Option<String>,
    /// The variables used so far, each with its key.
    used: BTreeMap<String, String>,
    /// The origins of the secrets read so far, by key.
    origins: BTreeMap<String, ValueOrigin>,
}

impl<'a> Outside<'a> {
    /// Relative paths start at `folder`; `environment` reads a variable.
    pub(super) fn new(folder: &'a Path, environment: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { folder, environment, used: BTreeMap::new(), origins: BTreeMap::new() }
    }

    /// The credential for a key, if it exists. Its name is the key's full name, like `sources.shop.token`.
    fn credential(&self, table: &str, key: &str) -> Option<PathBuf> {
        let folder = (self.environment)(CREDENTIALS).filter(|folder| !folder.is_empty())?;
        let path = Path::new(&folder).join(place(table, key));
        (values::is_name(own_name(table)) && path.exists()).then_some(path)
    }

    /// The path in a value.
    fn path(&self, item: &Item) -> Result<PathBuf, String> {
        let text = values::text(item)?;
        let Some(name) = text.strip_prefix(CREDENTIALS_PREFIX) else { return Ok(self.folder.join(text)) };
        match (self.environment)(CREDENTIALS).filter(|folder| !folder.is_empty()) {
            Some(folder) => Ok(Path::new(&folder).join(name)),
            None => Err(format!(
                "begins with ${CREDENTIALS}, which is not set; systemd sets it for a unit with LoadCredential="
            )),
        }
    }
}

/// Reads the secret `key` of a table, as `sources.shop`; with `many`, a list or one per line. Empty if it is not given
/// anywhere, or wrong, which is noted.
pub(super) fn read(
    section: &mut Section<'_>,
    outside: &mut Outside<'_>,
    table: &str,
    key: &str,
    many: bool,
) -> Vec<SecretString> {
    let file_key = file_key(key);
    if section.has(key) && section.has(&file_key) {
        section.blame(&file_key, &format!("is set together with {key}; keep one of them"));
        return Vec::new();
    }
    let Some((secrets, origin)) = find(section, outside, table, key, many) else { return Vec::new() };
    let shown = if origin == ValueOrigin::Default { ShownValue::Off } else { ShownValue::Secret };
    section.enter(key, shown, origin.clone());
    outside.origins.insert(place(table, key), origin);
    secrets
}

/// The secrets and their origin; an empty list if none is set. `None` means that a mistake was noted.
fn find(
    section: &mut Section<'_>,
    outside: &mut Outside<'_>,
    table: &str,
    key: &str,
    many: bool,
) -> Option<(Vec<SecretString>, ValueOrigin)> {
    let variable = variable(table, key);
    if let Some(given) = (outside.environment)(&variable) {
        let secrets = from_environment(section, outside, &variable, table, key, &given, many)?;
        return Some((secrets, ValueOrigin::Environment(variable)));
    }
    if let Some(path) = outside.credential(table, key) {
        return match of_file(&path, many) {
            Ok(secrets) => Some((secrets, ValueOrigin::Credential(path))),
            Err(wrong) => {
                let (name, own) = (place(table, key), own_name(table));
                let example = format!("(e.g. LoadCredential={name}:/etc/countersign/secrets/{own}-{key})");
                let file = path.display();
                let message = format!("the credential {name} ({file}) {wrong}, or remove it {example}");
                section.note_outside(key, message);
                None
            }
        };
    }
    let file_key = file_key(key);
    if section.has(&file_key) {
        let line = section.line_of_key(&file_key);
        let (path, secrets) = section.read_secret(&file_key, |item| {
            let path = outside.path(item)?;
            let secrets = of_file(&path, many).map_err(|wrong| {
                let name = named(item.as_str().unwrap_or_default(), &path);
                let unnamed = || format!("that it names in {}", outside.folder.display());
                format!("the file {} {wrong}", name.unwrap_or_else(unnamed))
            })?;
            Ok((path, secrets))
        })?;
        return Some((secrets, ValueOrigin::SecretFile { path, line }));
    }
    if !section.has(key) {
        return Some((Vec::new(), ValueOrigin::Default));
    }
    let line = section.line_of_key(key);
    let secrets = section.read_secret(key, |item| {
        if many && item.is_array() { values::list(item, one) } else { Ok(vec![one(item)?]) }
    })?;
    if secrets.is_empty() {
        section.blame(key, "is an empty list; write a secret, or remove the key");
        return None;
    }
    Some((secrets, ValueOrigin::File { line }))
}

fn from_environment(
    section: &mut Section<'_>,
    outside: &mut Outside<'_>,
    variable: &str,
    table: &str,
    key: &str,
    given: &str,
    many: bool,
) -> Option<Vec<SecretString>> {
    // `client_secret` of `shop` and `secret` of `shop-client` have one variable: two tables must not share a secret
    // by accident.
    if let Some(other) = outside.used.get(variable) {
        let example = section.example(key).unwrap_or_default();
        let message = format!(
            "the environment variable {variable} is also that of {other}; give both in the file, or rename one of them \
             (e.g. {example})"
        );
        section.note_outside(key, message);
        return None;
    }
    outside.used.insert(variable.to_owned(), place(table, key));
    split(given, many)
        .map_err(|wrong| {
            let message =
                format!("the environment variable {variable} {wrong}, or unset it (e.g. {variable}=…)");
            section.note_outside(key, message);
        })
        .ok()
}

/// Notes a mistake in a secret that could be read, at its origin.
pub(super) fn blame(section: &mut Section<'_>, outside: &Outside<'_>, table: &str, key: &str, wrong: &str) {
    let place = place(table, key);
    let example = section.example(key).unwrap_or_default();
    match outside.origins.get(&place) {
        Some(ValueOrigin::Environment(variable)) => {
            let message =
                format!("the value of the environment variable {variable}: {wrong} (e.g. {example})");
            section.note_outside(key, message);
        }
        Some(ValueOrigin::Credential(_)) => {
            section
                .note_outside(key, format!("the value of the credential {place}: {wrong} (e.g. {example})"));
        }
        Some(ValueOrigin::SecretFile { path, .. }) => {
            section.blame(&file_key(key), &format!("the value in the file {}: {wrong}", path.display()));
        }
        Some(ValueOrigin::File { .. } | ValueOrigin::Default) | None => section.blame(key, wrong),
    }
}

/// The last part of a table's name: `shop` of `sources.shop`.
fn own_name(table: &str) -> &str {
    table.rsplit('.').next().unwrap_or(table)
}

fn place(table: &str, key: &str) -> String {
    format!("{table}.{key}")
}

fn one(item: &Item) -> Result<SecretString, String> {
    secret(values::quoted(item)?)
}

/// The secrets in a file: the whole text, or one per line. A byte order mark at the start and line ends at the end
/// come from an editor and are not part of a secret.
fn of_file(path: &Path, many: bool) -> Result<Vec<SecretString>, String> {
    let text = String::from_utf8(open(path)?)
        .map_err(|_| "is not UTF-8 text; name the file that holds the secret".to_owned())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    split(text.trim_end_matches(LINE_ENDS), many)
}

/// The secrets in a text: the whole of it, or one per line.
fn split(text: &str, many: bool) -> Result<Vec<SecretString>, String> {
    if many && !text.is_empty() { text.lines().map(secret).collect() } else { Ok(vec![secret(text)?]) }
}

fn secret(text: &str) -> Result<SecretString, String> {
    let inner = if text.starts_with(PEM) { text.trim_end_matches(LINE_ENDS) } else { text };
    if inner.chars().all(is_invisible) {
        return Err("is empty; write the secret".to_owned());
    }
    if inner.starts_with(is_invisible) || inner.ends_with(is_invisible) {
        let wrong = "begins or ends with a space, a line end or another invisible character; remove it";
        return Err(wrong.to_owned());
    }
    Ok(SecretString::from(text))
}

/// White space, control characters, and zero-width characters that get copied along with a secret.
fn is_invisible(character: char) -> bool {
    let is_mark = matches!(character, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
    character.is_whitespace() || character.is_control() || is_mark
}

/// The content of the file that a value names, and the path as given. These files hold no secrets.
pub(super) fn contents(item: &Item, outside: &Outside<'_>) -> Result<(PathBuf, Vec<u8>), String> {
    let path = outside.path(item)?;
    let bytes = open(&path).map_err(|wrong| format!("names {}, which {wrong}", path.display()))?;
    Ok((PathBuf::from(values::text(item)?), bytes))
}

/// The path of a secret's file for an error message; `None` if the value could be the secret itself.
fn named(value: &str, path: &Path) -> Option<String> {
    let is_path = value.contains(['/', '.']) || value.len() < SHORTEST_UNNAMED;
    is_path.then(|| path.display().to_string())
}

fn open(path: &Path) -> Result<Vec<u8>, String> {
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(LONGEST_FILE + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    match read() {
        Ok(bytes) if bytes.is_empty() => Err("is empty; write the file".to_owned()),
        Ok(bytes) if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LONGEST_FILE => {
            Err("is larger than 1 MiB; name the right one".to_owned())
        }
        Ok(bytes) => Ok(bytes),
        Err(error) => Err(format!("cannot be read ({error})")),
    }
}
