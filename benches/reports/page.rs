//! How long each view of the page takes: the real `serve`, asked over HTTP, from the request to the last byte.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::looks::{configuration, median};

/// The views, by their addresses. What is rare is there three times in every store; `198.18.1.1` sends fakes.
pub(crate) const VIEWS: [&str; 29] = [
    "/",
    "/notifications",
    "/notifications?state=pending",
    "/notifications?state=ignored",
    "/notifications?reason=dismissed",
    "/notifications?source=old",
    "/notifications?source=game&state=confirmed&from=24h",
    "/notifications?from=30d&to=29d",
    "/notifications?subject=SALE-77-1",
    "/notifications?sender=198.18.1.1",
    "/notifications?sender=192.0.2.1&state=ignored",
    "/notifications/retry?state=ignored",
    "/notifications/retry?state=ignored&sender=198.18.1.1",
    "/notifications/1234",
    "/order?source=shop&id=SALE-77-1",
    "/find?id=SALE-77-1",
    "/fakes",
    "/deliveries",
    "/deliveries?action=erp&state=dead",
    "/deliveries?state=dead",
    "/deliveries?action=ship&from=24h",
    "/deliveries?subject=SALE-80-0",
    "/deliveries/redeliver?action=erp&state=dead",
    "/report",
    "/report?from=7d",
    "/report?from=30d",
    "/report?from=2000-01-01",
    "/settings",
    "/page.css",
];

/// Each is timed so often after a first time, which reads what the others need into memory.
const TIMES: usize = 20;

/// A running `serve` on a store; ended when dropped.
pub(crate) struct Page {
    child: Child,
    admin: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Page {
    /// Starts it. Nothing is asked about or delivered: the store stays as it is.
    pub(crate) fn on(store: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("countersign.toml");
        std::fs::write(&config, configuration(store)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command.env_remove("RUST_LOG").env_remove("JOURNAL_STREAM").arg("--config").arg(config);
        command.args(["serve", "--no-worker"]).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut before = String::new();
        let admin = loop {
            let Some(Ok(line)) = log.next() else { panic!("serve did not start: {before}") };
            if let Some((_, after)) = line.split_once("admin=http://") {
                break after.split_whitespace().next().unwrap().parse().unwrap();
            }
            before += &line;
        };
        std::thread::spawn(move || log.for_each(drop));
        Self { child, admin, _folder: folder }
    }

    /// The median time of a view.
    pub(crate) fn view(&self, path: &str) -> Duration {
        self.get(path);
        median((0..TIMES).map(|_| self.get(path)).collect())
    }

    fn get(&self, path: &str) -> Duration {
        let begun = Instant::now();
        let mut stream = TcpStream::connect(self.admin).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.admin).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let took = begun.elapsed();
        // 303: a search leads to what it found.
        let status = answer.get(9..12).unwrap_or_default();
        assert!(matches!(status, b"200" | b"303"), "{path}: {}", String::from_utf8_lossy(&answer));
        took
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        drop(Command::new("kill").arg(self.child.id().to_string()).status());
        drop(self.child.wait());
    }
}
