//! Secrets by value, from files and from the environment, and that none of them is ever shown.

use super::{ConfigFolder, SHOP};
use crate::config::environment_name;

const KEYS: &str = "[sources.my-keys]\nprovider = \"kinguin\"\n";

#[test]
fn a_variable_is_named_after_source_and_key() {
    assert_eq!(environment_name("shop", "token"), "COUNTERSIGN_SOURCES_SHOP_TOKEN");
    assert_eq!(environment_name("my-shop2", "client_secret"), "COUNTERSIGN_SOURCES_MY_SHOP2_CLIENT_SECRET");
}

#[test]
fn a_file_or_a_variable_stands_for_a_secret() {
    for content in ["hush", "hush\n", "hush\r\n", "hush\n\n", "\u{feff}hush\r\n\r\n"] {
        let config =
            ConfigFolder::new().with_file("key", content).with_file("word", "\u{feff}new\r\nold\n\n");
        let text = format!("{KEYS}api_key_file = \"key\"\nsecret_file = \"word\"\n");
        assert_eq!(config.complaints(text), [""; 0], "{content:?}");
    }
    let config = ConfigFolder::new()
        .with_variable("COUNTERSIGN_SOURCES_MY_KEYS_API_KEY", "hush")
        .with_variable("COUNTERSIGN_SOURCES_MY_KEYS_SECRET", "new\nold")
        .with_variable("COUNTERSIGN_SOURCES_MY_KEYS_PATH_TOKEN", "abc");
    let settings = config.load(KEYS).unwrap();
    assert!(settings.sources.iter().all(|source| source.path_token.is_some()));
}

#[test]
fn the_environment_wins_over_the_file() {
    // "unusable" is what the provider of these tests refuses.
    let config = ConfigFolder::new().with_variable("COUNTERSIGN_SOURCES_SHOP_TOKEN", "hush");
    assert_eq!(config.complaints(SHOP.replace("hush", "unusable")), [""; 0]);
    assert_eq!(config.complaints(SHOP.replace("token = \"hush\"", "token_file = \"absent\"")), [""; 0]);
    let config = ConfigFolder::new().with_variable("COUNTERSIGN_SOURCES_SHOP_TOKEN", "unusable");
    assert_eq!(
        config.complaints(SHOP),
        [
            "c.toml: sources.shop.token: the value of the environment variable COUNTERSIGN_SOURCES_SHOP_TOKEN: is of no \
          use; get another (e.g. token = \"secret_…\")"
        ]
    );
}

#[test]
fn a_provider_complains_at_the_line_where_the_secret_was_given() {
    let config = ConfigFolder::new().with_file("t", "unusable\n");
    let text = SHOP.replace("token = \"hush\"", "token_file = \"t\"") + "client_secret = \"unusable\"\n";
    assert_eq!(
        config.complaints(text),
        [
            "c.toml:4: sources.shop.token_file: the value in the file t: is of no use; get another (e.g. token_file = \
             \"/etc/countersign/secret\")",
            "c.toml:5: sources.shop.client_secret: is of no use; get another (e.g. client_secret = \"…\")",
        ]
    );
}

