//! The front door: a configuration in a folder of its own, simulated shops, the real binary, requests over real HTTP, and
//! the store read as an owner reads it.

pub(crate) mod browser;
pub(crate) mod disk;
pub(crate) mod formats;
mod http;
pub(crate) mod load;
pub(crate) mod postgres;
pub(crate) mod raw_shop;
mod serve;
mod shop;
pub(crate) mod smtp;
mod store;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use countersign::simulator::{Simulator, SimulatorOptions};

pub(crate) use http::{Request, Response};
pub(crate) use serve::{Serve, countersign};
pub(crate) use shop::{ion, paid};
pub(crate) use store::{Row, bodies, create_or_open};

/// A folder with a configuration, and the simulated shops that it points to.
pub(crate) struct TestEnv {
    folder: tempfile::TempDir,
    pub(crate) simulator: Simulator,
    sections: String,
    verify: String,
    store: String,
    server: String,
}

/// `[verify]` for tests: retries come soon.
const QUICK: &str = r#"
timeout = "20s"
grace = "0s"
retry_base = "20ms"
retry_cap = "100ms"
denied_pause = "300ms"
"#;

impl TestEnv {
    /// An environment without any source yet.
    pub(crate) fn new() -> Self {
        let simulator = Simulator::start(SimulatorOptions::default()).expect("simulated shops start");
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            simulator,
            sections: String::new(),
            verify: QUICK.to_owned(),
            store: "min_free = \"1MiB\"\n".to_owned(),
            server: String::new(),
        }
    }

    /// Adds `[sources.NAME]` with these lines.
    pub(crate) fn source(mut self, name: &str, lines: &str) -> Self {
        writeln!(self.sections, "[sources.{name}]\n{lines}").expect("text");
        self
    }

    /// Removes every source from the configuration.
    pub(crate) fn without_sources(self) -> Self {
        Self { sections: String::new(), ..self }
    }

    /// Adds `[actions.NAME]` with these lines.
    pub(crate) fn action(mut self, name: &str, lines: &str) -> Self {
        writeln!(self.sections, "[actions.{name}]\n{lines}").expect("text");
        self
    }

    /// Removes `[actions.NAME]`.
    pub(crate) fn without_action(mut self, name: &str) -> Self {
        let start = self.sections.find(&format!("[actions.{name}]")).expect("the action");
        let end = self.sections[start + 1..].find("\n[").map_or(self.sections.len(), |end| start + 2 + end);
        self.sections.replace_range(start..end, "");
        self
    }

    /// Adds another section with these lines.
    pub(crate) fn section(mut self, name: &str, lines: &str) -> Self {
        writeln!(self.sections, "[{name}]\n{lines}").expect("text");
        self
    }

    /// Adds `[ledger]` with these lines.
    pub(crate) fn ledger(self, lines: &str) -> Self {
        self.section("ledger", lines)
    }

    /// Removes `[ledger]`, which must have been added last.
    pub(crate) fn without_ledger(mut self) -> Self {
        let start = self.sections.find("[ledger]").expect("the ledger");
        self.sections.truncate(start);
        self
    }

    /// Adds `[admin]` with these lines.
    pub(crate) fn admin(mut self, lines: &str) -> Self {
        writeln!(self.sections, "[admin]\n{lines}").expect("text");
        self
    }

    /// Waits until a value of the store is the wanted one.
    #[track_caller]
    pub(crate) fn wait_for_value(&self, sql: &str, wanted: &str) {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        loop {
            let found = self.value(sql).unwrap_or_default();
            if found == wanted {
                return;
            }
            assert!(
                std::time::Instant::now() < deadline,
                "waited in vain for {wanted:?}, not {found:?}: {sql}"
            );
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    /// Replaces keys of `[verify]`, a line each.
    pub(crate) fn verify(mut self, lines: &str) -> Self {
        self.verify = replace_keys(&self.verify, lines);
        self
    }

    /// Replaces keys of `[store]`.
    pub(crate) fn store_keys(mut self, lines: &str) -> Self {
        self.store = replace_keys(&self.store, lines);
        self
    }

    /// Replaces keys of `[server]`.
    pub(crate) fn server_keys(mut self, lines: &str) -> Self {
        self.server = replace_keys(&self.server, lines);
        self
    }

    /// The folder with the configuration and the store.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The SQLite file.
    pub(crate) fn store_path(&self) -> PathBuf {
        self.folder().join("countersign.db")
    }

    /// Writes the configuration; returns its path.
    pub(crate) fn write_config(&self) -> PathBuf {
        let path = self.folder().join("countersign.toml");
        let Self { server, store, verify, sections, .. } = self;
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n{server}\n\
             [store]\npath = \"countersign.db\"\n{store}\n[verify]\n{verify}\n{sections}"
        );
        std::fs::write(&path, text).expect("the configuration is written");
        path
    }

    /// Starts `countersign serve` and waits until it listens.
    pub(crate) fn serve(&self) -> Serve {
        self.serve_with(&[])
    }

    /// Starts `countersign serve` with further arguments.
    pub(crate) fn serve_with(&self, arguments: &[&str]) -> Serve {
        Serve::start(&self.write_config(), arguments)
    }

    /// Starts `countersign serve` with these variables in its environment.
    pub(crate) fn serve_with_environment(&self, variables: &[(&str, &str)]) -> Serve {
        Serve::start_with(&self.write_config(), |command| {
            command.envs(variables.iter().copied());
        })
    }

    /// Starts `countersign serve` on this disk.
    pub(crate) fn serve_on(&self, disk: &disk::Disk) -> Serve {
        Serve::start_with(&self.write_config(), |command| disk.under(command))
    }

    /// The row of one notification.
    pub(crate) fn row(&self, id: i64) -> Row {
        store::row(&self.store_path(), id)
    }

    /// Every row, oldest first.
    pub(crate) fn rows(&self) -> Vec<Row> {
        store::rows(&self.store_path())
    }

    /// The bytes of a notification's body.
    pub(crate) fn body(&self, id: i64) -> Vec<u8> {
        store::body(&self.store_path(), id)
    }

    /// The bodies of all notifications, oldest first.
    pub(crate) fn bodies(&self) -> Vec<String> {
        bodies(&self.store_path())
    }

    /// One value of the store, as text.
    pub(crate) fn value(&self, sql: &str) -> Option<String> {
        store::value(&self.store_path(), sql)
    }

    /// Runs a command of the binary on this configuration to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> std::process::Output {
        let config = self.write_config();
        countersign().arg("--config").arg(config).args(arguments).output().expect("the binary runs")
    }
}

/// `lines`, and those of `old` whose keys `lines` does not set.
fn replace_keys(old: &str, lines: &str) -> String {
    let key = |line: &str| line.split('=').next().unwrap_or("").trim().to_owned();
    let new: Vec<String> = lines.lines().map(key).collect();
    let kept = old.lines().filter(|line| !new.contains(&key(line)));
    kept.chain(lines.lines()).map(|line| format!("{line}\n")).collect()
}

/// Asserts the state and the reason of a row; on failure it shows the whole row.
#[track_caller]
pub(crate) fn assert_verdict(row: &Row, state: &str, reason: &str) {
    assert_eq!((row.state.as_str(), row.reason.as_deref()), (state, Some(reason)), "{row:#?}");
}
