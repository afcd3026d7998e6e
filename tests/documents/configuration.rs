use std::collections::BTreeSet;

use countersign::config::EXAMPLE;

use super::{all, code_spans};
use crate::support::{TestEnv, countersign};

/// The tables whose keys stand once for each name in them.
const NAMED: [&str; 2] = ["sources", "actions"];

/// The keys of the commented example, switched on or not; of a source and of an action without table and name.
fn keys_of_the_example() -> BTreeSet<String> {
    let mut table = String::new();
    let mut keys = BTreeSet::new();
    for line in EXAMPLE.lines() {
        let line = line.strip_prefix('#').unwrap_or(line);
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let is_named = NAMED.iter().any(|named| name.starts_with(named));
            table = if is_named { String::new() } else { format!("{name}.") };
        } else if let Some((key, _)) = line.split_once(" = ")
            && key.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        {
            keys.insert(format!("{table}{key}"));
        }
    }
    keys
}

/// The keys that the tables of the documents describe.
fn keys_of_the_documents() -> BTreeSet<String> {
    let documents = all();
    let cells = documents.iter().flat_map(|document| document.column("key", 0));
    cells.flat_map(code_spans).map(str::to_owned).collect()
}

#[test]
fn every_key_of_the_example_is_in_a_table_of_the_documents_and_no_other() {
    let (example, documents) = (keys_of_the_example(), keys_of_the_documents());
    assert!(example.len() > 50, "{example:?}");
    let missing: Vec<_> = example.difference(&documents).collect();
    let unknown: Vec<_> = documents.difference(&example).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "not described: {missing:?}; described, not there: {unknown:?}"
    );
}

#[test]
fn every_key_that_a_sentence_names_exists() {
    let keys = keys_of_the_example();
    let tables: BTreeSet<&str> =
        keys.iter().filter_map(|key| key.split_once('.')).map(|(table, _)| table).collect();
    let mut wrong = Vec::new();
    for document in all() {
        let prose = document.prose();
        for span in code_spans(&prose) {
            let Some((table, key)) = span.split_once('.') else { continue };
            let is_key = !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            if is_key && tables.contains(table) && !keys.contains(span) {
                wrong.push(format!("{}: {span}", document.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A configuration of which a block is a part, with the files that it names in `folder`.
fn completed(block: &str, folder: &std::path::Path) -> String {
    let env = TestEnv::new();
    let merchant = env.simulator.shops().open_midas("m-1001", "pr-77").unwrap();
    for line in block.lines() {
        let Some((key, value)) = line.split_once(" = ") else { continue };
        let Some(name) = value.split('"').nth(1).filter(|_| key.contains("_file")) else { continue };
        let text = match name {
            "merchant.pem" => merchant.private_key_pem().unwrap(),
            "platform.pem" => merchant.platform_public_key_pem().unwrap(),
            _ => "a-long-word\n".to_owned(),
        };
        std::fs::write(folder.join(name), text).unwrap();
    }
    let mut text = block.to_owned();
    if !block.contains("[sources.") {
        text.push_str("\n[sources.shop]\nprovider = \"ecwid\"\nstore_id = 1003\ntoken = \"t\"\n");
    }
    if block.contains("\nmail = ") && !block.contains("[mail]") {
        text.push_str("\n[mail]\nsmtp = \"smtp://127.0.0.1\"\nfrom = \"c@example.com\"\n");
    }
    text
}

#[test]
fn every_configuration_in_the_documents_is_right() {
    let mut count = 0;
    for document in all() {
        for block in document.blocks().iter().filter(|block| block.language == "toml") {
            count += 1;
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("countersign.toml");
            std::fs::write(&file, completed(&block.text, folder.path())).unwrap();
            let output = countersign().arg("--config").arg(&file).args(["config", "check"]).output().unwrap();
            let errors = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(0), "{}: {errors}", block.place);
        }
    }
    assert!(count >= 4, "{count} configurations");
}
