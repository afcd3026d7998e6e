//! Why nothing was shipped: one line without secrets and without anything that a stranger chose.

use std::error::Error as _;
use std::{fmt, io};

use crate::domain::escape::escape_controls;

/// Maximum length of a quoted server message, in characters.
const LONGEST: usize = 200;

/// Why a connection, a statement or a batch failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShipError {
    /// There is no connection, or it was lost.
    Lost(String),
    /// PostgreSQL did not answer in time.
    Timeout,
    /// PostgreSQL answered with an error.
    Sql {
        /// The SQL state, five characters.
        code: String,
        message: String,
    },
    /// The server's certificate is not trusted, or the server refuses the credentials.
    Refused(String),
    /// The ledger's schema has another version than this program's.
    NewerSchema {
        /// The version of the ledger.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The ledger's tables differ from those of this version.
    WrongSchema(String),
    /// Another file has this node's name.
    OtherFile,
    /// A `serve` that started later writes this node.
    OtherWriter,
    /// The node's row changed since it was read: there is another writer, or the ledger was restored.
    NodeChanged,
    /// The store of this file failed.
    Store(String),
}

impl fmt::Display for ShipError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(why) | Self::Refused(why) | Self::Store(why) => f.write_str(why),
            Self::Timeout => f.write_str("the database did not answer within 30 s"),
            Self::Sql { code, message } => {
                write!(f, "the database answered {message} (SQL state {code}){}", remedy(code))
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

/// The remedy for an SQL state, appended to the message.
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

/// Whether a message of this SQL state mentions only the server or names. Others may repeat a value.
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
            return Self::Refused(format!("{words}; check the server's certificate and ledger.ca_file"));
        }
        if words.contains("does not support TLS") {
            return Self::Refused(
                "the server does not support TLS; enable it, or connect by a private address or a socket"
                    .to_owned(),
            );
        }
        if words.contains("password missing") {
            return Self::Refused("the server asks for a password; set ledger.password".to_owned());
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
