//! The addresses that plain HTTP may reach: this machine, and private networks by IP address only. The name
//! `localhost` is allowed if it resolves to this machine.

use std::net::SocketAddr;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::domain::address::is_private;

/// Whether a plain HTTP request to this host is allowed.
#[must_use]
pub fn allows_plain_http(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse().is_ok_and(is_private)
}

/// Resolves names for plain HTTP: only to loopback addresses.
pub(super) struct LoopbackOnly;

impl Resolve for LoopbackOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let here: Vec<SocketAddr> = found.filter(|address| address.ip().is_loopback()).collect();
            if here.is_empty() {
                return Err("the name does not lead to this machine, and plain http goes no further".into());
            }
            Ok(Box::new(here.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_goes_to_private_addresses_by_their_address_and_to_localhost() {
        for (url, is_allowed) in [
            ("http://localhost:9000/x", true),
            ("http://127.8.9.1/", true),
            ("http://[::1]:9000/", true),
            ("http://10.0.0.5/", true),
            ("http://172.16.0.1/", true),
            ("http://172.32.0.1/", false),
            ("http://192.168.1.1/", true),
            ("http://169.254.1.1/", true),
            ("http://[fc00::1]/", true),
            ("http://[fdff::1]/", true),
            ("http://[fe80::1]/", true),
            ("http://[2001:db8::1]/", false),
            ("http://[::ffff:8.8.8.8]/", false),
            ("http://[::ffff:10.0.0.5]/", false),
            ("http://0.0.0.0/", false),
            ("http://100.64.0.1/", false),
            ("http://8.8.8.8/", false),
            ("http://134744072/", false),
            ("http://localhost.example.com/", false),
            ("http://10.0.0.5.nip.io/", false),
            ("http://erp.internal/", false),
        ] {
            assert_eq!(allows_plain_http(&Url::parse(url).unwrap()), is_allowed, "{url}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_elsewhere_resolves_to_nothing() {
        for (name, is_resolved) in [("localhost", true), ("192.0.2.7", false)] {
            let found = LoopbackOnly.resolve(name.parse().unwrap()).await;
            assert_eq!(found.is_ok(), is_resolved, "{name}");
        }
    }
}
