//! What is said about a file that is missing or no TOML.

use std::fs;

use proptest::prelude::*;

use super::ConfigFolder;
use crate::config::Settings;

#[test]
fn a_file_that_is_no_toml_is_named_with_its_line() {
    for (text, starts) in [
        ("a = 1\nb = \n", vec!["c.toml:2: not valid TOML: "]),
        ("[server\n", vec!["c.toml:1: not valid TOML: "]),
        ("listen = 127.0.0.1:80\n", vec!["c.toml:1: not valid TOML: "]),
        ("x = \"a\n", vec!["c.toml:1: not valid TOML: "]),
        (
            "[server]\ndrain = \"1s\"\n\ndrain = \"2s\"\n",
            vec![
                "c.toml: sources: no source",
                "c.toml:4: drain: is set here for the second time; keep one of them (e.g. the first)",
            ],
        ),
        (
            "[server]\ndrain = 1\ndrain = 1\ndrain = 1\n[store]\nkeep=1\nkeep=1\n",
            vec![
                "c.toml:2: server.drain: is a bare",
                "c.toml:3: drain: ",
                "c.toml:4: drain: ",
                "c.toml:6: store.keep",
                "c.toml:7: keep: ",
                "c.toml: sources: ",
            ],
        ),
        ("[server]\n[store]\n[server]\n", vec!["c.toml:3: server: is set here for the second time"]),
        (
            "x = 1\nx = 1",
            vec!["c.toml:1: x: unknown", "c.toml:2: x: is set here for the", "c.toml: sources: "],
        ),
        ("server = { drain = 1, drain = 1 }\n", vec!["c.toml:1: drain: is set here for the second time"]),
        ("[sources.a]\n[sources.a]\n", vec!["c.toml:2: a: is set here for the second time"]),
        ("a = [\n1]\na = [\n2,\n3]\n", vec!["c.toml:3: a: is set here for the second time"]),
    ] {
        let mut said = ConfigFolder::new().complaints(text);
        let mut starts = starts;
        said.sort();
        starts.sort_unstable();
        assert_eq!(said.len(), starts.len(), "{text}: {said:?}");
        for (said, start) in said.iter().zip(starts) {
            assert!(said.starts_with(start), "{text}: {said}");
        }
    }
    let said = ConfigFolder::new().complaints(b"[server]\n# caf\xe9\n");
    assert_eq!(said, ["c.toml:2: contains bytes that are not UTF-8; save the file as UTF-8 text"]);
}

#[test]
fn a_missing_file_is_said_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("none.toml");
    let shown = file.display();
    let said = Settings::load(&file, |_| None).unwrap_err().to_string();
    let expected = format!(
        "{shown}: no such file; name another (--config FILE), or write one with: countersign init {shown}"
    );
    assert_eq!(said, expected);
    fs::create_dir(&file).unwrap();
    let said = Settings::load(&file, |_| None).unwrap_err().to_string();
    assert!(said.starts_with(&format!("{shown}: cannot be read: ")), "{said}");
}

/// Pieces of TOML in any order: what a text of random letters would hardly ever reach.
fn toml_soup() -> impl Strategy<Value = String> {
    let pieces = [
        "[",
        "]",
        "[[",
        "]]",
        "{",
        "}",
        "=",
        ".",
        ",",
        "\n",
        "\r\n",
        " ",
        "\"",
        "'",
        "\"\"\"",
        "'''",
        "#",
        "\\",
        "\u{feff}",
        "server",
        "sources",
        "shop",
        "listen",
        "token",
        "token_file",
        "provider = \"ecwid\"",
        "store_id = 1",
        "keep",
        "1",
        "-1",
        "1e9",
        "true",
        "1979-05-27",
        "\"1s\"",
        "\"ö\"",
        "\0",
        "[sources.shop]\n",
        "[server]\n",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics_and_every_refusal_has_a_reason(text in prop_oneof![toml_soup(), any::<String>()]) {
        let found = ConfigFolder::new().load(text);
        prop_assert!(found.err().is_none_or(|mistakes| mistakes.iter().count() > 0));
    }
}
