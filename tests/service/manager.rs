//! What the service manager hears.

use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::{edit, serve_command};
use crate::support::formats::{self, SHOP};
use crate::support::{Serve, TestEnv, assert_verdict, create_or_open};

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
    fn command(&self, env: &TestEnv) -> Command {
        let mut command = serve_command(&env.write_config());
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
    let (env, manager) = (formats::env(), Manager::new());
    let serve = Serve::spawn(manager.command(&env));
    let ready = manager.hears("READY=1");
    assert!(ready.contains("STATUS=receiving and verifying for 5 sources\n"), "{ready}");
    assert_eq!(
        (serve.post("shop", SHOP.truth(1207)).status, serve.admin_page("/healthz").status),
        (200, 200)
    );
    serve.signal("HUP");
    let reloading = manager.hears("RELOADING=1");
    let at = reloading.lines().find_map(|line| line.strip_prefix("MONOTONIC_USEC="));
    assert!(at.is_some_and(|at| at.parse::<u64>().unwrap() > 0), "{reloading}");
    assert!(!manager.hears("READY=1").contains("mistakes"));
    edit(&env, "[verify]", "[verify]\nwhat = 1");
    serve.signal("HUP");
    manager.hears("RELOADING=1");
    let kept = manager.hears("READY=1");
    assert!(kept.contains("STATUS=running with the old configuration"), "{kept}");
    serve.signal("TERM");
    manager.hears("STOPPING=1");
    assert_eq!(serve.stop().code(), Some(0));
    assert!(!manager.heard().contains("READY=1"));
}

#[test]
fn a_serve_that_cannot_start_is_never_ready() {
    let (env, manager) = (formats::env(), Manager::new());
    let _holder = env.serve();
    let output = manager.command(&env).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let heard = manager.heard();
    assert!(heard.contains("STATUS=opening the store") && !heard.contains("READY=1"), "{heard}");
}

/// `serve` under a watchdog; the shell becomes the binary, so that `$$` is its process.
fn watched(manager: &Manager, env: &TestEnv, limit: Duration, pid: &str) -> Serve {
    let serve = manager.command(env);
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("export WATCHDOG_PID={pid}; exec \"$0\" \"$@\""));
    command.arg(serve.get_program()).args(serve.get_args());
    for (name, value) in serve.get_envs().filter_map(|(name, value)| Some((name, value?))) {
        command.env(name, value);
    }
    command.env("WATCHDOG_USEC", limit.as_micros().to_string());
    Serve::spawn(command)
}

/// Another program that holds the write lock.
fn hold(env: &TestEnv) -> Connection {
    let other = Connection::open(env.store_path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

/// Asserts that the service is alive through three of the watchdog's periods, and tells once what keeps it from writing.
#[track_caller]
fn assert_alive_and_told(serve: &Serve, manager: &Manager, limit: Duration) {
    let us = format!("is held by process {} (", std::process::id());
    let is_told = |line: &str| line.contains("WARN") && line.contains("warning=store_writable");
    // A manager that does not listen would hold the service up.
    let (began, mut told) = (Instant::now(), None);
    while told.is_none() {
        assert!(began.elapsed() < PATIENCE, "it tells of no lock:\n{}", serve.log());
        manager.hears("WATCHDOG=1");
        told = serve.log().lines().find(|line| is_told(line)).map(str::to_owned);
    }
    let told = told.unwrap_or_default();
    assert!(told.contains(&us) && told.contains("COMMIT or ROLLBACK"), "{told}");
    let began = Instant::now();
    while began.elapsed() < 3 * limit {
        manager.hears("WATCHDOG=1");
    }
    let log = serve.log();
    assert_eq!(log.lines().filter(|line| line.contains("WARN")).count(), 1, "{log}");
    assert!(!log.contains("ERROR"), "{log}");
    let readiness = serve.admin_page("/readyz");
    assert_eq!(readiness.status, 503);
    assert!(readiness.text().contains(r#""failing":["store_writable"]"#), "{}", readiness.text());
    let metrics = serve.admin_page("/metrics").text();
    assert!(
        metrics.contains(r#"countersign_warning{action="",kind="store_writable",source=""} 1"#),
        "{metrics}"
    );
    assert_eq!(metrics.matches("countersign_warning{").count(), 1, "{metrics}");
}

#[test]
fn signs_of_life_go_on_while_another_program_holds_the_lock() {
    let (env, manager) = (formats::env(), Manager::new());
    let limit = Duration::from_millis(1200);
    let serve = watched(&manager, &env, limit, "$$");
    manager.hears("WATCHDOG=1");
    let other = hold(&env);
    assert_alive_and_told(&serve, &manager, limit);
    serve.signal("HUP");
    manager.hears("RELOADING=1");
    let kept = manager.hears("READY=1");
    assert!(kept.contains("STATUS=running with the old configuration"), "{kept}");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(serve.post("shop", SHOP.truth(1207)).status, 200);
    serve.settled(1);
}

#[test]
fn a_serve_that_is_started_under_a_lock_answers_503_and_begins_when_it_is_free() {
    let (env, manager) = (formats::env(), Manager::new());
    drop(create_or_open(&env.store_path()));
    let other = hold(&env);
    let limit = Duration::from_millis(1200);
    let serve = watched(&manager, &env, limit, "$$");
    manager.hears("READY=1");
    assert_eq!(serve.post("shop", SHOP.truth(1207)).status, 503);
    assert_alive_and_told(&serve, &manager, limit);
    assert_eq!(env.value("SELECT count(*) FROM sources").as_deref(), Some("0"));
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(serve.post("shop", SHOP.truth(1207)).status, 200);
    serve.settled(1);
    assert_verdict(&env.row(1), "confirmed", "match");
    assert_eq!(env.value("SELECT count(*) FROM sources").as_deref(), Some("5"));
}

#[test]
fn a_serve_that_is_started_under_a_lock_stops_at_once_and_refuses_taken_names() {
    let (env, manager) = (formats::env(), Manager::new());
    assert!(env.serve().stop().success());
    let _other = hold(&env);
    let serve = Serve::spawn(manager.command(&env));
    manager.hears("READY=1");
    assert_eq!(serve.stop().code(), Some(0));
    let text = std::fs::read_to_string(env.write_config()).unwrap();
    let taken = env.folder().join("taken.toml");
    std::fs::write(&taken, text.replacen("\"kinguin-postback\"", "\"kinguin\"", 1)).unwrap();
    let output = serve_command(&taken).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.code() == Some(2) && said.contains("belongs to provider kinguin-postback"),
        "{said}"
    );
}

#[test]
fn a_service_leaves_no_core_when_it_is_killed() {
    let env = formats::env();
    let serve = env.serve();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", serve.pid())).unwrap();
    let core = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
    assert!(core.split_whitespace().take(2).eq(["0", "0"]), "{core}");
}

#[test]
fn signs_of_life_go_on_through_reloads_and_are_not_given_for_another_process() {
    let env = formats::env();
    let manager = Manager::new();
    let serve = watched(&manager, &env, Duration::from_millis(800), "$$");
    for _ in 0..3 {
        serve.signal("HUP");
        manager.hears("RELOADING=1");
        manager.hears("READY=1");
        manager.hears("WATCHDOG=1");
    }
    drop(serve);
    let manager = Manager::new();
    let serve = watched(&manager, &env, Duration::from_millis(4), "1");
    manager.hears("READY=1");
    for _ in 0..20 {
        assert_eq!(serve.post("shop", SHOP.truth(1207)).status, 200);
    }
    assert_eq!(serve.stop().code(), Some(0));
    assert!(!manager.heard().contains("WATCHDOG"));
}
