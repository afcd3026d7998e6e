//! What is said about a wrong source.

use super::ConfigFolder;

#[test]
fn a_wrong_source_is_named() {
    let key = "(e.g. provider = \"ecwid\")";
    let words = "ecwid-ion, ecwid, kinguin, midas";
    for (text, said) in [
        ("", vec!["c.toml: sources: no source is configured; configure at least one [sources.NAME] (e.g. \
             [sources.shop])".to_owned()]),
        ("\n[sources]\n", vec!["c.toml:2: sources: no source is configured; configure at least one [sources.NAME] \
             (e.g. [sources.shop])".to_owned()]),
        ("sources = 1\n", vec!["c.toml:1: sources: must be a table; write its name once, and its keys below (e.g. [sources])"
            .to_owned()]),
        ("[sources]\nshop = 1\n", vec!["c.toml:2: sources.shop: must be a table; write its name once, and its keys \
             below (e.g. [sources.shop])".to_owned()]),
        ("[[sources.shop]]\n", vec!["c.toml:1: sources.shop: must be a table; write its name once, and its keys \
             below (e.g. [sources.shop])".to_owned()]),
        ("[sources.shop]\nstore_id = 1\n", vec![format!(
            "c.toml:1: sources.shop.provider: is missing; set it to one of {words} {key}"
        )]),
        ("[sources.shop]\nprovider = \"ecwd\"\nrate_limit = 5\n", vec![
            format!("c.toml:2: sources.shop.provider: \"ecwd\" is not one of {words}; did you mean ecwid? \
                {key}"),
            "c.toml:3: sources.shop.rate_limit: is a bare number; write a whole number and its unit in quotes: /s, \
             /min or /h (e.g. rate_limit = \"600/min\")".to_owned(),
        ]),
        ("[sources.shop]\nprovider = \"paypal\"\nsecret = \"a\"\nsecrt = 1\n", vec![
            format!("c.toml:2: sources.shop.provider: \"paypal\" is not one of {words} {key}"),
            "c.toml:4: sources.shop.secrt: unknown key; did you mean secret? (e.g. secret = \"…\")".to_owned(),
        ]),
        (
            "[sources.shop]\nprovider = \"ecwid-ion\"\nstore_id = 1\ntoken = \"a\"\nclient_secret = \"a\"\n",
            vec!["c.toml:5: sources.shop.client_secret: is a key of provider ecwid, not ecwid-ion; remove it, or \
                  correct the provider (e.g. provider = \"ecwid\")".to_owned()],
        ),
        (
            "[sources.shop]\nprovider = \"kinguin\"\napi_key = \"a\"\nstore_id = 1\ntoken_file = \"a\"\n",
            vec![
                "c.toml:4: sources.shop.store_id: is a key of provider ecwid-ion and ecwid, not kinguin; remove it, \
                 or correct the provider (e.g. provider = \"ecwid-ion\")".to_owned(),
                "c.toml:5: sources.shop.token_file: is a key of provider ecwid-ion and ecwid, not kinguin; remove it, \
                 or correct the provider (e.g. provider = \"ecwid-ion\")".to_owned(),
            ],
        ),
        ("[sources.shop]\nprovider = \"ecwid\"\nstore_id = 1.5\ntokn = \"a\"\n", vec![
            "c.toml:1: sources.shop.token: is missing; set it, or token_file, or the environment variable \
             COUNTERSIGN_SOURCES_SHOP_TOKEN (e.g. token = \"secret_…\")".to_owned(),
            "c.toml:3: sources.shop.store_id: must be text in quotes, not a number with a fraction (e.g. store_id = 1003)"
                .to_owned(),
            "c.toml:4: sources.shop.tokn: unknown key; did you mean token? (e.g. token = \"secret_…\")".to_owned(),
        ]),
        ("[sources.Shop_1]\nprovider = \"ecwid\"\nstore_id = 1\ntoken = \"a\"\n", vec![
            "c.toml:1: sources.Shop_1: not a valid source name; use 1 to 32 of a-z, 0-9 and -, not - first \
                (e.g. [sources.shop])".to_owned(),
        ]),
    ] {
        assert_eq!(ConfigFolder::new().complaints(text), said, "{text}");
    }
}

#[test]
fn the_own_keys_of_a_source_are_checked_for_their_type() {
    let midas = "[sources.game]\nprovider = \"midas\"\nmerchant_id = \"m\"\nproject_id = 7\nprivate_key = \"k\"\n\
                 serial_no = \"0A\"\n";
    let files = "(e.g. platform_cert_files = [\"platform.pem\"])";
    for (line, said) in [
        (
            "sign_query = \"yes\"",
            "must be true or false without quotes, not a text (e.g. sign_query = true)".to_owned(),
        ),
        (
            "check_signatures = \"bot\"",
            "\"bot\" is not one of both, notifications, answers; did you mean both? (e.g. check_signatures \
                = \"both\")"
                .to_owned(),
        ),
        ("id_param = \"\"", "is empty; write its value (e.g. id_param = \"external_id\")".to_owned()),
        ("platform_cert_files = \"p\"", format!("must be a list in brackets, not a text {files}")),
        ("platform_cert_files = []", format!("is an empty list; name a file, or remove the key {files}")),
        (
            "platform_cert_files = [\"here\", \"absent\"]",
            format!(
                "entry 2 names absent, which cannot be read (No such file or directory (os error 2)) {files}"
            ),
        ),
    ] {
        let config = ConfigFolder::new().with_file("here", "x");
        let key = line.split(' ').next().unwrap();
        assert_eq!(
            config.complaints(format!("{midas}{line}\n")),
            [format!("c.toml:7: sources.game.{key}: {said}")],
            "{line}"
        );
    }
}
