use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use countersign::config::Settings;
use rustix::process::{Pid, Signal, kill_process};

use super::complaints;
use crate::support::countersign;

/// Killed when dropped, so that a failed test leaves nothing behind.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// `simulate`, and what it printed until it waits for its end.
fn simulate(config: &Path) -> (Running, Vec<String>) {
    let mut command = countersign();
    command.args(["simulate", "--listen", "127.0.0.1:0", "--write"]).arg(config);
    let mut running = Running(command.stdout(Stdio::piped()).spawn().unwrap());
    let lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
    // The last line that it prints says how faults are ended.
    let mut said = Vec::new();
    for line in lines.map_while(Result::ok) {
        said.push(line);
        if said.last().is_some_and(|line| line.contains("-X DELETE")) {
            break;
        }
    }
    (running, said)
}

#[test]
fn simulate_serves_shops_to_which_its_configuration_fits() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("sim.toml");
    let (_running, said) = simulate(&config);
    let settings = Settings::load(&config, |_| None).unwrap();
    assert_eq!(settings.sources.len(), 5);
    let notifications = said.iter().filter(|line| line.contains("curl http://127.0.0.1:8080/hooks/"));
    assert_eq!(notifications.count(), 6, "{said:#?}");
    let doctor = countersign().arg("--config").arg(&config).arg("doctor").output().unwrap();
    let text = String::from_utf8(doctor.stdout).unwrap();
    let wrong: Vec<&str> = text.lines().filter(|line| line.starts_with("WRONG")).collect();
    assert!(wrong.len() == 1 && wrong[0].contains("no store"), "{text}");
}

#[test]
fn simulate_ends_well_at_sigterm_and_at_ctrl_c() {
    let folder = tempfile::tempdir().unwrap();
    for (name, signal) in [("term.toml", Signal::TERM), ("int.toml", Signal::INT)] {
        let (mut running, _) = simulate(&folder.path().join(name));
        kill_process(Pid::from_child(&running.0), signal).unwrap();
        assert_eq!(running.0.wait().unwrap().code(), Some(0), "{signal:?}");
    }
}

#[test]
fn simulate_listens_on_loopback_only() {
    let output = countersign().args(["simulate", "--listen", "0.0.0.0:0"]).output().unwrap();
    let lines = complaints(&output, 1);
    assert!(lines.len() == 1 && lines[0].contains("loopback"), "{lines:?}");
}
