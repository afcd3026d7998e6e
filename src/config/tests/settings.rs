//! What a right configuration gives.

use std::time::Duration;

use secrecy::ExposeSecret;

use super::{ConfigFolder, ECWID_API, SHOP};
use crate::domain::Rate;
use crate::providers::KINDS;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);

#[test]
fn what_is_not_configured_has_the_defaults_of_the_contract() {
    let config = ConfigFolder::new();
    let settings = config.load(SHOP).unwrap();
    assert_eq!(settings.file, config.path().join("c.toml"));
    let server = &settings.server;
    assert_eq!(server.listen, "127.0.0.1:8080".parse().unwrap());
    assert_eq!(server.admin_listen, "127.0.0.1:8081".parse().unwrap());
    assert_eq!(server.max_body, 256 * 1024);
    assert_eq!(server.trusted_proxies, ["127.0.0.1/32".parse().unwrap(), "::1/128".parse().unwrap()]);
    assert_eq!(server.per_address_limit, None);
    assert_eq!(server.drain, 10 * SECOND);
    let store = &settings.store;
    assert_eq!(store.path, config.path().join("countersign.db"));
    assert_eq!(store.min_free, 256 * 1024 * 1024);
    assert_eq!((store.keep, store.keep_personal, store.max_unproven), (None, None, 1_000_000));
    let verify = &settings.verify;
    assert_eq!((verify.concurrency, verify.timeout), (8, 10 * SECOND));
    let policy = &verify.policy;
    assert_eq!((policy.grace, policy.retry_base, policy.retry_cap), (MINUTE, 2 * SECOND, 15 * MINUTE));
    assert_eq!((policy.give_up_after, policy.denied_pause), (7 * DAY, 5 * MINUTE));
    let [shop] = settings.sources.as_slice() else { panic!("one source") };
    assert_eq!((shop.name.as_str(), shop.kind.name, shop.api_base.as_str()), ("shop", "ecwid", ECWID_API));
    assert_eq!(shop.rate_limit, Rate { limit: 600, window: MINUTE });
    assert!(shop.path_token.is_none() && shop.expect_every.is_none());
}

#[test]
fn what_is_configured_counts() {
    let text = r#"
        [server]
        listen = "[::]:0"
        admin_listen = "[::]:0"
        max_body = "64MiB"
        trusted_proxies = []
        per_address_limit = "50/s"
        drain = "0s"
        [store]
        path = "/var/lib/countersign/c.db"
        min_free = "0B"
        keep = "400d"
        keep_personal = "90d"
        max_unproven = 1
        [verify]
        concurrency = 1024
        timeout = "500ms"
        grace = "0s"
        retry_base = "1m"
        retry_cap = "1m"
        give_up_after = "1h"
        denied_pause = "1h"
        [sources.a]
        provider = "ecwid"
        store_id = 1003
        token = "hush"
        path_token = "a.B_c~d-1"
        rate_limit = "5000/h"
        expect_every = "12h"
        [sources.b-2]
        provider = "ecwid-ion"
        store_id = "7"
        token = "hush"
        api_base = "http://127.0.0.1:9/api/"
    "#;
    let settings = ConfigFolder::new().load(text).unwrap();
    assert_eq!(settings.server.max_body, 64 << 20);
    assert!(settings.server.trusted_proxies.is_empty());
    assert_eq!(settings.server.per_address_limit, Some(Rate { limit: 50, window: SECOND }));
    assert_eq!(settings.server.drain, Duration::ZERO);
    assert_eq!(settings.store.path.to_str(), Some("/var/lib/countersign/c.db"));
    assert_eq!((settings.store.min_free, settings.store.max_unproven), (0, 1));
    assert_eq!((settings.store.keep, settings.store.keep_personal), (Some(400 * DAY), Some(90 * DAY)));
    assert_eq!((settings.verify.concurrency, settings.verify.timeout), (1024, SECOND / 2));
    assert_eq!(settings.verify.policy.grace, Duration::ZERO);
    let [a, b] = settings.sources.as_slice() else { panic!("two sources, in the order of the file") };
    assert_eq!(a.path_token.as_ref().map(ExposeSecret::expose_secret), Some("a.B_c~d-1"));
    assert_eq!(a.rate_limit, Rate { limit: 5000, window: 60 * MINUTE });
    assert_eq!(a.expect_every, Some(12 * 60 * MINUTE));
    assert_eq!((b.name.as_str(), b.api_base.as_str()), ("b-2", "http://127.0.0.1:9/api"));
}

#[test]
fn sources_may_be_written_as_inline_tables() {
    let text = "sources.shop = { provider = \"ecwid\", store_id = 1003, token = \"hush\" }\n";
    assert_eq!(ConfigFolder::new().load(text).unwrap().sources.len(), 1);
    let text =
        "\u{feff}[sources]\r\nshop.provider = \"ecwid\"\r\nshop.store_id = 1003\r\nshop.token = \"hush\"\r\n";
    assert_eq!(ConfigFolder::new().load(text).unwrap().sources.len(), 1);
}

#[test]
fn an_api_is_https_or_on_this_machine() {
    for (given, base) in [
        ("https://shop.example/api/", Some("https://shop.example/api")),
        ("https://shop.example", Some("https://shop.example")),
        ("https://shop.example:8443/a//", Some("https://shop.example:8443/a")),
        ("http://127.0.0.1:8090/api", Some("http://127.0.0.1:8090/api")),
        ("http://127.9.9.9", Some("http://127.9.9.9")),
        ("http://[::1]:8090", Some("http://[::1]:8090")),
        ("http://localhost:8090/", Some("http://localhost:8090")),
        ("http://shop.example", None),
        ("http://127.0.0.1.shop.example", None),
        ("http://localhost.shop.example", None),
        ("http://10.0.0.1", None),
        ("http://0.0.0.0", None),
        ("http://[::ffff:10.0.0.1]", None),
        ("ftp://127.0.0.1", None),
        ("shop.example/api", None),
        ("https://", None),
        ("https:shop.example\\\\api", None),
        ("https://shop.example/?a=1", None),
        ("https://shop.example/?", None),
        ("https://shop.example/#a", None),
        ("https://me:hush@shop.example/", None),
        ("https://shop.example/a b", None),
        ("", None),
    ] {
        let loaded = ConfigFolder::new().load(format!("{SHOP}api_base = \"{given}\"\n"));
        let found = loaded.as_ref().ok().and_then(|settings| settings.sources.first());
        assert_eq!(found.map(|source| source.api_base.as_str()), base, "{given}: {loaded:?}");
    }
}

#[test]
fn the_defaults_of_every_kind_can_be_read() {
    for kind in KINDS {
        let keys = [("api_base", kind.default_api_base), ("rate_limit", kind.default_rate_limit)];
        for (key, value) in keys {
            let complaints = ConfigFolder::new().complaints(format!("{SHOP}{key} = \"{value}\"\n"));
            assert!(complaints.is_empty(), "{}: {complaints:?}", kind.name);
        }
    }
}
