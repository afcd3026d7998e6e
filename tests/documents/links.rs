use std::path::Path;

use super::{all, code_spans, document, repository};
use crate::support::countersign;

/// The anchors of a document's headings, as GitHub makes them.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let slug = |heading: &str| -> String {
        let words = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        words.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
    };
    headings.map(slug).collect()
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for from in all() {
        let prose = from.prose();
        let targets = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.starts_with("http")) {
            count += 1;
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let folder = from.path.parent().unwrap_or(Path::new(""));
            let path = if file.is_empty() { from.path.clone() } else { folder.join(file) };
            let is_there = repository().join(&path).exists();
            if !is_there || !anchor.is_empty() && !anchors(&document(&path).text).contains(&anchor.to_owned())
            {
                wrong.push(format!("{}: {target}", from.path.display()));
            }
        }
    }
    assert!(wrong.is_empty() && count > 20, "{count} links; these lead nowhere: {wrong:#?}");
}

#[test]
fn every_file_of_the_sources_that_a_document_names_exists() {
    let folders = ["src/", "sql/", "tests/", "data/", "benches/", "systemd/", "docs/", ".ci/"];
    let mut wrong = Vec::new();
    for from in all() {
        let blocks = from.blocks().into_iter().map(|block| block.text);
        let texts: Vec<String> = blocks.chain([code_spans(&from.prose()).join(" ")]).collect();
        let words = texts.iter().flat_map(|text| text.split_whitespace());
        for word in words.filter(|word| folders.iter().any(|folder| word.starts_with(folder))) {
            // A glob names a folder, and what begins so.
            let (start, is_glob) = word.split_once('*').map_or((word, false), |(start, _)| (start, true));
            let path = repository().join(start);
            let is_there = path.exists() || is_glob && path.parent().is_some_and(Path::exists);
            if !is_there {
                wrong.push(format!("{}: {word}", from.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_unit_that_a_document_names_is_installed() {
    let kinds = [".service", ".socket", ".timer"];
    let mut wrong = Vec::new();
    for from in all() {
        let words = from.text.split(|c: char| !c.is_ascii_alphanumeric() && !"-.@".contains(c));
        let units = words
            .filter(|word| word.starts_with("countersign") && kinds.iter().any(|kind| word.ends_with(kind)));
        for unit in units.filter(|unit| !unit.contains('@')) {
            if !repository().join("systemd").join(unit).exists() {
                wrong.push(format!("{}: {unit}", from.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// While a socket of the service listens, the next request starts the service again, and what it then acknowledges goes
/// into the file that is being replaced.
#[test]
fn every_stop_of_the_service_stops_its_sockets_too() {
    let help = countersign().args(["backup", "--help"]).output().unwrap();
    let mut texts = vec![("backup --help".to_owned(), String::from_utf8(help.stdout).unwrap())];
    texts.extend(all().into_iter().map(|document| (document.path.display().to_string(), document.text)));
    let mut count = 0;
    for (place, text) in texts {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for (_, stopped) in
            text.match_indices("systemctl stop ").map(|(at, found)| text.split_at(at + found.len()))
        {
            count += 1;
            let units = "countersign.socket countersign-admin.socket countersign";
            assert!(stopped.starts_with(units), "{place}: systemctl stop {stopped:.60}");
        }
    }
    assert!(count >= 4, "{count} stops");
}
