//! The file that `init` writes.

use std::collections::BTreeSet;

use super::{ConfigFolder, SHOP};
use crate::config::{EXAMPLE, file};
use crate::providers::{self, KeyKind};

/// Every key of the contract.
const KEYS: &[&str] = &[
    "server.listen",
    "server.admin_listen",
    "server.max_body",
    "server.trusted_proxies",
    "server.per_address_limit",
    "server.drain",
    "store.path",
    "store.min_free",
    "store.keep",
    "store.keep_personal",
    "store.max_unproven",
    "verify.concurrency",
    "verify.timeout",
    "verify.grace",
    "verify.retry_base",
    "verify.retry_cap",
    "verify.give_up_after",
    "verify.denied_pause",
    "admin.page",
    "admin.password",
    "admin.hosts",
    "admin.read_only",
    "actions.erp.url",
    "actions.erp.secret",
    "actions.erp.sources",
    "actions.erp.kinds",
    "actions.erp.status",
    "actions.erp.include",
    "actions.erp.timeout",
    "actions.erp.concurrency",
    "actions.erp.retry",
    "actions.erp.give_up_after",
    "actions.ship.command",
    "actions.tell.mail",
    "mail.smtp",
    "mail.password",
    "mail.from",
    "alerts.mail",
    "alerts.url",
    "alerts.format",
    "alerts.after",
    "alerts.remind",
    "alerts.recovery",
    "alerts.heartbeat_url",
    "alerts.heartbeat_every",
    "ledger.url",
    "ledger.password",
    "ledger.ca_file",
    "ledger.schema",
    "ledger.node",
    "ledger.include",
    "sources.shop.provider",
    "sources.shop.store_id",
    "sources.shop.token",
    "sources.shop.client_secret",
    "sources.shop.path_token",
    "sources.shop.api_base",
    "sources.shop.rate_limit",
    "sources.shop.expect_every",
    "sources.keys.provider",
    "sources.keys.api_key",
    "sources.keys.secret",
    "sources.keys.api_base",
    "sources.game.provider",
    "sources.game.merchant_id",
    "sources.game.project_id",
    "sources.game.private_key_file",
    "sources.game.serial_no",
    "sources.game.platform_cert_files",
    "sources.game.check_signatures",
    "sources.game.auth_id_type",
    "sources.game.id_param",
    "sources.game.sign_query",
    "sources.game.api_base",
];

/// The example with everything switched on: a setting follows its # directly, a note after a blank.
fn switched_on() -> String {
    let on = |line: &'static str| match line.strip_prefix('#') {
        Some(setting) if !setting.starts_with([' ', '#']) => setting,
        _ => line,
    };
    EXAMPLE.lines().map(on).collect::<Vec<_>>().join("\n")
}

/// The example's keys, and their values where these are text.
fn keys() -> Vec<(String, String)> {
    let mut mistakes = Vec::new();
    let document = file::parse(&switched_on(), &mut mistakes).unwrap();
    assert_eq!(mistakes, []);
    let mut keys = Vec::new();
    let mut waiting: Vec<_> = document.iter().map(|(name, item)| (name.to_owned(), item.clone())).collect();
    while let Some((path, item)) = waiting.pop() {
        match item.as_table() {
            Some(table) => {
                waiting.extend(table.iter().map(|(name, item)| (format!("{path}.{name}"), item.clone())));
            }
            None => keys.push((path, item.as_str().unwrap_or_default().to_owned())),
        }
    }
    keys
}

#[test]
fn the_example_names_every_key_and_no_other() {
    let named: BTreeSet<_> = keys().into_iter().map(|(path, _)| path).collect();
    let expected: BTreeSet<_> = KEYS.iter().map(|key| (*key).to_owned()).collect();
    assert_eq!(named, expected);
}

#[test]
fn the_example_is_right_but_for_the_missing_source() {
    let said = ConfigFolder::new().complaints(EXAMPLE);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said.iter().all(|line| line.contains("no source is configured")), "{said:?}");
}

#[test]
fn what_the_example_sets_are_the_defaults() {
    let config = ConfigFolder::new();
    let (example, bare) = (config.load(format!("{EXAMPLE}{SHOP}")).unwrap(), config.load(SHOP).unwrap());
    assert_eq!(example.server, bare.server);
    assert_eq!(example.store, bare.store);
    assert_eq!(example.verify, bare.verify);
}

#[test]
fn the_example_with_everything_switched_on_is_right() {
    let config =
        ConfigFolder::new().with_file("merchant.pem", "key").with_file("platform.pem", "certificate");
    let settings = config.load(switched_on()).unwrap();
    let names: Vec<_> = settings.sources.iter().map(|source| source.name.as_str()).collect();
    assert_eq!(names, ["shop", "keys", "game"]);
    assert!(settings.server.per_address_limit.is_some() && settings.store.keep.is_some());
}

#[test]
fn the_example_speaks_of_the_kinds_that_there_are() {
    let keys = keys();
    for source in ["shop", "keys", "game"] {
        let value = |key: &str| {
            let path = format!("sources.{source}.{key}");
            keys.iter().find(|(name, _)| *name == path).map(|(_, value)| value.as_str())
        };
        let word = value("provider").unwrap();
        let Some(kind) = providers::kind(word) else { continue };
        assert_eq!(value("api_base").unwrap(), kind.default_api_base);
        for key in kind.keys {
            let is_secret = matches!(key.kind, KeyKind::Secret | KeyKind::Secrets);
            let in_file = is_secret && value(&format!("{}_file", key.name)).is_some();
            assert!(in_file || value(key.name).is_some(), "{word}: {} is not in the example", key.name);
        }
    }
}
