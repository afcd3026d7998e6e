//! The settings in force and where each value came from, without secrets: the output of `config show`.

use std::fmt;
use std::path::PathBuf;

use serde_json::Value as Json;
use toml_edit::{Item, Value};

/// A setting in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key's full name, like `sources.shop.token`.
    pub key: String,
    pub value: ShownValue,
    pub origin: ValueOrigin,
}

/// A value that is safe to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShownValue {
    /// A text, a number, a flag, or a list.
    Value(Json),
    /// A secret, without any part of it, not even its length.
    Secret,
    /// No value; the setting is off.
    Off,
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueOrigin {
    File {
        /// The line in the file, from 1.
        line: Option<usize>,
    },
    /// A file that the configuration names.
    SecretFile {
        path: PathBuf,
        /// The line that names it, from 1.
        line: Option<usize>,
    },
    Environment(String),
    /// A systemd credential, by the path of its file.
    Credential(PathBuf),
    /// The default; the key is not set.
    Default,
}

impl ValueOrigin {
    /// The name of the kind of origin.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::File { .. } => "file",
            Self::SecretFile { .. } => "secret_file",
            Self::Environment(_) => "environment",
            Self::Credential(_) => "credential",
            Self::Default => "default",
        }
    }
}

impl ShownValue {
    /// A value from the file.
    pub(super) fn item(item: &Item) -> Self {
        item.as_value().map_or(Self::Off, |value| Self::Value(plain(value)))
    }

    /// A default, as TOML writes it.
    pub(super) fn default(text: &str) -> Self {
        let value = text.parse::<Value>();
        Self::Value(value.map_or_else(|_| Json::from(text), |value| plain(&value)))
    }
}

impl fmt::Display for ShownValue {
    /// Written as TOML. The placeholder of a secret always has the same length.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => write!(f, "{value}"),
            Self::Secret => f.write_str("********"),
            Self::Off => f.write_str("(off)"),
        }
    }
}

/// A value without the comments around and inside it, because a comment may hold a secret. Settings are texts, whole
/// numbers, flags, and lists of these.
fn plain(value: &Value) -> Json {
    match value {
        Value::String(text) => Json::from(text.value().as_str()),
        Value::Integer(number) => Json::from(*number.value()),
        Value::Boolean(flag) => Json::from(*flag.value()),
        Value::Array(list) => list.iter().map(plain).collect(),
        Value::Float(_) | Value::Datetime(_) | Value::InlineTable(_) => Json::Null,
    }
}
