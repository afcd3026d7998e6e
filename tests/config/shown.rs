//! `config show` and `config check`, and credentials through the binary.

use crate::support::formats::{self, API_KEY, SHOP, TOKEN};
use crate::support::{Serve, TestEnv, countersign};

fn said(output: &std::process::Output, code: i32) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{errors}");
    assert_eq!(errors.is_empty(), code == 0, "{errors}");
    String::from_utf8(if code == 0 { output.stdout.clone() } else { output.stderr.clone() }).unwrap()
}

#[test]
fn config_show_prints_what_is_in_force_and_where_it_came_from_but_no_secret() {
    let env = formats::env().server_keys("drain = \"3s\"");
    let config = env.write_config();
    let show = |arguments: &[&str]| {
        let mut command = countersign();
        command.arg("--config").arg(&config).args(["config", "show"]).args(arguments);
        command.env("COUNTERSIGN_SOURCES_KEYS_API_KEY", "hush-key").output().unwrap()
    };
    let text = said(&show(&[]), 0);
    let line = |key: &str| {
        let start = format!("{key} ");
        text.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("no {key} in {text}"))
    };
    let at = |line: usize| format!("{}:{line}", config.display());
    let drain = line("server.drain");
    assert!(drain.contains(" \"3s\" ") && drain.contains(&config.display().to_string()), "{drain}");
    assert!(line("server.max_body").ends_with("  default"), "{text}");
    assert!(line("server.listen").ends_with(&at(2)), "{text}");
    assert!(line("sources.keys.api_key").contains(" ******** "), "{text}");
    assert!(line("sources.keys.api_key").ends_with("environment COUNTERSIGN_SOURCES_KEYS_API_KEY"), "{text}");
    assert!(line("sources.shop.token").contains(" ******** "), "{text}");
    assert!(line("sources.game.private_key").contains("file "), "{text}");
    let json = said(&show(&["--json"]), 0);
    let entries: Vec<serde_json::Value> =
        json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let entry = |key: &str| entries.iter().find(|entry| entry["key"] == key).unwrap().clone();
    assert_eq!(entry("server.drain")["value"], "3s");
    assert_eq!(entry("verify.concurrency")["value"], 8);
    assert_eq!(entry("verify.concurrency")["origin"], "default");
    let token = entry("sources.shop.token");
    assert_eq!(
        (&token["value"], &token["secret"], &token["origin"]),
        (&serde_json::Value::Null, &true.into(), &"file".into())
    );
    for secret in [TOKEN, API_KEY, "hush", "PRIVATE KEY"] {
        assert!(!text.contains(secret) && !json.contains(secret), "{secret}");
    }
}

#[test]
fn config_check_says_that_it_is_right_or_every_mistake() {
    let env = formats::env();
    assert!(said(&env.run(&["config", "check"]), 0).ends_with(": valid, 5 sources\n"));
    let env = TestEnv::new().server_keys("drain = 3\nlistn = \"x\"");
    for command in [&["config", "check"][..], &["config", "show"], &["serve"], &["doctor"]] {
        let errors = said(&env.run(command), 2);
        assert_eq!(errors.lines().count(), 3, "{errors}");
        for line in errors.lines() {
            assert!(line.contains("(e.g. "), "{line}");
        }
    }
}

#[test]
fn every_name_that_is_taken_is_named_with_its_line() {
    let env = formats::env();
    drop(env.serve());
    let config = env.write_config();
    let text = std::fs::read_to_string(&config).unwrap();
    let renamed = [
        ("[sources.old]", "[sources.o]"),
        ("[sources.shop]", "[sources.old]"),
        ("[sources.keys]", "[sources.shop]"),
    ];
    let text = renamed.iter().fold(text, |text, (from, to)| text.replace(from, to));
    std::fs::write(&config, &text).unwrap();
    let output = countersign().arg("--config").arg(&config).arg("serve").output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{errors}");
    let lines: Vec<&str> =
        errors.lines().filter(|line| line.contains("this name belongs to provider")).collect();
    for (line, table) in lines.iter().zip(["[sources.old]", "[sources.shop]"]) {
        let at = 1 + text.lines().position(|line| line == table).unwrap();
        assert!(
            line.contains(&format!("countersign.toml:{at}: ")) && line.contains("(e.g. [sources."),
            "{line}"
        );
    }
    assert_eq!(lines.len(), 2, "{errors}");
}

#[test]
fn serve_takes_its_secrets_from_credentials() {
    let env = formats::env();
    let config = env.write_config();
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace(&format!("token = \"{TOKEN}\"\n"), "")).unwrap();
    let credentials = tempfile::tempdir().unwrap();
    for source in ["shop", "old"] {
        std::fs::write(credentials.path().join(format!("sources.{source}.token")), format!("{TOKEN}\n"))
            .unwrap();
    }
    let mut command = countersign();
    command.arg("--config").arg(&config).arg("serve").env("CREDENTIALS_DIRECTORY", credentials.path());
    let serve = Serve::spawn(command);
    assert_eq!(serve.post("shop", SHOP.truth(1207)).status, 200);
    serve.settled(1);
    let without = countersign().arg("--config").arg(&config).args(["config", "check"]).output().unwrap();
    assert_eq!(said(&without, 2).lines().count(), 2);
}
