//! What is in force, and where it came from.

use super::{ConfigFolder, SHOP};
use crate::config::{ShownValue, ValueOrigin};

#[test]
fn each_setting_has_its_value_and_its_origin() {
    let config = ConfigFolder::new()
        .with_file("t", "hush-file\n")
        .with_file("platform.pem", "x")
        .with_variable("COUNTERSIGN_SOURCES_GAME_PRIVATE_KEY", "hush-variable");
    let text = "[server]\ndrain = \"5s\" # hush-comment\ntrusted_proxies = [ # hush-comment\n  \"::1\", # hush-comment\n]\n\
                [sources.shop]\nprovider = 'ecwid'\nstore_id = 1003\ntoken_file = \"t\"\npath_token = \"hush-path\"\n\
                [sources.game]\nprovider = \"midas\"\nmerchant_id = \"m\"\nproject_id = 7\nserial_no = \"0A\"\n\
                platform_cert_files = [\"platform.pem\"]\nsign_query = false\n";
    let settings = config.load(text).unwrap();
    let folder = config.path();
    let found = |key: &str| {
        let entry =
            settings.entries.iter().find(|entry| entry.key == key).unwrap_or_else(|| panic!("no {key}"));
        (entry.value.to_string(), entry.origin.clone())
    };
    let line = |line| ValueOrigin::File { line: Some(line) };
    for (key, value, origin) in [
        ("server.drain", "\"5s\"", line(2)),
        ("server.trusted_proxies", "[\"::1\"]", line(3)),
        ("server.listen", "\"127.0.0.1:8080\"", ValueOrigin::Default),
        ("server.per_address_limit", "(off)", ValueOrigin::Default),
        ("store.max_unproven", "1000000", ValueOrigin::Default),
        ("verify.concurrency", "8", ValueOrigin::Default),
        ("sources.shop.provider", "\"ecwid\"", line(7)),
        ("sources.shop.store_id", "1003", line(8)),
        ("sources.shop.token", "********", ValueOrigin::SecretFile { path: folder.join("t"), line: Some(9) }),
        ("sources.shop.path_token", "********", line(10)),
        ("sources.shop.client_secret", "(off)", ValueOrigin::Default),
        ("sources.shop.rate_limit", "\"600/min\"", ValueOrigin::Default),
        ("sources.shop.expect_every", "(off)", ValueOrigin::Default),
        (
            "sources.game.private_key",
            "********",
            ValueOrigin::Environment("COUNTERSIGN_SOURCES_GAME_PRIVATE_KEY".to_owned()),
        ),
        ("sources.game.platform_cert_files", "[\"platform.pem\"]", line(16)),
        ("sources.game.sign_query", "false", line(17)),
    ] {
        assert_eq!(found(key), (value.to_owned(), origin), "{key}");
    }
    assert_eq!(found("store.path").0, format!("{:?}", folder.join("countersign.db")));
    let shown = format!("{:?}", settings.entries);
    assert!(!shown.contains("hush"), "{shown}");
}

#[test]
fn each_key_is_entered_once() {
    let settings = ConfigFolder::new().load(SHOP).unwrap();
    let mut keys: Vec<&str> = settings.entries.iter().map(|entry| entry.key.as_str()).collect();
    let count = keys.len();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), count);
    assert_eq!(settings.entries.iter().filter(|entry| entry.value == ShownValue::Secret).count(), 1);
}
