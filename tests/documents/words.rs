use std::collections::BTreeSet;
use std::path::Path;

use countersign::domain::health::WarningKind;
use countersign::domain::{FindingKind, Reason};

use super::{all, code_spans, document, repository};
use crate::support::countersign;

/// The words in code in a column of a document's tables.
fn listed(path: &str, header: &str, index: usize) -> BTreeSet<String> {
    let document = document(path);
    let cells = document.column(header, index);
    cells.into_iter().flat_map(code_spans).map(str::to_owned).collect()
}

fn words<T: ToString>(all: &[T]) -> BTreeSet<String> {
    all.iter().map(ToString::to_string).collect()
}

#[test]
fn every_reason_warning_and_finding_is_explained_and_no_other() {
    assert_eq!(listed("docs/verdicts.md", "state", 1), words(Reason::ALL));
    assert_eq!(listed("docs/operating.md", "kind", 0), words(WarningKind::ALL));
    assert_eq!(listed("docs/operating.md", "finding", 0), words(FindingKind::ALL));
}

#[test]
fn every_command_is_shown_in_a_document() {
    let help = String::from_utf8(countersign().arg("--help").output().unwrap().stdout).unwrap();
    let commands =
        help.split_once("Commands:").unwrap().1.lines().skip(1).take_while(|line| !line.is_empty());
    let names = commands.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let documents = all();
    let is_shown =
        |name: &str| documents.iter().any(|document| document.text.contains(&format!("countersign {name}")));
    let missing: Vec<&str> =
        names.filter(|name| !name.is_empty() && *name != "help" && !is_shown(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// All of the program's text, each literal of several lines in one.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text.push_str(&sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let file = std::fs::read_to_string(path).unwrap();
            let mut pieces = file.split("\\\n");
            text.push_str(pieces.next().unwrap());
            pieces.for_each(|piece| text.push_str(piece.trim_start()));
        }
    }
    text
}

#[test]
fn every_message_that_the_troubleshooting_quotes_is_one_of_the_programs() {
    let text = sources(&repository().join("src"));
    let document = document("docs/recovery.md");
    let cells = document.column("message", 0).into_iter().chain(document.column("what you see", 0));
    let parts = cells.flat_map(code_spans).flat_map(|quoted| quoted.split('…')).map(str::trim);
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    let unknown: Vec<_> = parts.iter().filter(|part| !text.contains(**part)).collect();
    assert!(unknown.is_empty() && parts.len() > 10, "{unknown:?} of {parts:?}");
}

#[test]
fn every_metric_that_a_document_names_exists() {
    let text = sources(&repository().join("src"));
    let mut count = 0;
    for document in all() {
        let parts = document.text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        // `countersign_0.1.0-1_amd64.deb` is no metric.
        for metric in parts.filter(|part| part.starts_with("countersign_") && *part != "countersign_0") {
            count += 1;
            let name = format!("\"{}\"", metric.trim_end_matches("_bucket"));
            assert!(text.contains(&name), "{}: {metric}", document.path.display());
        }
    }
    assert!(count >= 5, "{count} metrics");
}
