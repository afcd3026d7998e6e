//! Where to find the configuration if `--config` is not given.

use std::path::{Path, PathBuf};

/// The file in the current folder that `init` writes and every command reads first.
const HERE: &str = "countersign.toml";

/// The file that the package installs.
const INSTALLED: &str = "/etc/countersign/countersign.toml";

/// The configuration of a command: the named file, otherwise the one in this folder, otherwise the installed one.
pub(super) fn of_a_command(named: Option<PathBuf>) -> PathBuf {
    let is_installed = || Path::new(INSTALLED).exists();
    named.unwrap_or_else(|| match Path::new(HERE).exists() {
        false if is_installed() => PathBuf::from(INSTALLED),
        _ => PathBuf::from(HERE),
    })
}

/// The configuration that `init` writes: the named file, otherwise one in this folder.
pub(super) fn of_init(named: Option<PathBuf>) -> PathBuf {
    named.unwrap_or_else(|| PathBuf::from(HERE))
}
