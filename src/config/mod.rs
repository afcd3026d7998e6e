//! The configuration: one TOML file, with secrets also from files and the environment. It is right as a whole or not at
//! all: every mistake is listed, with its line.

use std::fs::File;
use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use secrecy::SecretString;

use crate::actions::Action;
use crate::domain::Rate;
use crate::domain::ledger::Policy;
use crate::providers::{KINDS, Kind};

mod action;
mod entry;
mod file;
mod mistakes;
mod secret;
mod source;
mod tables;
mod values;

#[cfg(test)]
mod tests;

pub use entry::{Entry, Origin, Shown};
pub use mistakes::{Mistake, Mistakes};
pub use secret::environment_name;
pub use source::Source;
pub use values::length_of_time;

/// The commented configuration that `init` writes: every key with its default, every source commented out.
pub const EXAMPLE: &str = include_str!("../../config/example.toml");

/// No configuration comes near this; a larger file is the wrong one.
const LONGEST_FILE: u64 = 16 * 1024 * 1024;

/// All settings that are in force.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The file that they were read from.
    pub file: PathBuf,
    /// The listeners.
    pub server: Server,
    /// The store and what it keeps.
    pub store: Store,
    /// How the shops are asked.
    pub verify: Verify,
    /// The configured accounts, in the order of the file; one at least.
    pub sources: Vec<Source>,
    /// Who may use the admin listener.
    pub admin: Admin,
    /// What is told of news, in the order of the file.
    pub actions: Vec<Action>,
    /// Each setting and where it came from, without secrets.
    pub entries: Vec<Entry>,
}

/// The `[server]` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Where notifications come in.
    pub listen: SocketAddr,
    /// Where health and metrics are served.
    pub admin_listen: SocketAddr,
    /// The longest body, in bytes.
    pub max_body: usize,
    /// Whose X-Forwarded-For is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The most requests of one sender's address; `None`: any number.
    pub per_address_limit: Option<Rate>,
    /// How long a stop may take.
    pub drain: Duration,
}

/// The `[store]` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    /// The SQLite file; relative paths are resolved against the configuration's folder.
    pub path: PathBuf,
    /// With less free disk, in bytes, intake refuses.
    pub min_free: u64,
    /// Settled rows older than this go; `None`: never.
    pub keep: Option<Duration>,
    /// Settled rows older than this lose whatever is about a person; `None`: never.
    pub keep_personal: Option<Duration>,
    /// The most rows of senders without any confirmation.
    pub max_unproven: u64,
}

/// The `[verify]` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verify {
    /// API calls under way at once, of all sources.
    pub concurrency: usize,
    /// The longest that one call may take.
    pub timeout: Duration,
    /// What judging needs to know.
    pub policy: Policy,
}

/// The `[admin]` table.
#[derive(Clone, Debug)]
pub struct Admin {
    /// Whether the page for people is served.
    pub page: bool,
    /// What a person has to know; `None`: nothing, on loopback.
    pub password: Option<SecretString>,
    /// Names under which the listener may be called, in lower case, besides localhost and addresses.
    pub hosts: Vec<String>,
    /// Whether nothing can be changed there.
    pub read_only: bool,
}

impl Settings {
    /// Reads the file at `path`; `environment` reads a variable.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn load(path: &Path, environment: impl Fn(&str) -> Option<String>) -> Result<Self, Mistakes> {
        Self::load_with(KINDS, path, &environment)
    }

    fn load_with(
        kinds: &[&'static Kind],
        path: &Path,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Mistakes> {
        let text = read_text(path).map_err(|mistake| Mistakes::new(path, vec![mistake]))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut outside = secret::Outside::new(folder, environment);
        let mut notes = file::Notes::default();
        let settings = file::parse(&text, &mut notes.mistakes)
            .and_then(|document| tables::read(&document, path, kinds, &mut outside, &mut notes));
        match settings {
            Some(settings) if notes.mistakes.is_empty() => Ok(Self { entries: notes.entries, ..settings }),
            _ => Err(Mistakes::new(path, notes.mistakes)),
        }
    }
}

fn read_text(path: &Path) -> Result<String, Mistake> {
    let about = |line, message| Mistake { line, key: String::new(), message };
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(LONGEST_FILE + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|error| {
        let message = if error.kind() == io::ErrorKind::NotFound {
            format!(
                "there is no such file; name another (--config FILE), or write one with: countersign init {}",
                path.display()
            )
        } else {
            format!(
                "cannot be read: {error}; name a file that this user may read (--config FILE), or run the command as \
                 the user of the service: sudo -u countersign countersign …"
            )
        };
        about(None, message)
    })?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LONGEST_FILE {
        return Err(about(None, "is over 16 MiB; name a configuration file (--config FILE)".to_owned()));
    }
    String::from_utf8(bytes).map_err(|error| {
        let (valid, _) = error.as_bytes().split_at(error.utf8_error().valid_up_to());
        let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
        about(Some(line), "holds bytes that are not UTF-8; save the file as UTF-8 text".to_owned())
    })
}
