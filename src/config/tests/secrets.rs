//! Secrets by value, from files and from the environment, and that none of them is ever shown.

use super::{Desk, SHOP};
use crate::config::environment_name;

const KEYS: &str = "[sources.my-keys]\nprovider = \"kinguin\"\n";

#[test]
fn a_variable_is_named_after_source_and_key() {
    assert_eq!(environment_name("shop", "token"), "COUNTERSIGN_SOURCES_SHOP_TOKEN");
    assert_eq!(environment_name("my-shop2", "client_secret"), "COUNTERSIGN_SOURCES_MY_SHOP2_CLIENT_SECRET");
}

#[test]
fn a_file_or_a_variable_stands_for_a_secret() {
    for content in ["hush", "hush\n", "hush\r\n"] {
        let desk = Desk::new().with_file("key", content).with_file("word", "new\nold\n");
        let text = format!("{KEYS}api_key_file = \"key\"\nsecret_file = \"word\"\n");
        assert_eq!(desk.complaints(text), [""; 0], "{content:?}");
    }
    let desk = Desk::new()
        .with_variable("COUNTERSIGN_SOURCES_MY_KEYS_API_KEY", "hush")
        .with_variable("COUNTERSIGN_SOURCES_MY_KEYS_SECRET", "new\nold")
        .with_variable("COUNTERSIGN_SOURCES_MY_KEYS_PATH_TOKEN", "abc");
    let settings = desk.load(KEYS).unwrap();
    assert!(settings.sources.iter().all(|source| source.path_token.is_some()));
}

#[test]
fn the_environment_wins_over_the_file() {
    // "unusable" is what the provider of these tests refuses.
    let desk = Desk::new().with_variable("COUNTERSIGN_SOURCES_SHOP_TOKEN", "hush");
    assert_eq!(desk.complaints(SHOP.replace("hush", "unusable")), [""; 0]);
    assert_eq!(desk.complaints(SHOP.replace("token = \"hush\"", "token_file = \"absent\"")), [""; 0]);
    let desk = Desk::new().with_variable("COUNTERSIGN_SOURCES_SHOP_TOKEN", "unusable");
    assert_eq!(
        desk.complaints(SHOP),
        [
            "c.toml: sources.shop.token: the value of the environment variable COUNTERSIGN_SOURCES_SHOP_TOKEN: is of no \
          use; get another (e.g. token = \"secret_…\")"
        ]
    );
}

#[test]
fn a_provider_complains_at_the_line_where_the_secret_was_given() {
    let desk = Desk::new().with_file("t", "unusable\n");
    let text = SHOP.replace("token = \"hush\"", "token_file = \"t\"") + "client_secret = \"unusable\"\n";
    assert_eq!(
        desk.complaints(text),
        [
            "c.toml:4: sources.shop.token_file: is of no use; get another (e.g. token_file = \
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
            format!("4: sources.my-keys.api_key_file: is given beside api_key; keep one of them {file}"),
        ),
        (
            "api_key_file = \"absent\"",
            format!(
                "3: sources.my-keys.api_key_file: names a file that cannot be read (No such file or directory (os \
                 error 2)); a relative path starts at FOLDER {file}"
            ),
        ),
        (
            "api_key_file = \"empty\"",
            format!("3: sources.my-keys.api_key_file: names an empty file; write the file {file}"),
        ),
        (
            "api_key_file = \"blank\"",
            format!("3: sources.my-keys.api_key_file: is empty; write the secret {file}"),
        ),
        (
            "api_key_file = \"binary\"",
            format!(
                "3: sources.my-keys.api_key_file: names a file that is not text; name the file that holds the secret \
                 {file}"
            ),
        ),
        (
            "api_key_file = \"huge\"",
            format!("3: sources.my-keys.api_key_file: names a file over 1 MiB; name the right one {file}"),
        ),
        (
            "# nothing",
            "1: sources.my-keys.api_key: is missing; set it, or api_key_file, or the environment variable \
             COUNTERSIGN_SOURCES_MY_KEYS_API_KEY (e.g. api_key = \"…\")"
                .to_owned(),
        ),
        (
            "api_key = \"a\"\npath_token = \"a/b\"",
            "4: sources.my-keys.path_token: must be 1 to 128 letters, digits or . _ ~ - because it is a part of the \
             intake URL (e.g. path_token = \"k3Vq8mZt\")"
                .to_owned(),
        ),
    ] {
        let desk = Desk::new()
            .with_file("full", "x")
            .with_file("empty", "")
            .with_file("blank", "\n")
            .with_file("binary", [0xff, 0xfe])
            .with_file("huge", vec![b'x'; 1024 * 1024 + 1]);
        assert_eq!(desk.complaints(format!("{KEYS}{lines}\n")), [format!("c.toml:{said}")], "{lines}");
    }
}

#[test]
fn an_empty_variable_is_a_mistake() {
    for (value, key) in [("", "API_KEY"), ("\n", "API_KEY"), ("", "SECRET"), ("new\n\nold", "SECRET")] {
        let desk = Desk::new().with_variable(&format!("COUNTERSIGN_SOURCES_MY_KEYS_{key}"), value);
        let said = desk.complaints(format!("{KEYS}api_key = \"a\"\n"));
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
    assert_eq!(Desk::new().complaints(&text), [""; 0]);
    let desk = Desk::new().with_variable("COUNTERSIGN_SOURCES_SHOP_CLIENT_SECRET", "hush");
    assert_eq!(
        desk.complaints(&text),
        [
            "c.toml: sources.shop-client.secret: the environment variable COUNTERSIGN_SOURCES_SHOP_CLIENT_SECRET is also \
          that of sources.shop.client_secret; give both in the file, or rename a source (e.g. secret = [\"new\", \"old\"])"
        ]
    );
}

#[test]
fn no_secret_is_ever_shown() {
    let desk = Desk::new()
        .with_file("key", "hush-file\n")
        .with_variable("COUNTERSIGN_SOURCES_SHOP_TOKEN", "hush-variable");
    let text = "[sources.shop]\nprovider = \"ecwid\"\nstore_id = 1\npath_token = \"hush-path\"\n\
                client_secret = \"hush-value\"\n[sources.keys]\nprovider = \"kinguin\"\napi_key_file = \"key\"\n";
    let shown = format!("{:?}", desk.load(text).unwrap());
    assert!(shown.contains("shop") && !shown.contains("hush"), "{shown}");
    // The secret in the wrong place, of the wrong type, or in a text that is no TOML.
    for wrong in [
        "provider = \"hush\"",
        "token_file = \"hush\"",
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
        let loaded = Desk::new().load(format!("[sources.shop]\n{wrong}\n"));
        let mistakes = loaded.unwrap_err();
        let shown = format!("{mistakes} {mistakes:?}");
        assert!(!shown.contains("hush"), "{wrong}: {shown}");
    }
}
