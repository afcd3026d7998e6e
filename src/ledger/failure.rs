//! Why nothing was shipped, in one line without secrets and without anything that a stranger chose.

use std::error::Error as _;
use std::{fmt, io};

use crate::domain::escape::escape_controls;

/// The longest message of the engine that is passed on, in characters.
const LONGEST: usize = 200;

/// Why a connection, a statement or a batch failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShipError {
    /// There is no connection, or it was lost.
    Lost(String),
    /// The engine answered nothing in time.
    Timeout,
    /// The engine answered with an error.
    Sql {
        /// Its SQL state.
        code: String,
        /// What it says.
        message: String,
    },
    /// The engine cannot be trusted, or trusts us no further.
    Refused(String),
    /// The ledger's schema has another version than this program's.
    NewerSchema {
        /// The version found.
        found: i64,
        /// The version known.
        known: i64,
    },
    /// The ledger's tables are not those of this version.
    WrongSchema(String),
    /// Another file has this node's name.
    OtherFile,
    /// A `serve` that started later writes this node.
    OtherWriter,
    /// The node's row is not as it was read: another writer, or another state of the ledger.
    NodeChanged,
    /// The store of this file failed.
    Store(String),
}

impl fmt::Display for ShipError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(why) | Self::Refused(why) | Self::Store(why) => f.write_str(why),
            Self::Timeout => f.write_str("the engine did not answer within 30 s"),
            Self::Sql { code, message } => {
                write!(f, "the engine answered {message} (SQL state {code}){}", remedy(code))
            }
            Self::NewerSchema { found, known } => write!(
                f,
                "the ledger's schema has version {found}, and this program knows {known}; upgrade countersign here"
            ),
            Self::WrongSchema(why) => {
                write!(f, "{why}; compare the schema with what countersign ledger schema prints")
            }
            Self::OtherFile => f.write_str(
                "another file is this node of the ledger; give this one another ledger.node, or replace what is there: \
                 countersign ledger take-over",
            ),
            Self::OtherWriter => f.write_str(
                "another serve with this file's id started later and writes this node; stop one of them, and restart or \
                 reload the other",
            ),
            Self::NodeChanged => f.write_str("the ledger's state changed meanwhile"),
        }
    }
}

/// What to do about an SQL state, after what it says.
fn remedy(code: &str) -> &'static str {
    match code {
        "25006" => "; name the primary in ledger.url",
        "28000" | "28P01" => "; correct ledger.url or ledger.password",
        "3D000" => "; create the database, or correct ledger.url",
        "42501" => "; grant the role what the first lines of countersign ledger schema name",
        "53100" => "; make room on its disk",
        "53300" => "; let it take more connections",
        _ => "",
    }
}

/// Whether a message of this SQL state speaks of the engine or of names alone. Others may repeat a value.
fn is_about_the_engine(code: &str) -> bool {
    ["08", "0A", "25", "28", "3D", "3F", "40", "42", "53", "54", "55", "57", "58"]
        .iter()
        .any(|class| code.starts_with(class))
}

impl From<tokio_postgres::Error> for ShipError {
    fn from(error: tokio_postgres::Error) -> Self {
        if let Some(answer) = error.as_db_error() {
            let code = answer.code().code().to_owned();
            let message = if is_about_the_engine(&code) {
                let short: String = answer.message().chars().take(LONGEST).collect();
                format!("\"{}\"", escape_controls(&short))
            } else {
                "an error".to_owned()
            };
            return Self::Sql { code, message };
        }
        let mut causes: Vec<String> = vec![error.to_string()];
        let mut cause = error.source();
        while let Some(inner) = cause {
            let text: String = inner.to_string().chars().take(LONGEST).collect();
            if causes.last().is_none_or(|last| !last.ends_with(&text)) {
                causes.push(escape_controls(&text).to_string());
            }
            cause = inner.source();
        }
        let words = causes.join(": ");
        let is_certificate = error
            .source()
            .and_then(|cause| cause.downcast_ref::<io::Error>())
            .and_then(io::Error::get_ref)
            .is_some_and(|cause| cause.downcast_ref::<rustls::Error>().is_some());
        if is_certificate {
            return Self::Refused(format!("{words}; check the engine's certificate and ledger.ca_file"));
        }
        if words.contains("does not support TLS") {
            return Self::Refused(
                "the engine speaks no TLS; let it, or reach it by a private address or a socket".to_owned(),
            );
        }
        if words.contains("password missing") {
            return Self::Refused("the engine asks for a password; set ledger.password".to_owned());
        }
        if causes[0].starts_with("authentication error") || causes[0].starts_with("invalid configuration") {
            return Self::Refused(format!("{words}; check ledger.url and ledger.password"));
        }
        Self::Lost(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_messages_that_repeat_no_value_are_passed_on() {
        for (code, is_passed) in [
            ("28P01", true),
            ("42501", true),
            ("53100", true),
            ("22P02", false),
            ("23505", false),
            ("P0001", false),
        ] {
            assert_eq!(is_about_the_engine(code), is_passed, "{code}");
        }
    }
}
