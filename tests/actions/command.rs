//! `command`: a program of the owner's, told on its standard input.

use std::path::PathBuf;

use countersign::simulator::ecwid::EcwidStore;

use super::{STATES, sell};
use crate::news::env;
use crate::support::TestEnv;

/// An environment whose action `ship` runs this script.
fn runs(script: &str, lines: &str) -> (TestEnv, EcwidStore, PathBuf) {
    let (env, store) = env();
    let file = env.folder().join("ship.sh");
    std::fs::write(&file, script.replace("$FOLDER", env.folder().to_str().unwrap())).unwrap();
    let command =
        format!("command = [\"/bin/sh\", \"{}\", \"--live\"]\nretry = [\"50ms\"]\n{lines}", file.display());
    let folder = env.folder().to_owned();
    (env.action("ship", &command), store, folder)
}

#[test]
fn command_gets_json_on_standard_input_and_a_clean_environment() {
    let script = "cat > $FOLDER/input; env > $FOLDER/env; echo \"$@\" > $FOLDER/arguments; echo shipped >&2";
    let (env, store, folder) = runs(script, "");
    let config = env.write_config();
    let serve = crate::support::Serve::start_with(&config, |command| {
        command.env("SECRET_OF_SERVE", "1").env("TZ", "UTC").env("LANG", "C.UTF-8").env("HOME", "/home/x");
    });
    sell(&serve, &store, 1, 1);
    env.wait_for_value(STATES, "delivered");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let json: serde_json::Value = serde_json::from_str(&read("input")).unwrap();
    assert_eq!((&json["type"], &json["data"]["subject_id"]), (&"order.changed".into(), &"SALE-1".into()));
    assert_eq!(read("arguments"), "--live\n");
    let environment = read("env");
    // The shell adds some of its own.
    let own = ["PWD", "OLDPWD", "SHLVL", "_"];
    let mut names: Vec<&str> = environment.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    names.retain(|name| !own.contains(name));
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "COUNTERSIGN_ACTION",
            "COUNTERSIGN_ATTEMPT",
            "COUNTERSIGN_SEQ",
            "COUNTERSIGN_SOURCE",
            "COUNTERSIGN_TYPE",
            "HOME",
            "LANG",
            "PATH",
            "TZ"
        ]
    );
    for line in [
        "COUNTERSIGN_SEQ=1",
        "COUNTERSIGN_TYPE=order.changed",
        "COUNTERSIGN_SOURCE=shop",
        "COUNTERSIGN_ACTION=ship",
        "COUNTERSIGN_ATTEMPT=1",
    ] {
        assert!(environment.lines().any(|known| known == line), "{line}: {environment}");
    }
    let attempt = "SELECT concat_ws(' ', outcome, exit_code, answer) FROM delivery_attempts";
    assert_eq!(env.value(attempt).as_deref(), Some("delivered 0 shipped"));
}

#[test]
fn exit_65_makes_a_delivery_dead_at_once_and_other_codes_are_retried() {
    let script = "grep -q SALE-1 && exit 65; test \"$COUNTERSIGN_ATTEMPT\" = 3 || exit 7";
    let (env, store, _) = runs(script, "");
    let serve = env.serve();
    sell(&serve, &store, 1, 1);
    sell(&serve, &store, 2, 2);
    env.wait_for_value(STATES, "dead delivered");
    let codes = "SELECT group_concat(exit_code, ' ') FROM (SELECT exit_code FROM delivery_attempts ORDER BY delivery_id, id)";
    assert_eq!(env.value(codes).as_deref(), Some("65 7 7 0"));
}

#[test]
fn a_time_out_ends_the_process_group_and_counts_as_a_try() {
    let script = "test \"$COUNTERSIGN_ATTEMPT\" = 1 || exit 0; sleep 1000 & echo $! > $FOLDER/pid; wait";
    let (env, store, folder) = runs(script, "timeout = \"2s\"\n");
    let serve = env.serve();
    sell(&serve, &store, 1, 1);
    env.wait_for_value(STATES, "delivered");
    let outcomes =
        "SELECT group_concat(outcome, ' ') FROM (SELECT outcome FROM delivery_attempts ORDER BY id)";
    assert_eq!(env.value(outcomes).as_deref(), Some("timeout delivered"));
    let pid = std::fs::read_to_string(folder.join("pid")).unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    assert!(stat.is_empty() || stat.contains(") Z"), "{stat}");
}

#[test]
fn a_commands_exit_code_decides_whatever_holds_its_pipes_and_its_group_is_ended() {
    let script = "sleep 1000 & echo $! > $FOLDER/pid; exit 0";
    let (env, store, folder) = runs(script, "timeout = \"1h\"\n");
    let serve = env.serve();
    sell(&serve, &store, 1, 1);
    env.wait_for_value(STATES, "delivered");
    let pid = std::fs::read_to_string(folder.join("pid")).unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    assert!(stat.is_empty() || stat.contains(") Z"), "{stat}");
}

#[test]
fn a_missing_program_is_no_mistake_doctor_names_it_and_the_delivery_is_retried() {
    let (env, store) = env();
    let env = env.action("ship", "command = [\"/nowhere/ship-keys\"]\nretry = [\"50ms\"]\n");
    assert!(env.run(&["config", "check"]).status.success());
    let serve = env.serve();
    sell(&serve, &store, 1, 1);
    env.wait_for_value(
        "SELECT count(*) >= 2 FROM delivery_attempts WHERE outcome = 'failed' AND exit_code IS NULL",
        "1",
    );
    let doctor = env.run(&["doctor"]);
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(said.contains("action ship: there is no program /nowhere/ship-keys"), "{said}");
    assert_eq!(doctor.status.code(), Some(1));
}

#[test]
fn hostile_values_reach_no_argument_no_shell_and_no_environment() {
    let (env, store, folder) =
        runs("cat > $FOLDER/input; env > $FOLDER/env; echo \"$@\" > $FOLDER/arguments", "");
    let serve = env.serve();
    let hostile = "PAID; touch $(echo pwned) `id` '\"\n--evil\u{0}";
    store.put_order(crate::news::order(1).payment(&hostile.replace('\u{0}', "")));
    super::announce(&serve, 1, 1);
    env.wait_for_value(STATES, "delivered");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    assert_eq!(read("arguments"), "--live\n");
    assert!(!read("env").contains("evil") && !read("env").contains("pwned"));
    let json: serde_json::Value = serde_json::from_str(&read("input")).unwrap();
    assert_eq!(json["data"]["current"]["status"], hostile.replace('\u{0}', ""));
    assert!(!folder.join("pwned").exists());
}

#[test]
fn on_a_stop_a_command_gets_sigterm_and_what_did_not_end_waits_again() {
    let script = "test -e $FOLDER/second && exit 0; trap 'echo term > $FOLDER/term; exit 9' TERM
                  echo x > $FOLDER/runs; while :; do sleep 0.01; done";
    let (env, store, folder) = runs(script, "");
    let serve = env.serve();
    sell(&serve, &store, 1, 1);
    while !folder.join("runs").exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(serve.stop().success());
    assert!(folder.join("term").exists());
    assert_eq!(
        env.value("SELECT state || attempts || coalesce(lease, '') FROM deliveries").as_deref(),
        Some("waiting0")
    );
    std::fs::write(folder.join("second"), "").unwrap();
    let serve = env.serve();
    env.wait_for_value(STATES, "delivered");
    drop(serve);
}
