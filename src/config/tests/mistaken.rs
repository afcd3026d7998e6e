//! What is said about a wrong configuration: every mistake at once, with its line.

use super::{ConfigFolder, SHOP};

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
