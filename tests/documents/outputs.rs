use std::path::PathBuf;
use std::sync::LazyLock;

use countersign::domain::Timestamp;
use countersign::domain::report::{Counts, Report, SourceReport};
use countersign::report::{Basis, Document, Format, render};

use super::document;
use crate::support::countersign;

/// What a run of the demo printed, and the store that it left.
pub(super) struct Demo {
    output: String,
    pub(super) store: PathBuf,
    _folder: tempfile::TempDir,
}

/// One run for all tests.
pub(super) fn demo() -> &'static Demo {
    static DEMO: LazyLock<Demo> = LazyLock::new(|| {
        let folder = tempfile::tempdir().unwrap();
        let ended = countersign().arg("demo").env("TMPDIR", folder.path()).output().unwrap();
        let output = String::from_utf8(ended.stdout).unwrap();
        assert!(ended.status.success(), "{output}");
        let store = output.lines().find_map(|line| line.trim().strip_suffix("countersign.db"));
        let store = PathBuf::from(format!("{}countersign.db", store.unwrap()));
        Demo { output, store, _folder: folder }
    });
    &DEMO
}

/// How often the shop was asked depends on the machine.
fn without_tries(line: &str) -> String {
    let line = line.trim_end();
    line.split_once("asked ").map_or(line.to_owned(), |(before, _)| before.to_owned())
}

#[test]
fn the_demo_prints_the_lines_that_the_readme_shows() {
    let readme = document("README.md");
    let blocks = readme.blocks();
    let shown = blocks.iter().find(|block| block.text.contains("what was sent")).unwrap();
    let printed: Vec<String> = demo().output.lines().map(without_tries).collect();
    let missing: Vec<&str> =
        shown.text.lines().filter(|line| !printed.contains(&without_tries(line))).collect();
    assert!(missing.is_empty(), "not printed: {missing:#?}\n{}", demo().output);
}

/// A source that got so many notifications, with so many findings of each kind.
fn source(name: &str, counts: Counts, findings: &[(&'static str, u64)]) -> SourceReport {
    SourceReport {
        source: name.to_owned(),
        provider: "ecwid".to_owned(),
        complete: true,
        listed: 0,
        counts,
        findings: Vec::new(),
        omitted: findings.iter().copied().collect(),
    }
}

#[test]
fn the_readme_shows_a_report_as_it_is_written() {
    let counts = |received, confirmed, fakes, pending| Counts {
        received,
        confirmed,
        ignored: fakes,
        fakes,
        duplicates: 0,
        pending,
        undecided: 0,
    };
    let findings =
        [("missed", 14), ("drift", 17), ("vanished", 9), ("open", 3), ("silent", 1), ("fake", 120)];
    let sources = vec![
        source("shop", counts(1_619, 1_491, 120, 8), &findings),
        source("keys", counts(495, 495, 0, 0), &[]),
        source("game", counts(120, 120, 0, 0), &[]),
    ];
    let at = |text| Timestamp::parse_rfc3339(text).unwrap();
    let (from, to) = (at("2026-01-01T00:00:00Z"), at("2026-01-02T00:00:00Z"));
    let report = Report { generated_at: to, from, to, sources };
    let document_of_it =
        Document { basis: Basis::Shops, report, statistics: Vec::new(), warnings: Vec::new() };
    let written = render(&document_of_it, Format::Text, 80).unwrap();
    let readme = document("README.md");
    let blocks = readme.blocks();
    let shown = blocks.iter().find(|block| {
        block.text.contains("notifications came in") || block.text.contains("received  confirmed")
    });
    let shown = &shown.unwrap().text;
    assert!(written.contains(shown), "README:\n{shown}\nwritten:\n{written}");
}

#[test]
fn the_readme_has_at_most_150_lines() {
    let lines = document("README.md").text.lines().count();
    assert!(lines <= 150, "{lines} lines; tell it in docs/ instead");
}
