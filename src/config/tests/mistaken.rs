//! What is said about a wrong configuration: every mistake at once, with its line.

use std::fs;

use proptest::prelude::*;

use super::{ConfigFolder, SHOP};
use crate::config::Settings;

#[test]
fn a_wrong_value_is_named_with_its_line_and_an_example() {
    let duration = "write a whole number with its unit in quotes: ms, s, m, h or d";
    let size = "write a whole number with its unit in quotes: B, KiB, MiB or GiB";
    let rate = "write a whole number and its unit in quotes: /s, /min or /h";
    for (table, line, wrong) in [
        ("server", "listen = \"8080\"", "is not an address; write the IP address of this machine and a port"),
        ("server", "listen = 8080", "must be text in quotes, not a bare number"),
        (
            "server",
            "admin_listen = \"localhost:1\"",
            "is not an address; write the IP address of this machine and a port",
        ),
        ("server", "max_body = 1000", &format!("is a bare number; {size}")),
        ("server", "max_body = \"1000\"", &format!("is not a size; {size}")),
        ("server", "max_body = \"64KB\"", &format!("is not a size; {size}")),
        ("server", "max_body = \"1023B\"", "must be from 1KiB to 64MiB"),
        ("server", "max_body = \"65MiB\"", "must be from 1KiB to 64MiB"),
        ("server", "max_body = \"99999999999999999999GiB\"", "must be from 1KiB to 64MiB"),
        ("server", "trusted_proxies = \"::1\"", "must be a list in brackets, not a text"),
        (
            "server",
            "trusted_proxies = [\"::1\", \"proxy\"]",
            "entry 2 is not an IP address or network; host names are not possible here",
        ),
        ("server", "per_address_limit = \"0/s\"", "must be at least 1"),
        ("server", "per_address_limit = \"50/m\"", &format!("is not a rate; {rate}")),
        ("server", "per_address_limit = 50", &format!("is a bare number; {rate}")),
        ("server", "per_address_limit = \"1000001/h\"", "is too high; the maximum is 1000000"),
        ("server", "drain = 10", &format!("is a bare number; {duration}")),
        ("server", "drain = \"10\"", &format!("is not a duration; {duration}")),
        ("server", "drain = \"2h\"", "is too long; the maximum is 1h"),
        ("store", "path = \"\"", "is empty; write its value"),
        ("store", "path = \" a.db\"", "has spaces at its start or end; remove them"),
        ("store", "path = \"a\\u0000b\"", "contains a control character; remove it"),
        ("store", "min_free = \"-1MiB\"", &format!("is not a size; {size}")),
        ("store", "keep = \"0d\"", "must be longer than zero"),
        ("store", "keep = \"1.5d\"", &format!("is not a duration; {duration}")),
        ("store", "keep = \"36501d\"", "is too long; the maximum is 36500d"),
        ("store", "keep_personal = true", "must be text in quotes, not true or false"),
        ("store", "max_unproven = 0", "must be at least 1"),
        ("store", "max_unproven = \"5\"", "must be a whole number, not a text"),
        ("verify", "concurrency = 0", "must be from 1 to 1024"),
        ("verify", "concurrency = 1025", "must be from 1 to 1024"),
        ("verify", "concurrency = -1", "must be from 1 to 1024"),
        ("verify", "concurrency = 1.5", "must be a whole number, not a number with a fraction"),
        ("verify", "timeout = \"0s\"", "must be longer than zero"),
        ("verify", "timeout = \"111s\"", "is too long; the maximum is 110s"),
        ("verify", "retry_cap = \"361m\"", "is too long; the maximum is 6h"),
        ("verify", "grace = \"60 s\"", &format!("is not a duration; {duration}")),
        ("verify", "grace = 1979-05-27", "must be text in quotes, not a date"),
        ("verify", "retry_base = \"0ms\"", "must be longer than zero"),
        ("verify", "retry_base = \"16m\"", "retry_cap is shorter than retry_base; make it at least as long"),
        ("verify", "retry_cap = \"1s\"", "retry_cap is shorter than retry_base; make it at least as long"),
        ("verify", "give_up_after = \"0d\"", "must be longer than zero"),
        ("verify", "denied_pause = \"2h\"", "is too long; the maximum is 1h"),
        ("verify", "denied_pause = \"99999999999999999999999d\"", "is too long; the maximum is 1h"),
    ] {
        let key = line.split(' ').next().unwrap();
        let said = ConfigFolder::new().complaints(format!("# first\n[{table}]\n{line}\n{SHOP}"));
        let [said] = said.as_slice() else { panic!("{line}: {said:?}") };
        let start = format!("c.toml:3: {table}.{key}: {wrong} (e.g. {key} = ");
        assert!(said.starts_with(&start) && said.ends_with(')'), "{line}:\n{said}\n{start}");
    }
}

#[test]
fn listeners_that_take_each_others_place_are_a_mistake() {
    for (listen, admin, line) in [
        ("127.0.0.1:9000", "127.0.0.1:9000", Some(3)),
        ("0.0.0.0:9000", "127.0.0.1:9000", Some(3)),
        ("[::]:9000", "127.0.0.1:9000", Some(3)),
        ("127.0.0.1:0", "127.0.0.1:0", None),
        ("127.0.0.1:9000", "127.0.0.2:9000", None),
    ] {
        let text = format!("[server]\nlisten = \"{listen}\"\nadmin_listen = \"{admin}\"\n{SHOP}");
        let found = ConfigFolder::new().load(text).err();
        let line_found =
            found.as_ref().and_then(|mistakes| mistakes.iter().next()).and_then(|first| first.line);
        assert_eq!(line_found, line, "{listen} {admin} {found:?}");
    }
    let said = ConfigFolder::new().complaints(format!("[server]\nlisten = \"127.0.0.1:8081\"\n{SHOP}"));
    assert_eq!(
        said,
        [
            "c.toml:2: server.listen: listen and admin_listen are the same address; give one of them another port (e.g. \
          listen = \"127.0.0.1:8080\")"
        ]
    );
}

