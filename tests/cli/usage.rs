use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use super::{Stage, complaints, order, printed};
use crate::support::countersign;

#[test]
fn wrong_usage_ends_with_2() {
    for arguments in [
        &[][..],
        &["frobnicate"],
        &["show", "zero"],
        &["show", "0"],
        &["list", "--state", "confused"],
        &["list", "--since", "yesterday"],
        &["list", "--limit", "0"],
        &["retry"],
        &["retry", "1", "--state", "undecided"],
        &["retry", "--source", "shop"],
        &["retry", "--state", "confirmed"],
        &["dismiss", "--state", "ignored"],
    ] {
        let output = countersign().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn every_command_explains_itself_with_an_example() {
    let help = printed(&countersign().arg("--help").output().unwrap(), 0);
    let commands =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names: Vec<&str> = commands.filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).collect();
    let names: Vec<&str> = names.into_iter().filter(|name| !name.is_empty() && *name != "help").collect();
    assert!(names.len() >= 7, "{names:?}");
    for name in names {
        let help = printed(&countersign().args([name, "--help"]).output().unwrap(), 0);
        assert!(help.contains("Example"), "{name}: {help}");
    }
    assert!(printed(&countersign().arg("--version").output().unwrap(), 0).starts_with("countersign 0."));
}

#[test]
fn a_missing_configuration_is_one_line_and_2() {
    let output = countersign().args(["--config", "/nowhere/c.toml", "list"]).output().unwrap();
    let lines = complaints(&output, 2);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("/nowhere/c.toml") && lines[0].contains("countersign init"), "{lines:?}");
}

#[test]
fn the_environment_names_the_configuration_and_the_option_wins() {
    let named = |command: &mut std::process::Command| complaints(&command.output().unwrap(), 2).join("\n");
    let mut command = countersign();
    command.env("COUNTERSIGN_CONFIG", "/nowhere/env.toml").arg("list");
    assert!(named(&mut command).contains("/nowhere/env.toml"));
    command.args(["--config", "/nowhere/option.toml"]);
    assert!(named(&mut command).contains("/nowhere/option.toml"));
}

#[test]
fn each_mistake_of_a_configuration_is_a_line() {
    let stage = Stage::new();
    let config = stage.env.folder().join("wrong.toml");
    let text =
        "[server]\nlistn = \"127.0.0.1:1\"\n[sources.shop]\nprovider = \"ecwid-ion\"\nstore_id = 1003\n";
    std::fs::write(&config, text).unwrap();
    let lines = complaints(&countersign().arg("--config").arg(config).arg("list").output().unwrap(), 2);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains(":2: server.listn") && lines[1].contains("sources.shop.token"), "{lines:?}");
}

#[test]
fn whoever_stops_reading_is_told_nothing() {
    let stage = Stage::new();
    for index in 0..400 {
        stage.receive(order(&format!("{index}-{}", "x".repeat(200))));
    }
    let config = stage.env.write_config();
    let mut command = countersign();
    command.arg("--config").arg(config).args(["list", "--json", "--limit", "400"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 10]).unwrap();
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn init_writes_a_private_file_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new.toml");
    let init = |arguments: &[&str]| {
        countersign().current_dir(folder.path()).arg("init").args(arguments).output().unwrap()
    };
    let said = printed(&init(&["new.toml"]), 0);
    assert!(said.contains("countersign --config new.toml serve") && said.contains("doctor"), "{said}");
    let mode = || std::fs::metadata(&file).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    std::fs::write(&file, "mine").unwrap();
    let lines = complaints(&init(&["new.toml"]), 1);
    assert!(lines.len() == 1 && lines[0].contains("--force"), "{lines:?}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    printed(&init(&["new.toml", "--force"]), 0);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), countersign::config::EXAMPLE);
    assert_eq!(mode(), 0o600);
    printed(&init(&[]), 0);
    assert!(folder.path().join("countersign.toml").exists());
    assert_eq!(complaints(&init(&["no/such/folder.toml"]), 1).len(), 1);
}
