//! Where the configuration is when nobody says so.

use std::path::{Path, PathBuf};

/// What `init` writes and every command looks for first: in the folder where one stands.
const HERE: &str = "countersign.toml";

/// What the package installs.
const INSTALLED: &str = "/etc/countersign/countersign.toml";

/// The configuration of a command: the one that was named, else the one in this folder, else the installed one.
pub(super) fn of_a_command(named: Option<PathBuf>) -> PathBuf {
    let is_installed = || Path::new(INSTALLED).exists();
    named.unwrap_or_else(|| match Path::new(HERE).exists() {
        false if is_installed() => PathBuf::from(INSTALLED),
        _ => PathBuf::from(HERE),
    })
}

/// The configuration that `init` writes: the one that was named, else one in this folder.
pub(super) fn of_init(named: Option<PathBuf>) -> PathBuf {
    named.unwrap_or_else(|| PathBuf::from(HERE))
}
