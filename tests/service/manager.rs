//! What the service manager hears.

use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

use super::{edit, serve_command};
use crate::support::five::{self, SHOP};
use crate::support::{House, Serve};

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// The socket that a service manager would listen on.
struct Manager {
    socket: UnixDatagram,
    folder: tempfile::TempDir,
}

impl Manager {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        Self { socket, folder }
    }

    /// `serve` that talks to this manager.
    fn command(&self, house: &House) -> Command {
        let mut command = serve_command(&house.write_config());
        command.env("NOTIFY_SOCKET", self.folder.path().join("notify"));
        command
    }

    /// The next message within `time`, if one comes.
    fn within(&self, time: Duration) -> Option<String> {
        self.socket.set_read_timeout(Some(time)).unwrap();
        let mut message = [0; 4096];
        match self.socket.recv(&mut message) {
            Ok(length) => Some(String::from_utf8(message[..length].to_vec()).unwrap()),
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
                None
            }
        }
    }

    /// Waits for a message with this line.
    #[track_caller]
    fn hears(&self, line: &str) -> String {
        loop {
            let message = self.within(PATIENCE).unwrap_or_else(|| panic!("waited in vain for {line}"));
            if message.lines().any(|said| said == line) {
                return message;
            }
        }
    }

    /// Everything that was said until now.
    fn heard(&self) -> String {
        std::iter::from_fn(|| self.within(Duration::from_millis(1))).collect()
    }
}

#[test]
fn the_manager_hears_of_the_start_a_reload_a_failed_one_and_the_stop() {
    let (house, manager) = (five::house(), Manager::new());
    let serve = Serve::spawn(manager.command(&house));
    let ready = manager.hears("READY=1");
    assert!(ready.contains("STATUS=takes and verifies notifications of 5 sources\n"), "{ready}");
    assert_eq!(
        (serve.post("shop", SHOP.truth(1207)).status, serve.admin_page("/healthz").status),
        (200, 200)
    );
    serve.signal("HUP");
    let reloading = manager.hears("RELOADING=1");
    let at = reloading.lines().find_map(|line| line.strip_prefix("MONOTONIC_USEC="));
    assert!(at.is_some_and(|at| at.parse::<u64>().unwrap() > 0), "{reloading}");
    assert!(!manager.hears("READY=1").contains("mistakes"));
    edit(&house, "[verify]", "[verify]\nwhat = 1");
    serve.signal("HUP");
    manager.hears("RELOADING=1");
    let kept = manager.hears("READY=1");
    assert!(kept.contains("STATUS=works under the old configuration"), "{kept}");
    serve.signal("TERM");
    manager.hears("STOPPING=1");
    assert_eq!(serve.stop().code(), Some(0));
    assert!(!manager.heard().contains("READY=1"));
}

#[test]
fn a_serve_that_cannot_start_is_never_ready() {
    let (house, manager) = (five::house(), Manager::new());
    let _holder = house.serve();
    let output = manager.command(&house).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let heard = manager.heard();
    assert!(heard.contains("STATUS=opens the store") && !heard.contains("READY=1"), "{heard}");
}

/// `serve` under a watchdog; the shell becomes the binary, so that `$$` is its process.
fn watched(manager: &Manager, house: &House, limit: Duration, pid: &str) -> Serve {
    let serve = manager.command(house);
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("export WATCHDOG_PID={pid}; exec \"$0\" \"$@\""));
    command.arg(serve.get_program()).args(serve.get_args());
    for (name, value) in serve.get_envs().filter_map(|(name, value)| Some((name, value?))) {
        command.env(name, value);
    }
    command.env("WATCHDOG_USEC", limit.as_micros().to_string());
    Serve::spawn(command)
}

#[test]
fn signs_of_life_end_while_the_store_is_locked_and_come_again_after_it() {
    let (house, manager) = (five::house(), Manager::new());
    let limit = Duration::from_millis(1200);
    let serve = watched(&manager, &house, limit, "$$");
    for _ in 0..3 {
        manager.hears("WATCHDOG=1");
    }
    let other = rusqlite::Connection::open(house.store_path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    serve.wait_for_line("it says why", |line| line.contains("no sign of life") && line.contains("the store"));
    drop(manager.heard());
    assert_eq!(manager.within(2 * limit), None, "a sign of life from a store that does not answer");
    other.execute_batch("ROLLBACK").unwrap();
    manager.hears("WATCHDOG=1");
}

#[test]
fn a_service_leaves_no_core_when_it_is_killed() {
    let house = five::house();
    let serve = house.serve();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", serve.pid())).unwrap();
    let core = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
    assert!(core.split_whitespace().take(2).eq(["0", "0"]), "{core}");
}

#[test]
fn signs_of_life_go_on_through_reloads_and_are_not_given_for_another_process() {
    let house = five::house();
    let manager = Manager::new();
    let serve = watched(&manager, &house, Duration::from_millis(800), "$$");
    for _ in 0..3 {
        serve.signal("HUP");
        manager.hears("RELOADING=1");
        manager.hears("READY=1");
        manager.hears("WATCHDOG=1");
    }
    drop(serve);
    let manager = Manager::new();
    let serve = watched(&manager, &house, Duration::from_millis(4), "1");
    manager.hears("READY=1");
    for _ in 0..20 {
        assert_eq!(serve.post("shop", SHOP.truth(1207)).status, 200);
    }
    assert_eq!(serve.stop().code(), Some(0));
    assert!(!manager.heard().contains("WATCHDOG"));
}
