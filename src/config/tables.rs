//! The tables of the file, one function each: keys, ranges and defaults.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use ipnet::IpNet;
use toml_edit::{Document, Item};

use super::file::{Known, Section};
use super::mistakes::Mistake;
use super::secret::Outside;
use super::values::{self, CENTURY, INSTANT};
use super::{Server, Settings, Store, Verify, source};
use crate::domain::ledger::Policy;
use crate::providers::Kind;

const TABLES: &[Known] = &[("server", ""), ("store", ""), ("verify", ""), ("sources", "")];

const SERVER: &[Known] = &[
    ("listen", "\"127.0.0.1:8080\""),
    ("admin_listen", "\"127.0.0.1:8081\""),
    ("max_body", "\"256KiB\""),
    ("trusted_proxies", "[\"127.0.0.1\", \"10.0.0.0/8\"]"),
    ("per_address_limit", "\"50/s\""),
    ("drain", "\"10s\""),
];

const STORE: &[Known] = &[
    ("path", "\"countersign.db\""),
    ("min_free", "\"256MiB\""),
    ("keep", "\"400d\""),
    ("keep_personal", "\"90d\""),
    ("max_unproven", "1000000"),
];

const VERIFY: &[Known] = &[
    ("concurrency", "8"),
    ("timeout", "\"10s\""),
    ("grace", "\"60s\""),
    ("retry_base", "\"2s\""),
    ("retry_cap", "\"15m\""),
    ("give_up_after", "\"7d\""),
    ("denied_pause", "\"5m\""),
];

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const PIB: u64 = 1 << 50;

/// Reads all tables; what is wrong is noted, and then the settings must not be used.
pub(super) fn read(
    document: &Document<String>,
    file: &Path,
    kinds: &[&'static Kind],
    outside: &mut Outside<'_>,
    mistakes: &mut Vec<Mistake>,
) -> Option<Settings> {
    let mut top = Section::top(document, TABLES, mistakes);
    top.refuse_unknown(&[], |name, item| {
        let is_source = item.as_table_like().is_some_and(|table| table.contains_key("provider"));
        if is_source { Some(format!("unknown table; did you mean [sources.{name}]?")) } else { home(name) }
    });
    let server = server(&mut top.below("server", SERVER));
    let store = store(&mut top.below("store", STORE), outside.folder);
    let verify = verify(&mut top.below("verify", VERIFY));
    let sources = sources(&mut top, kinds, outside);
    Some(Settings { file: file.to_owned(), server: server?, store, verify: verify?, sources })
}

/// Says where a key belongs that stands in the wrong table.
fn home(name: &str) -> Option<String> {
    [("server", SERVER), ("store", STORE), ("verify", VERIFY)].iter().find_map(|(table, keys)| {
        let is_here = keys.iter().any(|(key, _)| *key == name);
        is_here.then(|| format!("is a key of [{table}]; move it there"))
    })
}

fn server(section: &mut Section<'_>) -> Option<Server> {
    section.refuse_unknown(&[], |name, _| home(name));
    let listen = section.read("listen", values::address);
    let admin_listen = section.read("admin_listen", values::address);
    let server = Server {
        listen: listen.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 8080))),
        admin_listen: admin_listen.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 8081))),
        max_body: section
            .read("max_body", |item| values::size(item, KIB..=64 * MIB))
            .map_or(Ok(256 * 1024), usize::try_from)
            .ok()?,
        trusted_proxies: section
            .read("trusted_proxies", |item| values::list(item, values::network))
            .unwrap_or_else(|| {
                vec![
                    IpNet::from(IpAddr::from(Ipv4Addr::LOCALHOST)),
                    IpNet::from(IpAddr::from(Ipv6Addr::LOCALHOST)),
                ]
            }),
        per_address_limit: section.read("per_address_limit", values::rate),
        drain: section
            .read("drain", |item| values::duration(item, Duration::ZERO..=HOUR))
            .unwrap_or(10 * SECOND),
    };
    if collide(server.listen, server.admin_listen) {
        let key = if section.has("admin_listen") { "admin_listen" } else { "listen" };
        section.blame(key, "listen and admin_listen are the same address; give one of them another port");
    }
    Some(server)
}

/// Whether one of two listeners would take the other's place.
fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    let is_any = one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() != 0 && one.port() == other.port() && (is_any || one.ip() == other.ip())
}

fn store(section: &mut Section<'_>, folder: &Path) -> Store {
    section.refuse_unknown(&[], |name, _| home(name));
    let age = |item: &Item| values::duration(item, INSTANT..=CENTURY);
    Store {
        path: section
            .read("path", |item| values::path(item, folder))
            .unwrap_or_else(|| folder.join("countersign.db")),
        min_free: section.read("min_free", |item| values::size(item, 0..=PIB)).unwrap_or(256 * MIB),
        keep: section.read("keep", age),
        keep_personal: section.read("keep_personal", age),
        max_unproven: section
            .read("max_unproven", |item| values::number(item, 1..=i64::MAX))
            .unwrap_or(1_000_000),
    }
}

fn verify(section: &mut Section<'_>) -> Option<Verify> {
    section.refuse_unknown(&[], |name, _| home(name));
    let mut duration = |key: &str, least: Duration, most: Duration, default: Duration| {
        section.read(key, |item| values::duration(item, least..=most)).unwrap_or(default)
    };
    let timeout = duration("timeout", INSTANT, HOUR, 10 * SECOND);
    let policy = Policy {
        grace: duration("grace", Duration::ZERO, CENTURY, MINUTE),
        retry_base: duration("retry_base", INSTANT, CENTURY, 2 * SECOND),
        retry_cap: duration("retry_cap", INSTANT, CENTURY, 15 * MINUTE),
        give_up_after: duration("give_up_after", INSTANT, CENTURY, 7 * DAY),
        denied_pause: duration("denied_pause", INSTANT, HOUR, 5 * MINUTE),
    };
    if policy.retry_cap < policy.retry_base {
        let key = if section.has("retry_cap") { "retry_cap" } else { "retry_base" };
        section.blame(key, "retry_cap is shorter than retry_base; make it at least as long");
    }
    let concurrency = section
        .read("concurrency", |item| values::number(item, 1..=1024))
        .map_or(Ok(8), usize::try_from)
        .ok()?;
    Some(Verify { concurrency, timeout, policy })
}

fn sources(top: &mut Section<'_>, kinds: &[&'static Kind], outside: &mut Outside<'_>) -> Vec<source::Source> {
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
        if !source::is_name(name) {
            let message =
                "not a name for a source; use 1 to 32 of a-z, 0-9 and -, not - first (e.g. [sources.shop])";
            section.note(name, message.to_owned());
        }
        let mut section = section.below(name, &[]);
        if section.is_present() {
            sources.extend(source::read(&mut section, name, kinds, outside));
        }
    }
    sources
}
