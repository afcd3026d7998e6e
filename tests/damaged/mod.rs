//! Stores that were damaged on purpose: every command says so in plain words with what to do, and leaves all as it is.

mod disk;
mod log;
mod pages;
mod restore;
mod values;

use std::ffi::OsString;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::LazyLock;

use rusqlite::Connection;

use crate::support::TestEnv;
use crate::support::formats::{self, FORMATS};

/// `serve`, and a few who read.
const ALL: [&[&str]; 4] = [&["serve"], &["list"], &["status"], &["report"]];

/// The files of a store as a `serve` left them: made once, as each takes a while to come about.
struct Remains(Vec<(OsString, Vec<u8>)>);

impl Remains {
    fn of(env: &TestEnv) -> Self {
        let files = std::fs::read_dir(env.folder()).unwrap().map(Result::unwrap);
        let files = files.filter(|file| file.file_name().to_string_lossy().starts_with("countersign.db"));
        Self(files.map(|file| (file.file_name(), std::fs::read(file.path()).unwrap())).collect())
    }

    /// An environment with files of its own that are equal to these.
    fn env(&self) -> TestEnv {
        let env = formats::env();
        for (name, bytes) in &self.0 {
            let path = env.folder().join(name);
            let mut file = File::options().write(true).create_new(true).mode(0o600).open(path).unwrap();
            file.write_all(bytes).unwrap();
        }
        env
    }
}

/// An environment whose store has fifteen settled notifications, all of them in the file itself, and whose serve is stopped.
fn stocked() -> TestEnv {
    static REMAINS: LazyLock<Remains> = LazyLock::new(|| {
        let env = formats::env();
        let serve = env.serve();
        let mut id = 0;
        for format in FORMATS {
            for number in formats::ORDERS {
                serve.send(&format.request(format.truth(number)));
                id += 1;
            }
        }
        for settled in 1..=id {
            serve.settled(settled);
        }
        serve.wait_for_line("it left word", |line| line.contains(&format!("recorded last_id={id}")));
        assert!(serve.stop().success());
        // The last connection removes the log as it closes: the log must not hold a good copy of the broken page.
        drop(Connection::open(env.store_path()).unwrap().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)"));
        Remains::of(&env)
    });
    REMAINS.env()
}

fn beside(env: &TestEnv, suffix: &str) -> PathBuf {
    env.folder().join(format!("countersign.db{suffix}"))
}

/// Changes the bytes of the file.
fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}

/// The first byte of the root page of a table or an index.
fn root_page(env: &TestEnv, name: &str) -> usize {
    let conn = Connection::open(env.store_path()).unwrap();
    let page: u32 = conn
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = ?1", [name], |row| row.get(0))
        .unwrap();
    usize::try_from(page - 1).unwrap() * 4096
}

/// Asserts that a command failed with one line on standard error that holds `words`.
#[track_caller]
fn assert_failed(output: &Output, what: &str, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{what}: {said}{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(said.trim_end().lines().count(), 1, "{what}: {said}");
    for word in words {
        assert!(said.contains(word), "{what}: {word:?} is not in {said}");
    }
}

/// Asserts that `doctor` finds something wrong, and says it with `words`.
#[track_caller]
fn assert_doctor(env: &TestEnv, words: &[&str]) {
    let output = env.run(&["doctor"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let wrong =
        said.lines().any(|line| line.starts_with("WRONG") && words.iter().all(|word| line.contains(word)));
    assert!(wrong, "no WRONG with {words:?} in {said}");
}

/// Asserts that every command fails with these words, and that the store and its log are byte for byte as they were.
#[track_caller]
fn assert_all_fail(env: &TestEnv, words: &[&str]) {
    // A reader may leave an empty log.
    let files = || ["", "-wal"].map(|suffix| std::fs::read(beside(env, suffix)).unwrap_or_default());
    let before = files();
    for command in ALL {
        assert_failed(&env.run(command), command[0], words);
        assert!(files() == before, "{command:?} changed a file");
    }
    assert_doctor(env, words);
    assert!(files() == before, "doctor changed a file");
}
