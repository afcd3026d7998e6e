//! Another program holds the write lock: what writes says so and ends, what reads goes on.

use std::time::{Duration, Instant};

use countersign::simulator::{Fault, Trouble};
use rusqlite::Connection;

use crate::support::formats::{self, SHOP};
use crate::support::{TestEnv, countersign};

/// An environment without a serve, in whose store something is left to decide.
fn undecided() -> TestEnv {
    let env = formats::env().verify("give_up_after = \"1ms\"");
    env.simulator.shops().add_fault(Fault::new(Trouble::Reset));
    let serve = env.serve();
    serve.send(&SHOP.request(SHOP.truth(1207)));
    serve.settled(1);
    assert!(serve.stop().success());
    env
}

fn hold(env: &TestEnv) -> Connection {
    let other = Connection::open(env.store_path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

const WRITING: [&[&str]; 5] =
    [&["retry", "1"], &["dismiss", "1"], &["prune", "--older-than", "1d"], &["verify"], &["reconcile"]];

#[test]
fn a_command_that_has_to_write_waits_five_seconds_and_names_the_lock() {
    let env = undecided();
    let other = hold(&env);
    let config = env.write_config();
    let run = |command: &[&str]| {
        countersign().arg("--config").arg(&config).args(command).output().expect("the binary runs")
    };
    let (store, us) = (env.store_path(), format!("held by process {} (", std::process::id()));
    std::thread::scope(|scope| {
        for command in WRITING {
            let (run, store, us) = (&run, &store, &us);
            scope.spawn(move || {
                let began = Instant::now();
                let output = run(command);
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                assert!(began.elapsed() >= Duration::from_secs(5), "{command:?}");
                assert_eq!(output.status.code(), Some(1), "{command:?}: {said}");
                assert_eq!(said.trim_end().lines().count(), 1, "{command:?}: {said}");
                for word in [&*store.to_string_lossy(), us, "COMMIT or ROLLBACK"] {
                    assert!(said.contains(word), "{command:?}: {word:?} is not in {said}");
                }
            });
        }
        let output = run(&["doctor"]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("WRONG  the write lock") && said.contains(&us), "{said}");
        assert!(said.contains("no API was asked"), "{said}");
    });
    drop(other);
    assert_eq!(env.row(1).state, "undecided");
    assert_eq!(env.run(&["dismiss", "1"]).status.code(), Some(0));
}

#[test]
fn commands_that_only_read_go_on_and_status_tells_of_the_lock() {
    let env = undecided();
    let _other = hold(&env);
    let copy = env.folder().join("copy.db");
    for command in [
        &["list"][..],
        &["show", "1"],
        &["report"],
        &["prune", "--older-than", "1d", "--dry-run"],
        &["backup", &copy.to_string_lossy()],
    ] {
        let output = env.run(command);
        assert_eq!(output.status.code(), Some(0), "{command:?}: {output:?}");
    }
    let output = env.run(&["status", "--json"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    let warnings = said["warnings"].as_array().unwrap();
    let found = warnings.iter().find(|warning| warning["kind"] == "store_writable");
    let found = found.unwrap_or_else(|| panic!("{said}"));
    let us = format!("held by process {} (", std::process::id());
    assert!(found["what"].as_str().unwrap().contains(&us), "{found}");
    assert!(found["remedy"].as_str().unwrap().contains("COMMIT or ROLLBACK"), "{found}");
}

#[test]
fn a_verify_that_meets_a_lock_while_it_works_ends_by_it() {
    let env = undecided();
    let shops = env.simulator.shops();
    shops.clear_faults();
    assert_eq!(env.run(&["retry", "1"]).status.code(), Some(0));
    let held = shops.add_fault(Fault::new(Trouble::Hold));
    std::thread::scope(|scope| {
        let verify = scope.spawn(|| env.run(&["verify"]));
        assert!(shops.wait_for_calls(1, Duration::from_secs(30)));
        let other = hold(&env);
        shops.clear_fault(held);
        let output = verify.join().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("held by process") && said.contains("COMMIT or ROLLBACK"), "{said}");
        drop(other);
    });
    assert_eq!(env.run(&["verify"]).status.code(), Some(0));
}
