//! The SQLite file: who makes it, who may read it, and which files are refused.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;

use rusqlite::Connection;

use crate::support::formats::{self, SHOP};
use crate::support::{Serve, TestEnv};

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// Every command that needs a store, as it is typed.
const COMMANDS: [&[&str]; 12] = [
    &["status"],
    &["report"],
    &["verify"],
    &["list"],
    &["list", "--json"],
    &["show", "1"],
    &["retry", "1"],
    &["retry", "--state", "undecided"],
    &["dismiss", "1"],
    &["prune", "--older-than", "1d"],
    &["prune", "--older-than", "1d", "--dry-run"],
    &["doctor"],
];

/// Asserts that a command failed with one line on standard error that holds `words`.
#[track_caller]
fn assert_failed(output: &Output, what: &str, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{what}: {said}");
    assert_eq!(said.trim_end().lines().count(), 1, "{what}: {said}");
    assert_said(&said, what, words);
}

#[track_caller]
fn assert_said(said: &str, what: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "{what}: {word:?} is not in {said}");
    }
}

#[test]
fn serve_creates_the_store_its_wal_and_shm_with_mode_0600_for_any_umask() {
    let env = formats::env();
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "umask 000; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_countersign")]);
    command.arg("--config").arg(env.write_config()).arg("serve");
    let serve = Serve::spawn(command);
    assert_eq!(serve.send(&SHOP.request(SHOP.truth(1207))).status, 200);
    serve.settled(1);
    for ending in ["", "-wal", "-shm", ".serve-lock"] {
        let path = env.folder().join(format!("countersign.db{ending}"));
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn a_missing_store_is_an_error_of_every_other_command_and_none_creates_it() {
    let env = formats::env();
    let store = env.store_path();
    for command in COMMANDS {
        let output = env.run(command);
        if command == ["doctor"] {
            assert_eq!(output.status.code(), Some(1));
            assert_said(&String::from_utf8_lossy(&output.stdout), "doctor", &["no store"]);
        } else {
            assert_failed(&output, command[0], &["there is no store at", &store.to_string_lossy(), "serve"]);
        }
        assert!(!store.exists(), "{command:?}");
    }
}

#[test]
fn a_second_serve_on_the_same_store_exits_1_and_says_who_holds_it() {
    let env = formats::env();
    let serve = env.serve();
    let output = env.run(&["serve"]);
    let holder = std::fs::read_to_string(env.folder().join("countersign.db.serve-lock")).unwrap();
    let process = holder.split("process ").nth(1).unwrap().split(',').next().unwrap();
    assert_failed(&output, "serve", &["is held by", &format!("process {process}"), "stop that serve first"]);
    assert_eq!(serve.send(&SHOP.request(SHOP.truth(1207))).status, 200, "the first goes on");
    serve.settled(1);
    drop(serve);
    let serve = env.serve();
    assert_eq!(serve.send(&SHOP.request(SHOP.truth(1207))).status, 200, "a killed serve holds nothing");
}

/// Runs `serve` and every other command on a file that none may touch.
#[track_caller]
fn assert_refused_untouched(env: &TestEnv, words: &[&str]) {
    let path = env.store_path();
    let before = std::fs::read(&path).unwrap();
    for command in COMMANDS.into_iter().chain([&["serve"][..]]) {
        let output = env.run(command);
        if command == ["doctor"] {
            assert_eq!(output.status.code(), Some(1));
            assert_said(&String::from_utf8_lossy(&output.stdout), "doctor", words);
        } else {
            assert_failed(&output, command[0], words);
        }
        assert!(std::fs::read(&path).unwrap() == before, "{command:?} changed the file");
        let log = std::fs::metadata(env.folder().join("countersign.db-wal")).map_or(0, |log| log.len());
        assert_eq!(log, 0, "{command:?} wrote a log beside it");
    }
}

#[test]
fn a_newer_file_is_refused_and_left_untouched() {
    for journal in ["WAL", "DELETE"] {
        let env = formats::env();
        assert!(env.serve().stop().success());
        let conn = Connection::open(env.store_path()).unwrap();
        conn.execute_batch(&format!("PRAGMA journal_mode = {journal}; PRAGMA user_version = 1000;")).unwrap();
        drop(conn);
        assert_refused_untouched(&env, &["schema version 1000", "install the newer countersign"]);
    }
}

#[test]
fn another_programs_database_is_refused_and_left_untouched() {
    for pragmas in ["", "PRAGMA user_version = 1;", "PRAGMA application_id = 7;"] {
        let env = formats::env();
        let conn = Connection::open(env.store_path()).unwrap();
        conn.execute_batch(&format!("CREATE TABLE customers (id INTEGER); {pragmas}")).unwrap();
        drop(conn);
        assert_refused_untouched(&env, &["is a database of another program", "[store] path"]);
    }
}

#[test]
fn what_is_no_database_is_refused_and_left_untouched() {
    let env = formats::env();
    std::fs::write(env.store_path(), "[server]\nlisten = \"127.0.0.1:8080\"\n".repeat(40)).unwrap();
    assert_refused_untouched(&env, &["cannot be read as a SQLite database"]);
}

#[test]
fn a_folder_in_the_stores_place_is_said() {
    let env = formats::env();
    std::fs::create_dir(env.store_path()).unwrap();
    assert_failed(&env.run(&["serve"]), "serve", &["is a folder", "[store] path"]);
}

#[test]
fn the_schema_version_and_the_file_are_the_programs_own() {
    let env = formats::env();
    let serve = env.serve();
    assert_ne!(env.value("PRAGMA user_version").as_deref(), Some("0"));
    assert_eq!(env.value("PRAGMA journal_mode").as_deref(), Some("wal"));
    assert!(serve.stop().success());
    assert_eq!(env.value("PRAGMA integrity_check").as_deref(), Some("ok"));
    assert_eq!(env.value("SELECT count(*) FROM pragma_foreign_key_check").as_deref(), Some("0"));
}