#[test]
fn what_nobody_knows_is_named_with_a_guess() {
    for (text, said) in [
        (
            "[server]\nlistn = \"x\"\n",
            "2: server.listn: unknown key; did you mean listen? (e.g. listen = \"127.0.0.1:8080\")",
        ),
        (
            "[server]\ngrace = \"1s\"\n",
            "2: server.grace: is a key of [verify]; move it there (e.g. grace = \"60s\" below [verify])",
        ),
        (
            "[server]\nport = 1\n",
            "2: server.port: unknown key; remove it, or use one of listen, admin_listen, max_body, trusted_proxies, \
             per_address_limit, drain (e.g. listen = \"127.0.0.1:8080\")",
        ),
        (
            "[server.tls]\n",
            "1: server.tls: unknown table; remove it, or use one of listen, admin_listen, max_body, \
             trusted_proxies, per_address_limit, drain (e.g. listen = \"127.0.0.1:8080\")",
        ),
        (
            "[shops.shop]\n",
            "1: shops: unknown table; remove it, or use one of server, store, verify, sources, admin, mail, alerts, actions, ledger (e.g. [server])",
        ),
        ("[source.shop]\n", "1: source: unknown table; did you mean sources? (e.g. [sources])"),
        (
            "listen = \"x\"\n",
            "1: listen: is a key of [server]; move it there (e.g. listen = \"127.0.0.1:8080\" below [server])",
        ),
        (
            "[keys]\nprovider = \"kinguin\"\n",
            "1: keys: unknown table; a source's table is named [sources.NAME] (e.g. [sources.keys])",
        ),
        (
            "[[server]]\n",
            "1: server: must be a table; write its name once, and its keys below (e.g. [server])",
        ),
        (
            "server = 1\n",
            "1: server: must be a table; write its name once, and its keys below (e.g. [server])",
        ),
        (
            "\n\"a\\nb\" = 1\n",
            "2: \"a\\nb\": unknown key; remove it, or use one of server, store, verify, sources, admin, mail, alerts, actions, ledger (e.g. [server])",
        ),
    ] {
        assert_eq!(
            ConfigFolder::new().complaints(format!("{text}{SHOP}")),
            [format!("c.toml:{said}")],
            "{text}"
        );
    }
}

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
fn all_mistakes_are_listed_in_the_order_of_their_lines() {
    let text = "[store]\nkeep = 1\nkeeep = 1\n[verify]\nretry_cap = \"1s\"\n[server]\nlisten = 1\n[sources.a]\n\
                provider = \"ecwid\"\n[sources.b]\nprovider = \"x\"\n";
    let mistakes = ConfigFolder::new().load(text).unwrap_err();
    let lines: Vec<_> =
        mistakes.iter().map(|mistake| (mistake.line.unwrap(), mistake.key.as_str())).collect();
    let expected = [
        (2, "store.keep"),
        (3, "store.keeep"),
        (5, "verify.retry_cap"),
        (7, "server.listen"),
        (8, "sources.a.store_id"),
        (8, "sources.a.token"),
        (11, "sources.b.provider"),
    ];
    assert_eq!(lines, expected);
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

#[test]
fn a_mail_server_is_whole_or_wrong() {
    let right =
        "smtp = \"smtps://user@mail.example.com\"\npassword = \"hush\"\nfrom = \"shop@example.com\"\n";
    let mailbox = "[actions.tell]\nmail = [\"owner@example.com\"]\n";
    let said =
        |mail: &str, action: &str| ConfigFolder::new().complaints(format!("{SHOP}{mail}{action}")).join("\n");
    assert_eq!(said(&format!("[mail]\n{right}"), mailbox), "");
    for (mail, action, part) in [
        (String::new(), mailbox, "actions.tell.mail"),
        (format!("[mail]\n{}", right.replace("password = \"hush\"\n", "")), mailbox, "mail.password"),
        (format!("[mail]\n{}", right.replace("user@", "")), mailbox, "names no user"),
        (format!("[mail]\n{}", right.replace("user@", "user:hush@")), mailbox, "holds a password"),
        (format!("[mail]\n{}", right.replace("smtps:", "https:")), mailbox, "smtps://"),
        (format!("[mail]\n{}", right.replace("from", "form")), mailbox, "mail.from"),
        (format!("[mail]\n{right}"), "[actions.tell]\nmail = []\n", "empty list"),
        (
            format!("[mail]\n{right}"),
            "[actions.alerts]\nmail = [\"a@b.example\"]\n",
            "is reserved for the alerts",
        ),
        (
            format!("[mail]\n{right}"),
            "[actions.tell]\nmail = [\"owner\"]\n",
            "entry 1 is not an e-mail address",
        ),
        (
            format!("[mail]\n{right}"),
            "[actions.tell]\nmail = [\"a@b.example\"]\ninclude = [\"raw\"]\n",
            "raw",
        ),
    ] {
        let said = said(&mail, action);
        assert!(said.contains(part) && !said.contains("hush"), "{part}: {said}");
    }
}
