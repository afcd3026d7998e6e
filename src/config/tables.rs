//! The tables of the file, one function per table: keys, ranges and defaults.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use toml_edit::{Document, Item};

use super::file::{KnownKey, Notes, Section};
use super::secret::Outside;
use super::values::{self, CENTURY, INSTANT};
use super::{
    AdminSettings, ServerSettings, Settings, StoreSettings, VerifySettings, action, alerts, ledger, mail,
    secret, source,
};
use crate::domain::settlement::Policy;
use crate::providers::ProviderKind;

const TABLES: &[KnownKey] = &[
    ("server", ""),
    ("store", ""),
    ("verify", ""),
    ("sources", ""),
    ("admin", ""),
    ("mail", ""),
    ("alerts", ""),
    ("actions", ""),
    ("ledger", ""),
];

const SERVER: &[KnownKey] = &[
    ("listen", "\"127.0.0.1:8080\""),
    ("admin_listen", "\"127.0.0.1:8081\""),
    ("max_body", "\"256KiB\""),
    ("trusted_proxies", "[\"127.0.0.1\", \"10.0.0.0/8\"]"),
    ("per_address_limit", "\"50/s\""),
    ("drain", "\"10s\""),
];

const STORE: &[KnownKey] = &[
    ("path", "\"countersign.db\""),
    ("min_free", "\"256MiB\""),
    ("keep", "\"400d\""),
    ("keep_personal", "\"90d\""),
    ("max_unproven", "1000000"),
];

const VERIFY: &[KnownKey] = &[
    ("concurrency", "8"),
    ("timeout", "\"10s\""),
    ("grace", "\"60s\""),
    ("retry_base", "\"2s\""),
    ("retry_cap", "\"15m\""),
    ("give_up_after", "\"7d\""),
    ("denied_pause", "\"5m\""),
];

const ADMIN: &[KnownKey] =
    &[("page", "true"), ("password", "\"…\""), ("hosts", "[\"vps.example.com\"]"), ("read_only", "false")];

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const PIB: u64 = 1 << 50;

/// Reads all tables. If mistakes were noted, the settings must not be used.
pub(super) fn read(
    document: &Document<String>,
    file: &Path,
    kinds: &[&'static ProviderKind],
    outside: &mut Outside<'_>,
    notes: &mut Notes,
) -> Option<Settings> {
    let mut top = Section::top(document, TABLES, notes);
    top.refuse_unknown(&[], |name, item| {
        let is_source = item.as_table_like().is_some_and(|table| table.contains_key("provider"));
        if is_source {
            Some(format!("unknown table; a source's table is named [sources.NAME] (e.g. [sources.{name}])"))
        } else {
            home(name)
        }
    });
    let server = server(&mut top.below("server", SERVER));
    let store = store(&mut top.below("store", STORE), outside.folder);
    let verify = verify(&mut top.below("verify", VERIFY));
    let sources = sources(&mut top, kinds, outside);
    let admin = admin(&mut top.below("admin", ADMIN), outside);
    let names = top.item("sources").and_then(Item::as_table_like);
    let names: Vec<String> =
        names.into_iter().flat_map(|table| table.iter().map(|(name, _)| name.to_owned())).collect();
    let mail = mail::read(&mut top.below("mail", mail::KEYS), outside);
    let actions = action::read_all(&mut top, &names, &mail, outside);
    let alerts = alerts::read(&mut top.below("alerts", alerts::KEYS), &mail, outside);
    let ledger = ledger::read(&mut top, outside);
    Some(Settings {
        file: file.to_owned(),
        server: server?,
        store,
        verify: verify?,
        sources,
        admin,
        actions,
        alerts: alerts?,
        ledger,
        entries: Vec::new(),
    })
}

/// Explains a key that belongs to another table.
fn home(name: &str) -> Option<String> {
    [
        ("server", SERVER),
        ("store", STORE),
        ("verify", VERIFY),
        ("admin", ADMIN),
        ("mail", mail::KEYS),
        ("alerts", alerts::KEYS),
    ]
    .iter()
    .find_map(|(table, keys)| {
        let (key, example) = keys.iter().find(|(key, _)| *key == name)?;
        Some(format!("is a key of [{table}]; move it there (e.g. {key} = {example} below [{table}])"))
    })
}

fn server(section: &mut Section<'_>) -> Option<ServerSettings> {
    section.refuse_unknown(&[], |name, _| home(name));
    let server = ServerSettings {
        listen: section
            .read_or("listen", "\"127.0.0.1:8080\"", values::address)
            .unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 8080))),
        admin_listen: section
            .read_or("admin_listen", "\"127.0.0.1:8081\"", values::address)
            .unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 8081))),
        max_body: section
            .read_or("max_body", "\"256KiB\"", |item| values::size(item, KIB..=64 * MIB))
            .map_or(Ok(256 * 1024), usize::try_from)
            .ok()?,
        trusted_proxies: section
            .read_or("trusted_proxies", "[\"127.0.0.1\", \"::1\"]", |item| {
                values::list(item, values::network)
            })
            .unwrap_or_default(),
        per_address_limit: section.read("per_address_limit", values::rate),
        drain: section
            .read_or("drain", "\"10s\"", |item| values::duration(item, Duration::ZERO..=HOUR))
            .unwrap_or(10 * SECOND),
    };
    if collide(server.listen, server.admin_listen) {
        let key = if section.has("admin_listen") { "admin_listen" } else { "listen" };
        section.blame(key, "listen and admin_listen are the same address; give one of them another port");
    }
    Some(server)
}

