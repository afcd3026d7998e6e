//! Secrets: by value, from a file (`KEY_file`), or from the environment, which wins over the file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use secrecy::SecretString;
use toml_edit::Item;

use super::file::Section;
use super::values;

/// No key, token or certificate comes near this; a larger file is the wrong one (or `/dev/zero`).
const LONGEST_FILE: u64 = 1024 * 1024;

/// The environment variable that may hold a secret of a source: `COUNTERSIGN_SOURCES_MY_SHOP_TOKEN` for `token` of
/// `[sources.my-shop]`.
#[must_use]
pub fn environment_name(source: &str, key: &str) -> String {
    format!("COUNTERSIGN_SOURCES_{source}_{key}").to_ascii_uppercase().replace('-', "_")
}

/// The key that names a secret's file in place of the secret.
pub(super) fn file_key(key: &str) -> String {
    format!("{key}_file")
}

/// Where the secrets of all sources come from, beside the configuration file itself.
pub(super) struct Outside<'a> {
    /// Where relative paths start.
    pub(super) folder: &'a Path,
    /// Reads an environment variable.
    pub(super) environment: &'a dyn Fn(&str) -> Option<String>,
    /// The variables used so far, and for which key.
    pub(super) used: BTreeMap<String, String>,
}

/// Reads the secret `key` of the source `source`; with `many`, a list or one per line. Empty where it is not given
/// anywhere, or wrong, which is noted.
pub(super) fn read(
    section: &mut Section<'_>,
    outside: &mut Outside<'_>,
    source: &str,
    key: &str,
    many: bool,
) -> Vec<SecretString> {
    let file_key = file_key(key);
    if section.has(key) && section.has(&file_key) {
        section.note(&file_key, format!("is given beside {key}; keep one of them"));
        return Vec::new();
    }
    let variable = environment_name(source, key);
    if let Some(given) = (outside.environment)(&variable) {
        return from_environment(section, outside, &variable, source, key, &given, many);
    }
    let found = if section.has(&file_key) {
        let folder = outside.folder;
        section.read(&file_key, |item| split(&from_file(item, folder)?, many))
    } else {
        section.read(key, |item| {
            if many && item.is_array() { values::list(item, one) } else { Ok(vec![one(item)?]) }
        })
    };
    match found {
        Some(secrets) if secrets.is_empty() => {
            section.blame(key, "is an empty list; write a secret, or remove the key");
            Vec::new()
        }
        found => found.unwrap_or_default(),
    }
}

fn from_environment(
    section: &mut Section<'_>,
    outside: &mut Outside<'_>,
    variable: &str,
    source: &str,
    key: &str,
    given: &str,
    many: bool,
) -> Vec<SecretString> {
    // `client_secret` of `shop` and `secret` of `shop-client` have one variable: two accounts must not share a secret
    // by accident.
    if let Some(other) = outside.used.get(variable) {
        let message = format!(
            "the environment variable {variable} is also that of {other}; give both in the file, or rename a source"
        );
        section.note_outside(key, message);
        return Vec::new();
    }
    outside.used.insert(variable.to_owned(), place(source, key));
    split(given, many).unwrap_or_else(|wrong| {
        section.note_outside(key, format!("the environment variable {variable} {wrong}, or unset it"));
        Vec::new()
    })
}

/// Notes what is wrong with a secret that could be read, where it came from.
pub(super) fn blame(section: &mut Section<'_>, outside: &Outside<'_>, source: &str, key: &str, wrong: &str) {
    let variable = environment_name(source, key);
    let file_key = file_key(key);
    if outside.used.get(&variable) == Some(&place(source, key)) {
        section.note_outside(key, format!("the value of the environment variable {variable}: {wrong}"));
    } else if section.has(&file_key) {
        section.blame(&file_key, wrong);
    } else {
        section.blame(key, wrong);
    }
}

fn place(source: &str, key: &str) -> String {
    format!("sources.{source}.{key}")
}

/// The secret in a text value.
fn one(item: &Item) -> Result<SecretString, String> {
    secret(values::quoted(item)?)
}

/// The secrets in the text of a file or variable: the whole of it, or one per line. The newline that an editor puts at
/// the end is not part of them.
fn split(text: &str, many: bool) -> Result<Vec<SecretString>, String> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if many && !text.is_empty() { text.lines().map(secret).collect() } else { Ok(vec![secret(text)?]) }
}

fn secret(text: &str) -> Result<SecretString, String> {
    if text.trim().is_empty() {
        return Err("is empty; write the secret".to_owned());
    }
    Ok(SecretString::from(text))
}

fn from_file(item: &Item, folder: &Path) -> Result<String, String> {
    String::from_utf8(contents(item, folder)?)
        .map_err(|_| "names a file that is not text; name the file that holds the secret".to_owned())
}

/// What is in the file that a value names. The path is not repeated: it might be the secret itself, in the wrong key.
pub(super) fn contents(item: &Item, folder: &Path) -> Result<Vec<u8>, String> {
    let path = values::path(item, folder)?;
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(&path)?.take(LONGEST_FILE + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    match read() {
        Ok(bytes) if bytes.is_empty() => Err("names an empty file; write the file".to_owned()),
        Ok(bytes) if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LONGEST_FILE => {
            Err("names a file over 1 MiB; name the right one".to_owned())
        }
        Ok(bytes) => Ok(bytes),
        Err(error) => Err(format!(
            "names a file that cannot be read ({error}); a relative path starts at {}",
            if folder.as_os_str().is_empty() { Path::new(".") } else { folder }.display()
        )),
    }
}
