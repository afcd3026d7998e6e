//! Limits the rate of requests per sender address.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use governor::clock::Clock as _;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::domain::Rate;

/// The number of calls between two sweeps of idle addresses.
const CALLS_BETWEEN_SWEEPS: usize = 1024;

/// Maximum number of remembered addresses (plus those of one sweep): about 10 MB. A sender with more addresses can
/// pass any limit by address, so the limit is off until there are fewer again.
const MOST_ADDRESSES: usize = 100_000;

/// The recent rate of requests of each address.
pub(super) struct AddressLimit {
    calls: DefaultKeyedRateLimiter<IpAddr>,
    checked: AtomicUsize,
    is_full: AtomicBool,
    most_addresses: usize,
}

impl AddressLimit {
    /// Limits each address to `rate`; the requests of a whole window may come in one burst.
    pub(super) fn new(rate: Rate) -> Self {
        let limit = NonZeroU32::new(rate.limit).unwrap_or(NonZeroU32::MIN);
        let pause = (rate.window / limit.get()).max(Duration::from_nanos(1));
        let quota = Quota::with_period(pause).unwrap_or(Quota::per_second(limit)).allow_burst(limit);
        Self {
            calls: RateLimiter::keyed(quota),
            checked: AtomicUsize::new(0),
            is_full: AtomicBool::new(false),
            most_addresses: MOST_ADDRESSES,
        }
    }

    /// Counts a request from `address`.
    ///
    /// # Errors
    /// The rate is exceeded. The error is the time to wait before the next request.
    pub(super) fn check(&self, address: IpAddr) -> Result<(), Duration> {
        if self.checked.fetch_add(1, Ordering::Relaxed) % CALLS_BETWEEN_SWEEPS == CALLS_BETWEEN_SWEEPS - 1 {
            self.calls.retain_recent();
            self.is_full.store(self.calls.len() >= self.most_addresses, Ordering::Relaxed);
        }
        if self.is_full.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.calls
            .check_key(&subscriber(address))
            .map_err(|too_early| too_early.wait_time_from(self.calls.clock().now()))
    }
}

/// The address of one subscriber: for IPv6 the whole /64.
fn subscriber(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_an_hour() -> AddressLimit {
        AddressLimit::new(Rate { limit: 2, window: Duration::from_secs(3600) })
    }

    #[test]
    fn each_subscriber_has_a_limit_of_its_own() {
        let limit = two_an_hour();
        let check = |address: &str| limit.check(address.parse().unwrap());
        assert_eq!(check("198.51.100.1"), Ok(()));
        assert_eq!(check("198.51.100.1"), Ok(()));
        let wait = check("198.51.100.1").unwrap_err();
        assert!(wait > Duration::from_secs(1700) && wait <= Duration::from_secs(1800), "{wait:?}");
        assert_eq!(check("198.51.100.2"), Ok(()));
        assert_eq!(check("2001:db8::1"), Ok(()));
        assert_eq!(check("2001:db8::2"), Ok(()));
        assert!(check("2001:db8::3").is_err(), "one /64 is one subscriber");
        assert_eq!(check("2001:db8:0:1::1"), Ok(()));
    }

    #[test]
    fn memory_is_bounded_however_many_addresses_call() {
        let limit = AddressLimit { most_addresses: 1000, ..two_an_hour() };
        for n in 0..10_000_u32 {
            assert_eq!(limit.check(IpAddr::V4(n.into())), Ok(()));
        }
        assert!(limit.calls.len() <= 1000 + CALLS_BETWEEN_SWEEPS, "{}", limit.calls.len());
    }
}
