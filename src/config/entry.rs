//! Every setting in force, and where its value came from, without any secret: what `config show` prints.

use std::fmt;
use std::path::PathBuf;

use serde_json::Value as Json;
use toml_edit::{Item, Value};

/// One setting in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place, as `sources.shop.token`.
    pub key: String,
    /// Its value.
    pub value: Shown,
    /// Where that came from.
    pub origin: Origin,
}

/// A value as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// A text, a number, a flag, or a list.
    Value(Json),
    /// A secret; nothing of it is known here, not even its length.
    Secret,
    /// There is none; the setting is off.
    Off,
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The configuration file.
    File {
        /// The line, from 1.
        line: Option<usize>,
    },
    /// A file that the configuration names.
    SecretFile {
        /// The file.
        path: PathBuf,
        /// The line that names it, from 1.
        line: Option<usize>,
    },
    /// This environment variable.
    Environment(String),
    /// A credential of the service manager's: the file that holds it.
    Credential(PathBuf),
    /// Nobody set it.
    Default,
}

impl Origin {
    /// The word for its kind.
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

impl Shown {
    /// A value of the file.
    pub(super) fn item(item: &Item) -> Self {
        item.as_value().map_or(Self::Off, |value| Self::Value(plain(value)))
    }

    /// A default, as TOML writes it.
    pub(super) fn default(text: &str) -> Self {
        let value = text.parse::<Value>();
        Self::Value(value.map_or_else(|_| Json::from(text), |value| plain(&value)))
    }
}

impl fmt::Display for Shown {
    /// As TOML could write it. What stands for a secret has the same length for any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => write!(f, "{value}"),
            Self::Secret => f.write_str("********"),
            Self::Off => f.write_str("(off)"),
        }
    }
}

/// A value without the comments around and within it: a secret may stand in one. Settings are texts, whole numbers,
/// flags, and lists of these.
fn plain(value: &Value) -> Json {
    match value {
        Value::String(text) => Json::from(text.value().as_str()),
        Value::Integer(number) => Json::from(*number.value()),
        Value::Boolean(flag) => Json::from(*flag.value()),
        Value::Array(list) => list.iter().map(plain).collect(),
        Value::Float(_) | Value::Datetime(_) | Value::InlineTable(_) => Json::Null,
    }
}
