//! The program keeps its shape: rooms import one way, and what belongs to one room is named in no other.

mod imports;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use imports::{Arrows, Source, sources, sources_in};

/// Each room with the rooms that it may know.
const ARROWS: [(&str, &[&str]); 20] = [
    ("main", &["cli"]),
    (
        "cli",
        &[
            "actions",
            "config",
            "decisions",
            "deliverer",
            "demo",
            "domain",
            "ledger",
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
    (
        "service",
        &[
            "actions",
            "admin",
            "config",
            "deliverer",
            "domain",
            "ledger",
            "metrics",
            "providers",
            "receiver",
            "rules",
            "store",
            "worker",
        ],
    ),
    ("reconcile", &["config", "domain", "metrics", "providers", "rules", "store", "worker"]),
    ("report", &["domain"]),
    ("receiver", &["domain", "metrics", "providers", "store"]),
    ("deliverer", &["actions", "domain", "metrics", "rules", "store"]),
    ("actions", &["domain"]),
    ("worker", &["domain", "metrics", "providers", "rules", "store"]),
    ("admin", &["config", "decisions", "domain", "metrics", "report", "rules", "store"]),
    ("decisions", &["config", "domain", "providers", "store"]),
    ("config", &["actions", "domain", "ledger", "providers"]),
    ("ledger", &["domain", "store"]),
    ("providers", &["domain", "metrics"]),
    ("store", &["domain", "rules"]),
    ("rules", &["domain"]),
    ("metrics", &["domain"]),
    ("simulator", &[]),
    ("domain", &[]),
];

/// The same inside `store`: its folders and the files beside them. `mod` holds what the store offers, and may know all.
const ARROWS_OF_STORE: [(&str, &[&str]); 23] = [
    ("statement_cost", &["file", "queue", "reconcile", "retention", "verdicts"]),
    ("alerts", &["error", "reader", "rows"]),
    ("plans", &["file", "queue", "read", "verdicts"]),
    ("write_checks", &["error", "writer"]),
    ("work", &["deliveries", "error", "queue", "verdicts", "writer"]),
    ("outbox", &["deliveries", "error", "news", "reader"]),
    ("decisions", &["error", "verdicts"]),
    ("comparison", &["error", "reconcile"]),
    ("removal", &["error", "retention"]),
    ("ledger", &["changes", "error", "reader"]),
    ("reader", &["error", "file", "queue", "read", "reconcile", "retention", "verdicts"]),
    ("retention", &["error", "file", "rows", "verdicts", "writer"]),
    ("reconcile", &["deliveries", "error", "rows", "verdicts"]),
    ("read", &["deliveries", "error", "file", "queue", "rows"]),
    ("verdicts", &["deliveries", "error", "news", "queue", "rows"]),
    ("changes", &["error", "rows"]),
    ("deliveries", &["error", "news", "queue", "rows"]),
    ("news", &["error", "rows"]),
    ("queue", &["error", "rows"]),
    ("writer", &["error", "file"]),
    ("file", &["error"]),
    ("rows", &["error"]),
    ("error", &[]),
];

/// What only these rooms may name.
const ALONE: [(&str, &[&str]); 7] = [
    ("tokio_postgres::", &["ledger"]),
    ("rusqlite::", &["store"]),
    ("r2d2::", &["store"]),
    ("reqwest::Client", &["actions", "providers"]),
    ("Utc::now", &["domain", "simulator"]),
    ("SystemTime::now", &[]),
    ("std::process::exit", &["main"]),
];

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
    let mut used = BTreeSet::new();
    for source in sources() {
        let room = source.room().to_owned();
        if room == "lib" {
            continue;
        }
        if !arrows.contains_key(room.as_str()) {
            wrong.push(format!("{}: the room {room} has no arrows in this test", source.file.display()));
        }
        let named = named_rooms(&source.text).into_iter();
        used.extend(
            named.filter(|named| arrows.contains_key(named.as_str())).map(|named| (room.clone(), named)),
        );
    }
    wrong.extend(differing(&arrows, &used));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_map_shows_each_room_above_those_that_it_imports() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md");
    let page = fs::read_to_string(page).expect("the page");
    let map = page.split("```").nth(1).expect("the map").trim_start_matches("text");
    let lines = map.lines().enumerate();
    let line_of: BTreeMap<&str, usize> =
        lines.flat_map(|(at, rooms)| rooms.split_whitespace().map(move |room| (room, at))).collect();
    let rooms: BTreeSet<&str> = ARROWS.iter().map(|(room, _)| *room).collect();
    assert_eq!(line_of.keys().copied().collect::<BTreeSet<_>>(), rooms);
    for (from, imported) in ARROWS {
        for to in imported {
            assert!(line_of[from] < line_of[to], "{from} imports {to}, which the map does not show below it");
        }
    }
}

#[test]
fn folders_of_the_store_import_downwards() {
    let allowed: BTreeMap<&str, &[&str]> = ARROWS_OF_STORE.into_iter().collect();
    let arrows = Arrows::read(&sources());
    let folder = |module: &[String]| match module {
        [store, folder, ..] if store == "store" => Some(folder.clone()),
        _ => None,
    };
    let mut used = BTreeSet::new();
    for (module, named) in &arrows.of {
        let Some(from) = folder(module) else { continue };
        used.extend(named.iter().filter_map(|to| folder(to)).map(|to| (from.clone(), to)));
    }
    let wrong = differing(&allowed, &used);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Arrows that are used and not allowed, or allowed and not used.
fn differing(allowed: &BTreeMap<&str, &[&str]>, used: &BTreeSet<(String, String)>) -> Vec<String> {
    let is_allowed =
        |from: &str, to: &str| from == to || allowed.get(from).is_some_and(|rooms| rooms.contains(&to));
    let unwanted = used.iter().filter(|(from, to)| !is_allowed(from, to));
    let mut wrong: Vec<String> = unwanted.map(|(from, to)| format!("{from} must not know {to}")).collect();
    for (from, rooms) in allowed {
        let unused = rooms.iter().filter(|to| !used.contains(&((*from).to_owned(), (**to).to_owned())));
        wrong.extend(unused.map(|to| format!("{from} may know {to}, and does not: take the arrow away")));
    }
    wrong
}

/// `cargo test --test main -- tidy::no_files_import --nocapture` prints files, arrows and circles.
#[test]
fn no_files_import_each_other_in_a_circle() {
    let arrows = Arrows::read(&sources());
    let circles = arrows.circles();
    for (module, named) in &arrows.of {
        let named: Vec<String> = named.iter().map(|module| module.join("/")).collect();
        println!("{} -> {}", module.join("/"), named.join(", "));
    }
    let count: usize = arrows.of.values().map(BTreeSet::len).sum();
    println!("{} files, {count} arrows, {} circles", arrows.of.len(), circles.len());
    assert!(arrows.of.len() > 250 && count > 1000, "the files are read");
    assert!(circles.is_empty(), "{}", circles.join("\n"));
}

#[test]
fn the_engine_the_client_and_the_clock_are_named_in_their_rooms_alone() {
    let mut wrong = Vec::new();
    for source in sources() {
        let (code, Source { file, .. }) = (source.code(), &source);
        let is_test = file.components().any(|part| part.as_os_str().to_string_lossy().starts_with("test"));
        for (word, rooms) in ALONE {
            if !is_test && code.contains(word) && !rooms.contains(&source.room()) {
                wrong.push(format!("{}: {word} belongs to {rooms:?}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_rules_that_judge_know_no_clock_and_no_io() {
    for source in sources() {
        let Source { file, text, .. } = &source;
        if source.room() == "rules" {
            for word in ["Clock", "std::fs", "tokio", "std::time::Instant", "std::net", "log::"] {
                assert!(!text.contains(word), "{} names {word}", file.display());
            }
        }
    }
}

/// A longer name does not fit on a line of a test run.
const LONGEST_TEST_NAME: usize = 80;

#[test]
fn test_names_fit_on_a_line() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for Source { file, text, .. } in ["src", "tests"].into_iter().flat_map(sources_in) {
        let mut is_test = false;
        for line in text.lines().map(str::trim_start) {
            is_test |=
                ["#[test]", "#[tokio::test", "#[actix_web::test]"].iter().any(|at| line.starts_with(at));
            let Some(name) = line.trim_start_matches("async ").strip_prefix("fn ").filter(|_| is_test) else {
                continue;
            };
            let name = name.split('(').next().unwrap_or(name);
            count += 1;
            is_test = false;
            if name.len() > LONGEST_TEST_NAME {
                wrong.push(format!("{}: {name} has {} characters", file.display(), name.len()));
            }
        }
    }
    assert!(count > 900, "only {count} tests were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
