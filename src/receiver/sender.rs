//! Finds the sender's address: the rightmost address in the chain (peer, then X-Forwarded-For from the right) that is
//! not a trusted proxy. Everything further left is only the sender's claim.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use ipnet::IpNet;

/// The sender's address. `forwarded` holds the values of all X-Forwarded-For headers in the order of arrival; they
/// form one list. If an entry is not an address, or all are trusted, the last valid address counts.
pub(super) fn address<'a>(
    peer: IpAddr,
    forwarded: impl DoubleEndedIterator<Item = &'a str>,
    trusted: &[IpNet],
) -> IpAddr {
    let mut sender = peer.to_canonical();
    for entry in forwarded.rev().flat_map(|list| list.rsplit(',')) {
        if !is_trusted(sender, trusted) {
            break;
        }
        match parsed(entry) {
            Some(next) => sender = next,
            None => break,
        }
    }
    sender
}

/// Whether the X-Forwarded-For of this address counts.
pub(super) fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    let address = address.to_canonical();
    trusted.iter().any(|net| net.contains(&address))
}

/// Parses an entry as proxies write it: with or without a port, brackets, quotes or a zone.
fn parsed(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim().trim_matches('"');
    let address = entry
        .parse::<IpAddr>()
        .ok()
        .or_else(|| entry.parse::<SocketAddr>().ok().map(|with_port| with_port.ip()))
        .or_else(|| in_brackets(entry)?.parse::<Ipv6Addr>().ok().map(IpAddr::V6))
        .or_else(|| entry.split_once('%')?.0.parse::<Ipv6Addr>().ok().map(IpAddr::V6))?;
    Some(address.to_canonical())
}

fn in_brackets(entry: &str) -> Option<&str> {
    entry.strip_prefix('[')?.strip_suffix(']')
}

/// Maximum number of logged peers, so that a sender with many addresses cannot fill the log.
const MOST_MENTIONED: usize = 16;

/// The peers that sent an X-Forwarded-For but are not trusted proxies. Each is logged once.
#[derive(Default)]
pub(super) struct UntrustedProxies(Mutex<BTreeSet<IpAddr>>);

impl UntrustedProxies {
    /// Logs an untrusted peer, the first time.
    pub(super) fn mention(&self, peer: IpAddr) {
        let peer = peer.to_canonical();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < MOST_MENTIONED && known.insert(peer) {
            log::warn!(
                "peer={peer} sends X-Forwarded-For, but is not in server.trusted_proxies: the header is \
                    ignored. If this is your proxy, add it to server.trusted_proxies; otherwise all senders \
                    look the same"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rightmost_address_that_is_no_trusted_proxy_counts() {
        let trusted: Vec<IpNet> =
            ["127.0.0.1/32", "::1/128", "10.0.0.0/8"].map(|net| net.parse().unwrap()).to_vec();
        for (peer, forwarded, expected) in [
            ("203.0.113.9", &[][..], "203.0.113.9"),
            ("203.0.113.9", &["198.51.100.1"], "203.0.113.9"),
            ("127.0.0.1", &[], "127.0.0.1"),
            ("127.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("::ffff:127.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("127.0.0.1", &["8.8.8.8, 198.51.100.1"], "198.51.100.1"),
            ("127.0.0.1", &["8.8.8.8,198.51.100.1, 10.1.2.3"], "198.51.100.1"),
            ("127.0.0.1", &["8.8.8.8", "198.51.100.1", "10.1.2.3"], "198.51.100.1"),
            ("127.0.0.1", &["198.51.100.1, 10.1.2.3", "10.1.2.4"], "198.51.100.1"),
            ("127.0.0.1", &["10.9.9.9, 10.1.2.3"], "10.9.9.9"),
            ("127.0.0.1", &["198.51.100.1:4711"], "198.51.100.1"),
            ("127.0.0.1", &["[2001:db8::1]:443"], "2001:db8::1"),
            ("127.0.0.1", &["[2001:db8::1]"], "2001:db8::1"),
            ("127.0.0.1", &["\"[2001:db8::1]:443\""], "2001:db8::1"),
            ("::1", &["2001:db8::1"], "2001:db8::1"),
            ("::1", &["fe80::1%eth0"], "fe80::1"),
            ("127.0.0.1", &["::ffff:198.51.100.1"], "198.51.100.1"),
            ("127.0.0.1", &["[::ffff:198.51.100.1]:80"], "198.51.100.1"),
            ("127.0.0.1", &["198.51.100.1, unknown"], "127.0.0.1"),
            ("127.0.0.1", &["198.51.100.1, unknown, 10.1.2.3"], "10.1.2.3"),
            ("127.0.0.1", &["198.51.100.1, "], "127.0.0.1"),
            ("127.0.0.1", &[""], "127.0.0.1"),
            ("127.0.0.1", &["198.51.100.1:notaport"], "127.0.0.1"),
            ("127.0.0.1", &["[198.51.100.1]"], "127.0.0.1"),
            ("127.0.0.1", &["999.1.1.1"], "127.0.0.1"),
        ] {
            let sender = address(peer.parse().unwrap(), forwarded.iter().copied(), &trusted);
            assert_eq!(sender.to_string(), expected, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn without_trusted_proxies_the_peer_counts() {
        let peer = "127.0.0.1".parse().unwrap();
        assert_eq!(address(peer, ["198.51.100.1"].into_iter(), &[]), peer);
    }
}
