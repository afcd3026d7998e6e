//! The house keeps its shape: rooms import one way, and what belongs to one room is named in no other.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room with the rooms that it may know.
const ARROWS: [(&str, &[&str]); 16] = [
    ("main", &["cli"]),
    (
        "cli",
        &[
            "config",
            "demo",
            "domain",
            "metrics",
            "providers",
            "reconcile",
            "report",
            "rules",
            "service",
            "simulator",
            "store",
            "worker",
        ],
    ),
    ("demo", &["config", "domain", "service", "simulator", "store"]),
    ("service", &["admin", "config", "domain", "metrics", "providers", "receiver", "store", "worker"]),
    ("reconcile", &["config", "domain", "metrics", "providers", "rules", "store", "worker"]),
    ("report", &["domain", "store"]),
    ("receiver", &["config", "domain", "metrics", "providers", "store"]),
    ("worker", &["domain", "metrics", "providers", "rules", "store"]),
    ("admin", &["config", "domain", "metrics", "rules", "store"]),
    ("config", &["domain", "providers"]),
    ("providers", &["domain", "metrics"]),
    ("store", &["domain", "rules"]),
    ("rules", &["domain"]),
    ("metrics", &["domain"]),
    ("simulator", &[]),
    ("domain", &[]),
];

/// What only these rooms may name.
const ALONE: [(&str, &[&str]); 6] = [
    ("rusqlite::", &["store"]),
    ("r2d2::", &["store"]),
    ("reqwest::Client", &["providers"]),
    ("Utc::now", &["domain", "simulator"]),
    ("SystemTime::now", &[]),
    ("std::process::exit", &["main"]),
];

fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let inside = path.strip_prefix(&root).expect("inside").to_path_buf();
                let room =
                    inside.components().next().expect("a room").as_os_str().to_string_lossy().into_owned();
                let room = room.trim_end_matches(".rs").to_owned();
                let text = fs::read_to_string(&path).expect("text");
                files.push((room, inside, text));
            }
        }
    }
    files
}

/// The rooms that a file names behind `crate::`, one level of braces included.
fn named_rooms(text: &str) -> Vec<String> {
    let code =
        text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut rooms = Vec::new();
    for start in ["crate::", "countersign::"] {
        for (at, _) in code.match_indices(start) {
            let rest = &code[at + start.len()..];
            let list = match rest.strip_prefix('{') {
                Some(list) => list.split('}').next().unwrap_or("").split(',').map(str::trim).collect(),
                None => vec![rest],
            };
            for name in list {
                let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
                rooms.push(name[..end].to_owned());
            }
        }
    }
    rooms
}

#[test]
fn rooms_import_one_way() {
    let arrows: BTreeMap<&str, &[&str]> = ARROWS.into_iter().collect();
    let mut wrong = Vec::new();
    for (room, file, text) in sources() {
        if room == "lib" {
            continue;
        }
        let Some(allowed) = arrows.get(room.as_str()) else {
            wrong.push(format!("{}: the room {room} has no arrows in this test", file.display()));
            continue;
        };
        for named in named_rooms(&text) {
            let is_room = arrows.contains_key(named.as_str());
            if is_room && named != room && !allowed.contains(&named.as_str()) {
                wrong.push(format!("{}: {room} must not know {named}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_engine_the_client_and_the_clock_are_named_in_their_rooms_alone() {
    let mut wrong = Vec::new();
    for (room, file, text) in sources() {
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let code = code.take_while(|line| !line.contains("#[cfg(test)]")).collect::<Vec<_>>().join("\n");
        let is_test = file.components().any(|part| part.as_os_str().to_string_lossy().starts_with("test"));
        for (word, rooms) in ALONE {
            if !is_test && code.contains(word) && !rooms.contains(&room.as_str()) {
                wrong.push(format!("{}: {word} belongs to {rooms:?}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_rules_that_judge_know_no_clock_and_no_io() {
    for (room, file, text) in sources() {
        if room == "rules" {
            for word in ["Clock", "std::fs", "tokio", "std::time::Instant", "std::net", "log::"] {
                assert!(!text.contains(word), "{} names {word}", file.display());
            }
        }
    }
}
