//! The configuration: one TOML file, with secrets also from files and the environment. It is accepted as a whole or
//! not at all. Every mistake is listed with its line.

use std::fs::File;
use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use secrecy::SecretString;

use crate::actions::Action;
use crate::domain::Rate;
use crate::domain::settlement::Policy;
use crate::providers::{KINDS, ProviderKind};

mod action;
mod alerts;
mod entry;
mod file;
mod ledger;
mod mail;
mod mistakes;
mod secret;
mod source;
mod tables;
mod values;

#[cfg(test)]
mod tests;

pub use alerts::Alerts;
pub use entry::{Entry, ShownValue, ValueOrigin};
pub use mistakes::{Mistake, Mistakes};
pub use secret::environment_name;
pub use source::Source;
pub use values::length_of_time;

/// The commented configuration that `init` writes: every key with its default, every source commented out.
pub const EXAMPLE: &str = include_str!("../../config/example.toml");

/// Maximum size of the file. No real configuration comes near it; a larger file is the wrong one.
const LONGEST_FILE: u64 = 16 * 1024 * 1024;

/// The settings in force.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The file they were read from.
    pub file: PathBuf,
    pub server: ServerSettings,
    pub store: StoreSettings,
    pub verify: VerifySettings,
    /// In the order of the file; at least one.
    pub sources: Vec<Source>,
    /// The access rules of the admin listener.
    pub admin: AdminSettings,
    /// In the order of the file.
    pub actions: Vec<Action>,
    /// The alerts and the heartbeat.
    pub alerts: Alerts,
    /// The ledger; `None` if there is none.
    pub ledger: Option<crate::ledger::LedgerSettings>,
    /// Each setting with its origin, without secrets.
    pub entries: Vec<Entry>,
}

/// The `[server]` table: listeners, proxies and limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSettings {
    /// The address of the intake listener.
    pub listen: SocketAddr,
    /// The address of the admin listener.
    pub admin_listen: SocketAddr,
    /// Maximum body size, in bytes.
    pub max_body: usize,
    /// The peers whose X-Forwarded-For counts.
    pub trusted_proxies: Vec<IpNet>,
    /// Maximum rate per sender address; `None` means no limit.
    pub per_address_limit: Option<Rate>,
    /// Maximum time that a stop may take.
    pub drain: Duration,
}

/// The `[store]` table: the file, its disk and the retention rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreSettings {
    /// The SQLite file. A relative path starts at the configuration's folder.
    pub path: PathBuf,
    /// If fewer bytes than this are free on the disk, intake refuses.
    pub min_free: u64,
    /// Settled rows older than this are removed; `None` means never.
    pub keep: Option<Duration>,
    /// Settled rows older than this lose their personal data; `None` means never.
    pub keep_personal: Option<Duration>,
    /// Maximum number of rows from unproven senders.
    pub max_unproven: u64,
}

/// The `[verify]` table: limits of API calls and of patience.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifySettings {
    /// Maximum number of concurrent API calls, over all sources.
    pub concurrency: usize,
    /// Timeout of one call.
    pub timeout: Duration,
    /// The times and limits that the rules use.
    pub policy: Policy,
}

/// The `[admin]` table: who may see and change what.
#[derive(Clone, Debug)]
pub struct AdminSettings {
    /// Whether the page for people is served.
    pub page: bool,
    /// The page's password; `None`: open on loopback.
    pub password: Option<SecretString>,
    /// Host names of the listener, in lower case, besides localhost and IP addresses.
    pub hosts: Vec<String>,
    /// Whether the page can change nothing.
    pub read_only: bool,
}

impl Settings {
    /// Reads the file at `path`; `environment` reads a variable.
    ///
    /// # Errors
    /// All mistakes in the file.
    pub fn load(path: &Path, environment: impl Fn(&str) -> Option<String>) -> Result<Self, Mistakes> {
        Self::load_with(KINDS, path, &environment)
    }

    fn load_with(
        kinds: &[&'static ProviderKind],
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
                "no such file; name another (--config FILE), or write one with: countersign init {}",
                path.display()
            )
        } else {
            format!(
                "cannot be read: {error}; name a file that this user can read (--config FILE), or run the \
                    command as the service's user: sudo -u countersign countersign …"
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
        about(Some(line), "contains bytes that are not UTF-8; save the file as UTF-8 text".to_owned())
    })
}
