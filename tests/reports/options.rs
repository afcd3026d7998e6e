//! Options, files and exit codes.

use std::os::unix::fs::PermissionsExt as _;

use super::{env, ion, json, printed, send};

#[test]
fn wrong_usage_ends_with_2_and_says_why() {
    let env = env();
    drop(env.serve());
    for arguments in [
        &["--format", "pdf"][..],
        &["--since", "yesterday"],
        &["--from", "24h"],
        &["--since", "24h", "--to", "2026-01-01"],
        &["--from", "2026-01-02", "--to", "2026-01-02"],
        &["--from", "2026-01-02", "--to", "2026-01-01"],
        &["--json", "--format", "csv"],
        &["--source", "nobody"],
    ] {
        let output = env.run(&[&["report"], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
    }
    let output = env.run(&["report", "--source", "nobody"]);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(errors, "countersign: no source nobody; choose one of: shop\n");
}

#[test]
fn a_missing_store_and_a_file_that_cannot_be_written_end_with_1() {
    let env = env();
    let output = env.run(&["report"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("there is no store at"));
    drop(env.serve());
    let folder = env.folder().to_str().unwrap().to_owned();
    for file in [folder.clone(), format!("{folder}/nowhere/report.html"), format!("{folder}/..")] {
        let output = env.run(&["report", "--output", &file]);
        assert_eq!(output.status.code(), Some(1), "{file}");
        assert_eq!(String::from_utf8(output.stderr).unwrap().lines().count(), 1, "{file}");
    }
}

#[test]
fn a_file_is_private_whole_and_replaced() {
    let env = env();
    drop(env.serve());
    let file = env.folder().join("report.html");
    std::fs::write(&file, "an older and much longer report".repeat(10_000)).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let before = std::fs::read_dir(env.folder()).unwrap().count();
    let mut old = std::fs::File::open(&file).unwrap();
    let path = file.to_str().unwrap();
    assert_eq!(printed(&env.run(&["report", "--format", "html", "--output", path]), 0), "");
    let page = std::fs::read_to_string(&file).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"), "{page}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    // Whoever had the older one open still reads it whole; the drafts are gone.
    let mut text = String::new();
    std::io::Read::read_to_string(&mut old, &mut text).unwrap();
    assert!(text.starts_with("an older") && text.len() == 310_000);
    let after = std::fs::read_dir(env.folder())
        .unwrap()
        .filter(|entry| !entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("countersign.db"));
    assert!(after.count() <= before);
    // A name without a folder is one of this folder.
    let config = env.write_config();
    let mut command = crate::support::countersign();
    command.current_dir(env.folder()).arg("--config").arg(config);
    printed(&command.args(["report", "--json", "--output", "plain.json"]).output().unwrap(), 0);
    assert!(env.folder().join("plain.json").exists());
}

#[test]
fn a_source_that_is_no_longer_configured_is_told_too() {
    let old = env();
    let serve = old.serve();
    send(&serve, &[ion("1", "ACCEPTED")]);
    assert!(serve.stop().success());
    let config =
        std::fs::read_to_string(old.write_config()).unwrap().replace("[sources.shop]", "[sources.other]");
    let path = old.folder().join("later.toml");
    std::fs::write(&path, config).unwrap();
    let report = |arguments: &[&str]| {
        let mut command = crate::support::countersign();
        command.arg("--config").arg(&path).args(["report", "--json"]).args(arguments).output().unwrap()
    };
    let all: serde_json::Value = serde_json::from_str(&printed(&report(&[]), 0)).unwrap();
    let named = |index: usize| {
        (all["sources"][index]["source"].clone(), &all["sources"][index]["counts"]["received"])
    };
    assert_eq!(named(0), ("other".into(), &0.into()));
    assert_eq!(named(1), ("shop".into(), &1.into()));
    let one: serde_json::Value = serde_json::from_str(&printed(&report(&["--source", "shop"]), 0)).unwrap();
    assert_eq!(one["sources"].as_array().unwrap().len(), 1);
    assert_eq!(one["sources"][0]["provider"], "ecwid-ion");
}

#[test]
fn json_and_format_json_are_the_same() {
    let env = env();
    drop(env.serve());
    let mut long: serde_json::Value =
        serde_json::from_str(&printed(&env.run(&["report", "--format", "json"]), 0)).unwrap();
    let mut short = json(&env, &[]);
    for report in [&mut long, &mut short] {
        for key in ["generated_at", "from", "to"] {
            assert!(report[key].take().as_str().unwrap().ends_with('Z'));
        }
    }
    assert_eq!(long, short);
}