/// Whether two listeners would collide.
fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    let is_any = one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() != 0 && one.port() == other.port() && (is_any || one.ip() == other.ip())
}

fn store(section: &mut Section<'_>, folder: &Path) -> StoreSettings {
    section.refuse_unknown(&[], |name, _| home(name));
    let age = |item: &Item| values::duration(item, INSTANT..=CENTURY);
    let path = section.read_or("path", "\"countersign.db\"", |item| values::path(item, folder));
    let path = path.unwrap_or_else(|| folder.join("countersign.db"));
    section.enter_as("path", &path.display().to_string());
    StoreSettings {
        path,
        min_free: section
            .read_or("min_free", "\"256MiB\"", |item| values::size(item, 0..=PIB))
            .unwrap_or(256 * MIB),
        keep: section.read("keep", age),
        keep_personal: section.read("keep_personal", age),
        max_unproven: section
            .read_or("max_unproven", "1000000", |item| values::number(item, 1..=i64::MAX))
            .unwrap_or(1_000_000),
    }
}

/// A call must end before the rate limit forgets it, two minutes after its start.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(110);

/// Maximum `retry_cap`. A retry scheduled further ahead is taken for the result of a wrong clock.
const LONGEST_CAP: Duration = Duration::from_secs(6 * 3600);

fn verify(section: &mut Section<'_>) -> Option<VerifySettings> {
    section.refuse_unknown(&[], |name, _| home(name));
    let before = section.mistakes();
    let mut duration = |key: &str, least: Duration, most: Duration, default: &str| {
        let read = section.read_or(key, default, |item| values::duration(item, least..=most));
        read.unwrap_or(least)
    };
    let timeout = duration("timeout", INSTANT, LONGEST_TIMEOUT, "\"10s\"");
    let policy = Policy {
        grace: duration("grace", Duration::ZERO, CENTURY, "\"60s\""),
        retry_base: duration("retry_base", INSTANT, CENTURY, "\"2s\""),
        retry_cap: duration("retry_cap", INSTANT, LONGEST_CAP, "\"15m\""),
        give_up_after: duration("give_up_after", INSTANT, CENTURY, "\"7d\""),
        denied_pause: duration("denied_pause", INSTANT, HOUR, "\"5m\""),
    };
    if policy.retry_cap < policy.retry_base && section.mistakes() == before {
        let key = if section.has("retry_cap") { "retry_cap" } else { "retry_base" };
        section.blame(key, "retry_cap is shorter than retry_base; make it at least as long");
    }
    let concurrency = section
        .read_or("concurrency", "8", |item| values::number(item, 1..=1024))
        .map_or(Ok(8), usize::try_from)
        .ok()?;
    Some(VerifySettings { concurrency, timeout, policy })
}

fn admin(section: &mut Section<'_>, outside: &mut Outside<'_>) -> AdminSettings {
    section.refuse_unknown(&[secret::file_key("password")], |name, _| home(name));
    AdminSettings {
        page: section.read_or("page", "true", values::flag).unwrap_or(true),
        password: secret::read(section, outside, "admin", "password", false).pop(),
        hosts: section.read_or("hosts", "[]", |item| values::list(item, values::host)).unwrap_or_default(),
        read_only: section.read_or("read_only", "false", values::flag).unwrap_or(false),
    }
}

fn sources(
    top: &mut Section<'_>,
    kinds: &[&'static ProviderKind],
    outside: &mut Outside<'_>,
) -> Vec<source::Source> {
    let before = top.mistakes();
    let mut section = top.below("sources", &[]);
    let names = section.names();
    if names.is_empty() && section.mistakes() == before {
        section.note_itself(
            "no source is configured; configure at least one [sources.NAME] (e.g. [sources.shop])",
        );
    }
    let mut sources = Vec::new();
    for name in &names {
        if !values::is_name(name) {
            let message =
                "not a valid source name; use 1 to 32 of a-z, 0-9 and -, not - first (e.g. [sources.shop])";
            section.note(name, message.to_owned());
        }
        let mut section = section.below(name, &[]);
        if section.is_present() {
            sources.extend(source::read(&mut section, name, kinds, outside));
        }
    }
    sources
}
