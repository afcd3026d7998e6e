//! The real `countersign serve`, watched by its log: a test waits for a line, never for a time.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use super::{Request, Response};

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// The only authority that the binary trusts: reading all those of the system takes longer than the rest of a start.
const AUTHORITY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/authority.pem");

/// The binary, without the caller's variables that could change what it does.
pub(crate) fn countersign() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.env("SSL_CERT_FILE", AUTHORITY).env_remove("SSL_CERT_DIR");
    command.env_remove("COUNTERSIGN_CONFIG").env_remove("RUST_LOG").env_remove("JOURNAL_STREAM");
    command
}

/// A running `serve`; killed when dropped.
pub(crate) struct Serve {
    child: Child,
    lines: Arc<Lines>,
    pub(crate) intake: SocketAddr,
    pub(crate) admin: SocketAddr,
}

#[derive(Default)]
struct Lines {
    seen: Mutex<(Vec<String>, bool)>,
    changed: Condvar,
}

impl Serve {
    /// Starts it and waits until it says where it listens.
    pub(crate) fn start(config: &Path, arguments: &[&str]) -> Self {
        let mut command = countersign();
        command.arg("--config").arg(config).arg("serve").args(arguments);
        command.env("RUST_LOG", "info,countersign=debug");
        Self::spawn(command)
    }

    /// Starts it after `prepare` changed the command.
    pub(crate) fn start_with(config: &Path, prepare: impl FnOnce(&mut Command)) -> Self {
        let mut command = countersign();
        command.arg("--config").arg(config).arg("serve").env("RUST_LOG", "info,countersign=debug");
        prepare(&mut command);
        Self::spawn(command)
    }

    /// Starts this command and waits until it says where it listens.
    pub(crate) fn spawn(mut command: Command) -> Self {
        command.stdout(Stdio::null());
        Self::spawn_as_it_is(command)
    }

    /// Like [`Serve::spawn`], for a command whose standard output is used.
    pub(crate) fn spawn_as_it_is(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("serve starts");
        let stderr = child.stderr.take().expect("its log");
        let lines = Arc::new(Lines::default());
        let writer = Arc::clone(&lines);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                writer.seen.lock().expect("lines").0.push(line);
                writer.changed.notify_all();
            }
            writer.seen.lock().expect("lines").1 = true;
            writer.changed.notify_all();
        });
        let ready = wait_for(&lines, "it listens", |line| {
            line.contains("listening intake=").then(|| line.to_owned())
        });
        let addr = |key: &str| -> SocketAddr {
            let after = ready.split(key).nth(1).expect("an address in the line").split_whitespace().next();
            after.expect("an address").parse().expect("an address")
        };
        let (intake, admin) = (addr("intake=http://"), addr("admin=http://"));
        Self { child, lines, intake, admin }
    }

    /// Sends a request to the intake.
    pub(crate) fn send(&self, request: &Request) -> Response {
        request.send(self.intake)
    }

    /// Posts a body to a source's intake URL.
    pub(crate) fn post(&self, source: &str, body: impl Into<Vec<u8>>) -> Response {
        self.send(&Request::post(&format!("/hooks/{source}")).body(body))
    }

    /// Gets a page of the admin listener.
    pub(crate) fn admin_page(&self, path: &str) -> Response {
        Request::new("GET", path).send(self.admin)
    }

    /// Waits until a notification is settled.
    pub(crate) fn settled(&self, id: i64) {
        let start = format!("notification={id} ");
        self.wait_for_line(&format!("notification {id} is settled"), |line| {
            line.contains(&start) && line.contains(" verdict=")
        });
    }

    /// Waits until a notification is settled, or until the process is dead: then `false`.
    pub(crate) fn is_settled_or_dead(&self, id: i64) -> bool {
        let start = format!("notification={id} ");
        let found = look_for(&self.lines, |line| {
            (line.contains(&start) && line.contains(" verdict=")).then(String::new)
        });
        found.is_ok()
    }

    /// Waits until a call about a notification left it pending for `reason`.
    pub(crate) fn pending(&self, id: i64, reason: &str) {
        let (start, end) = (format!("notification={id} "), format!("pending={reason}"));
        self.wait_for_line(&format!("notification {id} waits for {reason}"), |line| {
            line.contains(&start) && line.contains(&end)
        });
    }

    /// Waits for a line of the log.
    #[track_caller]
    pub(crate) fn wait_for_line(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        wait_for(&self.lines, what, |line| wanted(line).then(|| line.to_owned()))
    }

    /// Waits until the log, from its beginning, has `count` lines that `wanted` accepts.
    #[track_caller]
    pub(crate) fn wait_for_lines(&self, what: &str, mut count: usize, wanted: impl Fn(&str) -> bool) {
        wait_for(&self.lines, what, |line| {
            count -= usize::from(wanted(line));
            (count == 0).then(String::new)
        });
    }

    /// The log so far.
    pub(crate) fn log(&self) -> String {
        self.lines.seen.lock().expect("lines").0.join("\n")
    }

    /// Ends it as a crash would.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("kill");
        self.child.wait().expect("wait");
    }

    /// Sends a signal (`TERM`, `INT`, `HUP`, `STOP`, `CONT`).
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(status.expect("kill runs").success());
    }

    /// Asks it to stop and waits for its end.
    pub(crate) fn stop(self) -> ExitStatus {
        self.signal("TERM");
        self.end()
    }

    /// Waits for its end, which it does not cause.
    pub(crate) fn end(mut self) -> ExitStatus {
        self.child.wait().expect("wait")
    }

    /// The most memory that it has held so far, in MiB.
    pub(crate) fn most_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("its status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its memory");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
    }

    /// The processor time that it has used so far, in hundredths of a second.
    pub(crate) fn processor_ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).expect("its state");
        // The name, which may hold anything, ends with the last parenthesis; user and system time are two of what follows.
        let (_, fields) = stat.rsplit_once(')').expect("its name");
        let times = fields.split_whitespace().skip(11).take(2);
        times.map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
    }

    /// The number of its open files and connections.
    pub(crate) fn open_files(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.pid())).expect("its files").count()
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        // Usually it has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[track_caller]
fn wait_for(lines: &Lines, what: &str, wanted: impl FnMut(&str) -> Option<String>) -> String {
    look_for(lines, wanted).unwrap_or_else(|log| panic!("waited in vain until {what}; the log:\n{log}"))
}

/// What `wanted` returns for the first line that it accepts; the whole log if none comes in time.
fn look_for(lines: &Lines, mut wanted: impl FnMut(&str) -> Option<String>) -> Result<String, String> {
    let deadline = std::time::Instant::now() + PATIENCE;
    let mut seen = lines.seen.lock().expect("lines");
    let mut next = 0;
    loop {
        for line in &seen.0[next..] {
            if let Some(found) = wanted(line) {
                return Ok(found);
            }
        }
        next = seen.0.len();
        let left = deadline.saturating_duration_since(std::time::Instant::now());
        if seen.1 || left.is_zero() {
            return Err(seen.0.join("\n"));
        }
        seen = lines.changed.wait_timeout(seen, left).expect("lines").0;
    }
}