#[test]
fn a_secret_that_is_none_is_a_mistake() {
    let file = "(e.g. api_key_file = \"/etc/countersign/secret\")";
    for (lines, said) in [
        ("api_key = \"\"", "3: sources.my-keys.api_key: is empty; write the secret (e.g. api_key = \"…\")".to_owned()),
        ("api_key = \" \"", "3: sources.my-keys.api_key: is empty; write the secret (e.g. api_key = \"…\")".to_owned()),
        (
            "api_key = 12",
            "3: sources.my-keys.api_key: must be text in quotes, not a bare number (e.g. api_key = \"…\")".to_owned(),
        ),
        (
            "api_key = [\"a\"]",
            "3: sources.my-keys.api_key: must be text in quotes, not a list (e.g. api_key = \"…\")".to_owned(),
        ),
        (
            "api_key = \"a\"\nsecret = []",
            "4: sources.my-keys.secret: is an empty list; write a secret, or remove the key (e.g. secret = [\"new\", \
             \"old\"])"
                .to_owned(),
        ),
        (
            "api_key = \"a\"\nsecret = [\"a\", \"\"]",
            "4: sources.my-keys.secret: entry 2 is empty; write the secret (e.g. secret = [\"new\", \"old\"])".to_owned(),
        ),
        (
            "api_key = \"a\"\napi_key_file = \"full\"",
            format!("4: sources.my-keys.api_key_file: is set together with api_key; keep one of them {file}"),
        ),
        (
            "api_key_file = \"absent\"",
            format!(
                "3: sources.my-keys.api_key_file: the file absent cannot be read (No such file or directory (os error \
                 2)) {file}"
            ),
        ),
        (
            "api_key_file = \"empty\"",
            format!("3: sources.my-keys.api_key_file: the file empty is empty; write the file {file}"),
        ),
        (
            "api_key_file = \"blank\"",
            format!("3: sources.my-keys.api_key_file: the file blank is empty; write the secret {file}"),
        ),
        (
            "api_key_file = \"binary\"",
            format!(
                "3: sources.my-keys.api_key_file: the file binary is not UTF-8 text; name the file that holds the \
                 secret {file}"
            ),
        ),
        (
            "api_key_file = \"huge\"",
            format!("3: sources.my-keys.api_key_file: the file huge is larger than 1 MiB; name the right one {file}"),
        ),
        (
            "# nothing",
            "1: sources.my-keys.api_key: is missing; set it, or api_key_file, or the environment variable \
             COUNTERSIGN_SOURCES_MY_KEYS_API_KEY (e.g. api_key = \"…\")"
                .to_owned(),
        ),
        (
            "api_key = \"a\"\npath_token = \"a/b\"",
            "4: sources.my-keys.path_token: must be 1 to 128 letters, digits or . _ ~ - because it is part of the \
             intake URL (e.g. path_token = \"k3Vq8mZt\")"
                .to_owned(),
        ),
    ] {
        let config = ConfigFolder::new()
            .with_file("full", "x")
            .with_file("empty", "")
            .with_file("blank", "\n")
            .with_file("binary", [0xff, 0xfe])
            .with_file("huge", vec![b'x'; 1024 * 1024 + 1]);
        assert_eq!(config.complaints(format!("{KEYS}{lines}\n")), [format!("c.toml:{said}")], "{lines}");
    }
}

#[test]
fn an_invisible_character_at_an_end_of_a_secret_is_a_mistake_that_names_its_key() {
    let wrong = "begins or ends with a space, a line end or another invisible character; remove it";
    let odd =
        [" hush", "hush ", "\thush", "hush\u{a0}", "\u{1}hush", "hush\u{7f}", "\u{200b}hush", "hush\u{feff}"];
    for secret in odd.into_iter().chain(["hush\n", "hush\r", "\u{feff}hush"]) {
        let escaped: String = secret.chars().map(|c| format!("\\U{:08x}", u32::from(c))).collect();
        let quoted = format!("\"{escaped}\"");
        for value in [format!("api_key = {quoted}"), format!("api_key = \"a\"\nsecret = [\"a\", {quoted}]")] {
            let said = ConfigFolder::new().complaints(format!("{KEYS}{value}\n"));
            let key = if value.contains("secret") { "secret: entry 2" } else { "api_key:" };
            assert_eq!(said.len(), 1, "{value:?}: {said:?}");
            assert!(said[0].contains(&format!("sources.my-keys.{key} {wrong}")), "{value:?}: {said:?}");
        }
        let config = ConfigFolder::new().with_variable("COUNTERSIGN_SOURCES_MY_KEYS_API_KEY", secret);
        let said = config.complaints(KEYS);
        let start =
            "c.toml: sources.my-keys.api_key: the environment variable COUNTERSIGN_SOURCES_MY_KEYS_API_KEY";
        assert!(said.len() == 1 && said[0].starts_with(&format!("{start} {wrong}")), "{secret:?}: {said:?}");
    }
    for secret in odd.into_iter().chain(["hush \n", "\u{feff} hush", "\nhush"]) {
        let config = ConfigFolder::new().with_file("key", secret).with_file("word", format!("a\n{secret}"));
        let said = config.complaints(format!("{KEYS}api_key_file = \"key\"\n"));
        let start = "c.toml:3: sources.my-keys.api_key_file: the file key";
        assert!(said.len() == 1 && said[0].starts_with(&format!("{start} {wrong}")), "{secret:?}: {said:?}");
        if !secret.starts_with(['\u{feff}', '\n']) {
            let said = config.complaints(format!("{KEYS}api_key = \"a\"\nsecret_file = \"word\"\n"));
            assert!(said.len() == 1 && said[0].contains("the file word begins or ends"), "{said:?}");
        }
    }
}

