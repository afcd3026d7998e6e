//! Addresses that only this machine or a private network has.

use std::net::IpAddr;

/// Loopback, RFC 1918, fc00::/7 and link-local addresses.
#[must_use]
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}
