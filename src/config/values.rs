//! Parsers of single values: durations, sizes, rates, addresses, paths. Their errors say what is wrong and what to
//! do, without quoting the value.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use reqwest::Url;
use toml_edit::Item;

use crate::domain::Rate;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Maximum duration or age.
pub(super) const CENTURY: Duration = Duration::from_secs(36_500 * 24 * 3600);

/// Minimum duration other than zero.
pub(super) const INSTANT: Duration = Duration::from_millis(1);

const DURATION_UNITS: &[(&str, Duration)] = &[
    ("ms", INSTANT),
    ("s", Duration::from_secs(1)),
    ("m", Duration::from_secs(60)),
    ("h", Duration::from_secs(3600)),
    ("d", DAY),
];

const SIZE_UNITS: &[(&str, u64)] = &[("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

const RATE_UNITS: &[(&str, Duration)] =
    &[("/s", Duration::from_secs(1)), ("/min", Duration::from_secs(60)), ("/h", Duration::from_secs(3600))];

/// Maximum number of events per unit of a rate.
const HIGHEST_RATE: u64 = 1_000_000;

/// Text that is not empty and has no spaces around it and no control characters.
pub(super) fn text(item: &Item) -> Result<String, String> {
    let text = quoted(item)?;
    match text {
        "" => Err("is empty; write its value".to_owned()),
        _ if text.trim() != text => Err("has spaces at its start or end; remove them".to_owned()),
        _ if text.chars().any(char::is_control) => Err("contains a control character; remove it".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

/// Any text, even empty.
pub(super) fn quoted(item: &Item) -> Result<&str, String> {
    item.as_str().ok_or_else(|| format!("must be text in quotes, not {}", named(item)))
}

/// The type of a value, for an error.
pub(super) fn named(item: &Item) -> &'static str {
    match item.type_name() {
        "string" => "a text",
        "integer" => "a bare number",
        "float" => "a number with a fraction",
        "boolean" => "true or false",
        "datetime" => "a date",
        "array" => "a list",
        _ => "a table",
    }
}

/// Text, or a whole number as text.
pub(super) fn id(item: &Item) -> Result<String, String> {
    item.as_integer().map_or_else(|| text(item), |number| Ok(number.to_string()))
}

/// A flag: `true` or `false`, without quotes.
pub(super) fn flag(item: &Item) -> Result<bool, String> {
    item.as_bool().ok_or_else(|| format!("must be true or false without quotes, not {}", named(item)))
}

/// A whole number within `range`.
pub(super) fn number(item: &Item, range: RangeInclusive<i64>) -> Result<u64, String> {
    let number = item.as_integer().ok_or_else(|| format!("must be a whole number, not {}", named(item)))?;
    if !range.contains(&number) {
        let (least, most) = range.into_inner();
        return Err(if most == i64::MAX {
            format!("must be at least {least}")
        } else {
            format!("must be from {least} to {most}")
        });
    }
    u64::try_from(number).map_err(|_| "must not be negative".to_owned())
}

/// The items of a list, each read by `reader`.
pub(super) fn list<T>(item: &Item, reader: impl Fn(&Item) -> Result<T, String>) -> Result<Vec<T>, String> {
    let list = item.as_array().ok_or_else(|| format!("must be a list in brackets, not {}", named(item)))?;
    let numbered = list.iter().enumerate();
    numbered
        .map(|(index, value)| {
            reader(&Item::Value(value.clone())).map_err(|wrong| format!("entry {} {wrong}", index + 1))
        })
        .collect()
}

/// A duration within `range`, like `500ms`, `30s`, `15m`, `24h` or `7d`.
pub(super) fn duration(item: &Item, range: RangeInclusive<Duration>) -> Result<Duration, String> {
    const HOW: &str = "write a whole number with its unit in quotes: ms, s, m, h or d";
    let (count, unit) = counted(item, DURATION_UNITS, "duration", HOW)?;
    let length = u32::try_from(count).ok().and_then(|count| unit.checked_mul(count)).unwrap_or(Duration::MAX);
    if length < *range.start() {
        return Err(match *range.start() {
            INSTANT => "must be longer than zero".to_owned(),
            least => format!("is too short; the minimum is {}", spelled(least)),
        });
    }
    if length > *range.end() {
        return Err(format!("is too long; the maximum is {}", spelled(*range.end())));
    }
    Ok(length)
}

/// A duration in its largest whole unit.
fn spelled(length: Duration) -> String {
    let whole =
        DURATION_UNITS.iter().rev().find(|(_, unit)| length.as_millis().is_multiple_of(unit.as_millis()));
    whole.map_or_else(
        || format!("{}ms", length.as_millis()),
        |(word, unit)| format!("{}{word}", length.as_millis() / unit.as_millis()),
    )
}

/// A number of bytes within `range`, like `512B`, `64KiB`, `1MiB` or `2GiB`.
pub(super) fn size(item: &Item, range: RangeInclusive<u64>) -> Result<u64, String> {
    const HOW: &str = "write a whole number with its unit in quotes: B, KiB, MiB or GiB";
    let (count, unit) = counted(item, SIZE_UNITS, "size", HOW)?;
    let bytes = count.saturating_mul(unit);
    if !range.contains(&bytes) {
        let (least, most) = range.into_inner();
        return Err(format!("must be from {} to {}", spelled_size(least), spelled_size(most)));
    }
    Ok(bytes)
}

fn spelled_size(bytes: u64) -> String {
    let whole = SIZE_UNITS.iter().rev().find(|(_, unit)| bytes >= *unit && bytes.is_multiple_of(*unit));
    whole.map_or_else(|| format!("{bytes}B"), |(word, unit)| format!("{}{word}", bytes / unit))
}

/// A rate, like `10/s`, `600/min` or `5000/h`.
pub(super) fn rate(item: &Item) -> Result<Rate, String> {
    const HOW: &str = "write a whole number and its unit in quotes: /s, /min or /h";
    let (count, window) = counted(item, RATE_UNITS, "rate", HOW)?;
    match u32::try_from(count) {
        Ok(0) => Err("must be at least 1".to_owned()),
        Ok(limit) if count <= HIGHEST_RATE => Ok(Rate { limit, window }),
        _ => Err(format!("is too high; the maximum is {HIGHEST_RATE}")),
    }
}

/// A whole number directly followed by one of `units`.
fn counted<T: Copy>(item: &Item, units: &[(&str, T)], what: &str, how: &str) -> Result<(u64, T), String> {
    if item.is_integer() || item.is_float() {
        return Err(format!("is a bare number; {how}"));
    }
    // A number too large for its type is outside every range.
    split(quoted(item)?, units)
        .map(|(count, unit)| (count.parse().unwrap_or(u64::MAX), unit))
        .ok_or_else(|| format!("is not a {what}; {how}"))
}

/// The digits of a whole number, and the unit that directly follows them.
fn split<'a, T: Copy>(text: &'a str, units: &[(&str, T)]) -> Option<(&'a str, T)> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (count, unit) = text.split_at(digits);
    let (_, unit) = units.iter().find(|(word, _)| *word == unit && !count.is_empty())?;
    Some((count, *unit))
}

/// A duration on the command line, written as in the configuration; `None` if it is not valid.
#[must_use]
pub fn length_of_time(text: &str) -> Option<Duration> {
    let (count, unit) = split(text, DURATION_UNITS)?;
    let unit_ms = u64::try_from(unit.as_millis()).ok()?;
    count.parse::<u64>().ok().map(|count| Duration::from_millis(count.saturating_mul(unit_ms)))
}

/// An address to listen on, with its port.
pub(super) fn address(item: &Item) -> Result<SocketAddr, String> {
    quoted(item)?
        .parse()
        .map_err(|_| "is not an address; write the IP address of this machine and a port".to_owned())
}

/// The name of a machine, without a port; in lower case.
pub(super) fn host(item: &Item) -> Result<String, String> {
    let text = text(item)?;
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    if is_plain {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("is not the name of a machine; write it without http:// and without a port".to_owned())
    }
}

/// A network: one address, or a prefix.
pub(super) fn network(item: &Item) -> Result<IpNet, String> {
    let text = quoted(item)?;
    let single = text.parse::<IpAddr>().map(IpNet::from);
    single
        .or_else(|_| text.parse::<IpNet>().map(|net| net.trunc()))
        .map_err(|_| "is not an IP address or network; host names are not possible here".to_owned())
}

/// A path. A relative one starts at `folder`.
pub(super) fn path(item: &Item, folder: &Path) -> Result<PathBuf, String> {
    text(item).map(|path| folder.join(path))
}

/// The URL of an API: https, or http on this machine; without the slash at the end.
pub(super) fn api_base(item: &Item) -> Result<String, String> {
    let text = text(item)?;
    let is_plain = !text.contains(|c: char| c.is_whitespace() || c == '\\');
    let url = Url::parse(&text).ok().filter(|url| is_plain && url.has_host());
    let Some(url) = url else {
        return Err("is not a URL; write the https address of the API".to_owned());
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "contains a user name or password; remove them, credentials have keys of their own".to_owned()
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("has a part after ? or #; end it with the path".to_owned());
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => {
            return Err(
                "would send credentials unencrypted; write https (http only to this machine)".to_owned()
            );
        }
        _ => return Err("must begin with https://".to_owned()),
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether a name is valid for a source: `[a-z0-9][a-z0-9-]{0,31}`.
pub(super) fn is_name(name: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=32).contains(&name.len()) && !name.starts_with('-') && name.bytes().all(is_plain)
}
