//! A source's name in the store: it keeps its provider, and its rows when it is no longer configured.

use crate::support::formats::{self, FORMATS, KEYS, OLD, SHOP};
use crate::support::{TestEnv, assert_verdict, countersign};

/// The configuration of `env` as text, with one source's section replaced.
fn rewrite(env: &TestEnv, change: impl FnOnce(String) -> String) -> std::path::PathBuf {
    let path = env.write_config();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, change(text)).unwrap();
    path
}

fn without(text: &str, source: &str) -> String {
    let mut kept = Vec::new();
    let mut is_kept = true;
    for line in text.lines() {
        if line.starts_with('[') {
            is_kept = line != format!("[sources.{source}]");
        }
        if is_kept {
            kept.push(line);
        }
    }
    kept.join("\n")
}

#[test]
fn a_name_given_to_another_provider_exits_2_and_says_so() {
    let env = formats::env();
    assert!(env.serve().stop().success());
    let (was, now) = (formats::lines(&env, OLD), formats::lines(&env, SHOP));
    let path = rewrite(&env, |text| text.replacen(&was, &now, 1));
    for command in ["serve", "verify"] {
        let output = countersign().arg("--config").arg(&path).arg(command).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{command}: {said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{said}");
        for word in ["sources.old", "ecwid-ion", "not ecwid;", "another name"] {
            assert!(said.contains(word), "{command}: {word} is not in {said}");
        }
    }
    let output = countersign().arg("--config").arg(&path).arg("doctor").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("source old is ecwid in the configuration, but was ecwid-ion before"), "{said}");
}

#[test]
fn a_removed_source_waits_is_named_and_goes_on_when_configured_again() {
    let env = formats::env();
    let serve = env.serve_with(&["--no-worker"]);
    for format in FORMATS {
        serve.send(&format.request(format.truth(1207)));
    }
    assert!(serve.stop().success());
    let path = rewrite(&env, |text| without(&text, "keys"));
    let serve = crate::support::Serve::start(&path, &[]);
    for id in [1, 2, 3, 5] {
        serve.settled(id);
        assert_verdict(&env.row(id), "confirmed", "match");
    }
    assert_eq!(serve.send(&KEYS.request(KEYS.truth(1208))).status, 404);
    let row = env.row(4);
    assert_eq!((row.source.as_str(), row.state.as_str(), row.reason), ("keys", "pending", None));
    let ready = serve.admin_page("/readyz");
    assert_eq!(ready.status, 200, "{}", ready.text());
    let named = r#"[{"name":"keys","pending":1}]"#;
    assert!(ready.text().contains(named), "{}", ready.text());
    let output = countersign().arg("--config").arg(&path).arg("doctor").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("source keys is no longer configured, but 1 notification"), "{said}");
    assert!(serve.stop().success());
    let serve = env.serve();
    serve.settled(4);
    assert_verdict(&env.row(4), "confirmed", "match");
    assert!(!serve.admin_page("/readyz").text().contains(named));
}

#[test]
fn what_was_asked_about_waits_too_while_its_source_is_not_configured() {
    let env = formats::env().verify("grace = \"1h\"");
    let serve = env.serve();
    serve.send(&OLD.request(OLD.truth(9999)));
    serve.pending(1, "not_yet");
    assert!(serve.stop().success());
    env.simulator.shops().clear_calls();
    let path = rewrite(&env, |text| without(&text, "old"));
    let serve = crate::support::Serve::start(&path, &[]);
    serve.send(&SHOP.request(SHOP.truth(1207)));
    serve.settled(2);
    assert_eq!(env.row(1).state, "pending");
    assert!(serve.admin_page("/readyz").text().contains(r#"[{"name":"old","pending":1}]"#));
    assert!(serve.stop().success());
    assert_eq!(env.simulator.shops().calls().len(), 1, "only the shop's own question");
    let env = env.verify("grace = \"0s\"");
    let serve = env.serve();
    serve.settled(1);
    assert_verdict(&env.row(1), "ignored", "not_found");
}
