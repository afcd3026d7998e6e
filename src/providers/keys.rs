//! The configuration keys of a source: declared by its provider, and read from the configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq as _;

/// A key of a provider.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The name in the configuration file.
    pub name: &'static str,
    pub kind: KeyKind,
    /// Whether a source without it is a mistake.
    pub required: bool,
    /// An example for error messages and `init`, as TOML writes it.
    pub example: &'static str,
    /// The default in TOML, if there is one.
    pub default: Option<&'static str>,
}

/// The type of a key's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Text, or an integer taken as text (ids).
    Id,
    Text,
    /// One secret: by value, `KEY_file` or environment.
    Secret,
    /// One secret or a list of them.
    Secrets,
    /// `true` or `false`, without quotes.
    Flag,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A list of readable files; the values are their contents.
    Files,
}

/// The values of one source's own keys, checked for type only.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    values: BTreeMap<&'static str, KeyValue>,
}

#[derive(Clone, Debug)]
pub enum KeyValue {
    /// The value of an `Id`, `Text` or `Choice` key.
    Text(String),
    /// The values of a `Secret` or `Secrets` key.
    Secrets(Vec<SecretString>),
    /// The value of a `Flag` key.
    Flag(bool),
    /// The files of a `Files` key: the path as configured, and the content.
    Files(Vec<(PathBuf, Vec<u8>)>),
}

/// A mistake in one key that only the provider can see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyError {
    pub key: &'static str,
    /// What is wrong and what to do; without the value of a secret.
    pub message: String,
}

impl Keys {
    /// Sets a key; the configuration does so while it reads a source.
    pub fn set(&mut self, name: &'static str, value: KeyValue) {
        self.values.insert(name, value);
    }

    /// A text; `None` if it is not configured.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.values.get(name) {
            Some(KeyValue::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// A secret; the first one of a list.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<&SecretString> {
        self.secrets(name).first()
    }

    /// All secrets of a list, the one of a single value, or none.
    #[must_use]
    pub fn secrets(&self, name: &str) -> &[SecretString] {
        match self.values.get(name) {
            Some(KeyValue::Secrets(list)) => list,
            _ => &[],
        }
    }

    /// A flag, with its default.
    #[must_use]
    pub fn flag(&self, name: &str, default: bool) -> bool {
        match self.values.get(name) {
            Some(KeyValue::Flag(flag)) => *flag,
            _ => default,
        }
    }

    /// Files with their contents.
    #[must_use]
    pub fn files(&self, name: &str) -> &[(PathBuf, Vec<u8>)] {
        match self.values.get(name) {
            Some(KeyValue::Files(files)) => files,
            _ => &[],
        }
    }

    /// A required text. The configuration reports a missing key before a provider is built, so the error here only
    /// keeps the promise that nothing panics.
    ///
    /// # Errors
    /// The key is missing.
    pub fn required_text(&self, name: &'static str) -> Result<&str, KeyError> {
        self.text(name).ok_or_else(|| KeyError { key: name, message: "is missing".to_owned() })
    }

    /// A required secret, as [`Keys::required_text`].
    ///
    /// # Errors
    /// The key is missing.
    pub fn required_secret(&self, name: &'static str) -> Result<&SecretString, KeyError> {
        self.secret(name).ok_or_else(|| KeyError { key: name, message: "is missing".to_owned() })
    }
}

/// Whether an HTTP header can carry a secret: with a control character in it no request is ever sent.
#[must_use]
pub fn fits_header(secret: &SecretString) -> bool {
    !secret.expose_secret().chars().any(char::is_control)
}

/// Whether `given` equals one of `secrets`, in a time that does not depend on where they differ.
#[must_use]
pub fn equals_any(given: &str, secrets: &[SecretString]) -> bool {
    secrets.iter().fold(false, |found, secret| {
        found | bool::from(given.as_bytes().ct_eq(secret.expose_secret().as_bytes()))
    })
}