#[test]
fn the_line_end_after_a_key_in_pem_form_belongs_to_the_form() {
    let pem = "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n";
    let game =
        "[sources.game]\nprovider = \"midas\"\nmerchant_id = \"m\"\nproject_id = \"p\"\nserial_no = \"0A\"\n";
    assert_eq!(ConfigFolder::new().complaints(format!("{game}private_key = '''\n{pem}'''\n")), [""; 0]);
    let config = ConfigFolder::new().with_variable("COUNTERSIGN_SOURCES_GAME_PRIVATE_KEY", pem);
    assert_eq!(config.complaints(game), [""; 0]);
    let said = ConfigFolder::new().complaints(format!("{game}private_key = '''\n {pem}'''\n"));
    assert!(said.len() == 1 && said[0].contains("game.private_key: begins or ends"), "{said:?}");
}

#[test]
fn an_error_about_a_secret_file_names_its_path_unless_that_could_be_the_secret() {
    let said = |value: &str| {
        let text = format!("{KEYS}api_key_file = \"{value}\"\n");
        ConfigFolder::new().complaints(text).concat()
    };
    for path in ["key", "secrets/shop-token-of-today", "shop-token-of-today.txt", "/nowhere/at/all"] {
        assert!(said(path).contains(&format!("api_key_file: the file {path} cannot be read (")), "{path}");
    }
    let secret = "0123456789abcdef";
    assert!(said(secret).contains("the file that it names in FOLDER cannot be read"), "{}", said(secret));
    assert!(!said(secret).contains(secret));
}

#[test]
fn an_empty_variable_is_a_mistake() {
    for (value, key) in [("", "API_KEY"), ("\n", "API_KEY"), ("", "SECRET"), ("new\n\nold", "SECRET")] {
        let config = ConfigFolder::new().with_variable(&format!("COUNTERSIGN_SOURCES_MY_KEYS_{key}"), value);
        let said = config.complaints(format!("{KEYS}api_key = \"a\"\n"));
        let lower = key.to_ascii_lowercase();
        assert_eq!(
            said,
            [format!(
                "c.toml: sources.my-keys.{lower}: the environment variable COUNTERSIGN_SOURCES_MY_KEYS_{key} is \
                 empty; write the secret, or unset it (e.g. COUNTERSIGN_SOURCES_MY_KEYS_{key}=…)"
            )],
            "{value:?}"
        );
    }
}

#[test]
fn one_variable_does_not_serve_two_keys() {
    let text = format!("{SHOP}[sources.shop-client]\nprovider = \"kinguin\"\napi_key = \"a\"\n");
    assert_eq!(ConfigFolder::new().complaints(&text), [""; 0]);
    let config = ConfigFolder::new().with_variable("COUNTERSIGN_SOURCES_SHOP_CLIENT_SECRET", "hush");
    assert_eq!(
        config.complaints(&text),
        [
            "c.toml: sources.shop-client.secret: the environment variable COUNTERSIGN_SOURCES_SHOP_CLIENT_SECRET is also \
          that of sources.shop.client_secret; give both in the file, or rename one of them (e.g. secret = [\"new\", \"old\"])"
        ]
    );
}

#[test]
fn no_secret_is_ever_shown() {
    let config = ConfigFolder::new()
        .with_file("key", "hush-file\n")
        .with_variable("COUNTERSIGN_SOURCES_SHOP_TOKEN", "hush-variable");
    let text = "[sources.shop]\nprovider = \"ecwid\"\nstore_id = 1\npath_token = \"hush-path\"\n\
                client_secret = \"hush-value\"\n[sources.keys]\nprovider = \"kinguin\"\napi_key_file = \"key\"\n";
    let shown = format!("{:?}", config.load(text).unwrap());
    assert!(shown.contains("shop") && !shown.contains("hush"), "{shown}");
    // The secret in the wrong place, of the wrong type, or in a text that is no TOML.
    for wrong in [
        "token_file = \"secret_hush_0123456789\"",
        "store_id = \"hush\\n\"",
        "api_base = \"https://hush@shop.example\"",
        "api_base = \"hush\"",
        "path_token = \"hush/hush\"",
        "rate_limit = \"hush\"",
        "expect_every = \"hush\"",
        "client_secret = hush",
        "client_secret = \"hush",
        "client_secret = [\"hush\"]",
        "provider = \"ecwid\"\nprovider = \"hush\"",
        "\"hush\" \"hush\"",
    ] {
        let loaded = ConfigFolder::new().load(format!("[sources.shop]\n{wrong}\n"));
        let mistakes = loaded.unwrap_err();
        let shown = format!("{mistakes} {mistakes:?}");
        assert!(!shown.contains("hush"), "{wrong}: {shown}");
    }
}
