//! The real binary, with its log read as it comes.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// No line is waited for longer.
const PATIENCE: Duration = Duration::from_secs(100);

/// A running `serve`; killed when dropped.
pub(crate) struct Served {
    child: Child,
    pub(crate) intake: SocketAddr,
    lines: Receiver<String>,
}

impl Served {
    /// Starts it on `bench.db` in this folder, with these tables of its configuration.
    pub(crate) fn start(folder: &Path, tables: &str, arguments: &[&str]) -> Self {
        let config = folder.join("bench.toml");
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n\
             [store]\npath = \"bench.db\"\nmin_free = \"1MiB\"\n{tables}"
        );
        std::fs::write(&config, text).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .arg("--config")
            .arg(config)
            .arg("serve")
            .args(arguments)
            .env("RUST_LOG", "info,countersign=debug")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || log.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut served = Self { child, intake: SocketAddr::from(([127, 0, 0, 1], 0)), lines };
        let (_, line) = served.line(|line| line.contains("listening intake="));
        let addr = line.split("intake=http://").nth(1).unwrap().split_whitespace().next().unwrap();
        served.intake = addr.parse().unwrap();
        served
    }

    /// Waits for a line of the log; when it came, and the line.
    pub(crate) fn line(&self, wanted: impl Fn(&str) -> bool) -> (Instant, String) {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).expect("a line of the log in time");
            if wanted(&line) {
                return (Instant::now(), line);
            }
        }
    }

    /// Memory in MiB: the most that it has held so far (`VmHWM`), or what it holds (`VmRSS`).
    pub(crate) fn memory(&self, which: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(&format!("{which}:"))).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
