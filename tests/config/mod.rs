//! Section 5 of the contract through the binary: mistakes exit with 2, a line each; secrets come from three places and
//! are shown in none.

mod shown;

use std::process::Output;

use crate::support::formats::{self, FORMATS, SHOP};
use crate::support::{Serve, TestEnv, assert_verdict, countersign};

const EVERY: [&[&str]; 7] =
    [&["serve"], &["verify"], &["list"], &["show", "1"], &["retry", "1"], &["dismiss", "1"], &["doctor"]];

fn run_on(text: &str, command: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.toml");
    std::fs::write(&path, text).unwrap();
    countersign().arg("--config").arg(path).args(command).output().unwrap()
}

#[test]
fn every_mistake_is_a_line_with_its_place_and_the_exit_code_is_2() {
    let text = "[server]\nlisten = \"8080\"\nport = 80\n[verify]\ntimeout = \"10\"\n[sources.Shop]\nprovider = \"ecwid\"\n\
                store_id = 1003\ntoken = \"hush-token\"\n[sources.keys]\nprovider = \"kinguin\"\napi_key = \"\"\n\
                api_base = \"http://gateway.example/\"\n";
    for command in EVERY {
        let output = run_on(text, command);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{command:?}: {said}");
        assert!(output.stdout.is_empty(), "{command:?}: {}", String::from_utf8_lossy(&output.stdout));
        let places = [
            "c.toml:2: server.listen: ",
            "c.toml:3: server.port: ",
            "c.toml:5: verify.timeout: ",
            "c.toml:6: sources.Shop: ",
            "c.toml:12: sources.keys.api_key: ",
            "c.toml:13: sources.keys.api_base: ",
        ];
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), places.len(), "{command:?}: {said}");
        for (line, place) in lines.iter().zip(places) {
            assert!(line.contains(place), "{place} in {line}");
        }
        assert!(!said.contains("hush-token"), "{said}");
    }
}

#[test]
fn wrong_usage_exits_with_2_and_a_missing_configuration_says_what_to_do() {
    for arguments in
        [&[][..], &["swerve"], &["serve", "--port", "1"], &["show", "zero"], &["list", "--state", "lost"]]
    {
        let output = countersign().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
    for command in EVERY {
        let output = countersign().args(["--config", "/nonexistent/c.toml"]).args(command).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), said.lines().count()), (Some(2), 1), "{command:?}: {said}");
        assert!(said.contains("/nonexistent/c.toml") && said.contains("countersign init"), "{said}");
    }
}

#[test]
fn the_configuration_is_named_by_option_or_by_environment() {
    let env = formats::env();
    let path = env.write_config();
    let mut command = countersign();
    command.env("COUNTERSIGN_CONFIG", &path).arg("serve");
    let serve = Serve::spawn(command);
    assert_eq!(serve.post("shop", SHOP.truth(1207)).status, 200);
    let output = countersign().env("COUNTERSIGN_CONFIG", &path).args(["list", "--json"]).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.iter().filter(|b| **b == b'\n').count()), (Some(0), 1));
}

/// The sources of [`formats::env`] with their secrets taken out of the file.
fn without_secrets(env: &TestEnv) -> std::path::PathBuf {
    let path = env.write_config();
    let text = std::fs::read_to_string(&path).unwrap();
    let is_secret = |line: &&str| line.starts_with("token =") || line.starts_with("api_key =");
    std::fs::write(
        &path,
        text.lines().filter(|line| !is_secret(line)).map(|line| format!("{line}\n")).collect::<String>(),
    )
    .unwrap();
    path
}

#[test]
fn secrets_come_from_files_and_from_the_environment() {
    let env = formats::env();
    let path = without_secrets(&env);
    std::fs::write(env.folder().join("token"), format!("{}\n", formats::TOKEN)).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replace("provider = \"ecwid\"\n", "provider = \"ecwid\"\ntoken_file = \"token\"\n");
    std::fs::write(&path, text).unwrap();
    let mut command = countersign();
    command.arg("--config").arg(&path).arg("serve").env("COUNTERSIGN_SOURCES_OLD_TOKEN", formats::TOKEN);
    command.env("COUNTERSIGN_SOURCES_POP_API_KEY", formats::API_KEY);
    command.env("COUNTERSIGN_SOURCES_KEYS_API_KEY", formats::API_KEY);
    command.env("COUNTERSIGN_SOURCES_KEYS_SECRET", "new one\nold one");
    command.env("COUNTERSIGN_SOURCES_SHOP_PATH_TOKEN", "door");
    let serve = Serve::spawn(command);
    let mut id = 0;
    for format in FORMATS {
        let secrets: &[&str] = if format.source == "keys" { &["new one", "old one"] } else { &[""] };
        let target =
            if format.source == "shop" { "/hooks/shop/door" } else { &format!("/hooks/{}", format.source) };
        for (secret, number) in secrets.iter().zip(formats::ORDERS) {
            id += 1;
            let request = format.request_to(target, format.truth(number)).header("X-Event-Secret", secret);
            assert_eq!(serve.send(&request).status, format.acknowledgement.0, "{}", format.provider);
            serve.settled(id);
            assert_verdict(&env.row(id), "confirmed", "match");
        }
    }
    assert_eq!(serve.post("shop", SHOP.truth(1208)).status, 404);
    for secret in [formats::TOKEN, formats::API_KEY, "new one", "old one", "/door"] {
        assert!(!serve.log().contains(secret), "{}", serve.log());
    }
}

#[test]
fn a_missing_or_empty_secret_is_named_by_key_and_nothing_is_printed_of_the_others() {
    let env = formats::env();
    let path = without_secrets(&env);
    let mut command = countersign();
    command.arg("--config").arg(&path).arg("serve").env("COUNTERSIGN_SOURCES_OLD_TOKEN", "");
    let output = command.env("COUNTERSIGN_SOURCES_POP_API_KEY", "hush-api-key").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), said.lines().count()), (Some(2), 3), "{said}");
    for word in ["COUNTERSIGN_SOURCES_OLD_TOKEN", "sources.shop.token", "sources.keys.api_key"] {
        assert!(said.contains(word), "{word} is not in {said}");
    }
    assert!(!said.contains("hush"), "{said}");
}

#[test]
fn what_init_writes_is_right_but_for_the_sources_and_overwrites_only_with_force() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.toml");
    let init = |force: bool| {
        let mut command = countersign();
        command.arg("init").arg(&path).args(force.then_some("--force"));
        command.output().unwrap().status.code()
    };
    assert_eq!(init(false), Some(0));
    let written = std::fs::read_to_string(&path).unwrap();
    let output = countersign().arg("--config").arg(&path).arg("doctor").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), said.lines().count()), (Some(2), 1), "{said}");
    assert!(said.contains("no source is configured"), "{said}");
    std::fs::write(&path, "mine").unwrap();
    assert_eq!(init(false), Some(1));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    assert_eq!(init(true), Some(0));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), written);
}
