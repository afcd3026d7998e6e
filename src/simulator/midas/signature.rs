//! The two strings that Midas signs over, and the platform's side of signing.

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};

use super::keys::RsaKeys;

/// Midas' documentation: method, path, time, nonce and body, five lines, each ended by one LF, the last too.
pub(super) fn of_call(method: &str, path: &str, timestamp: &str, nonce: &str, body: &[u8]) -> Vec<u8> {
    let mut message = format!("{method}\n{path}\n{timestamp}\n{nonce}\n").into_bytes();
    message.extend_from_slice(body);
    message.push(b'\n');
    message
}

/// Midas' documentation: time, nonce and raw body, three lines, each ended by one LF, the last too.
pub(super) fn of_platform(timestamp: &str, nonce: &str, body: &[u8]) -> Vec<u8> {
    let mut message = format!("{timestamp}\n{nonce}\n").into_bytes();
    message.extend_from_slice(body);
    message.push(b'\n');
    message
}

/// Signs as the platform: notifications and answers.
#[derive(Clone, Debug)]
pub(in crate::simulator) struct PlatformSigner {
    pub(super) keys: RsaKeys,
    pub(super) serial: String,
}

impl PlatformSigner {
    /// The four `txgw-` headers for this body.
    pub(super) fn sign(&self, now: DateTime<Utc>, body: &[u8]) -> [(&'static str, String); 4] {
        static NONCES: AtomicU64 = AtomicU64::new(0);
        let timestamp = now.timestamp().to_string();
        let nonce = format!("n0nce{:027}", NONCES.fetch_add(1, Ordering::Relaxed));
        let signature = self.keys.sign(&of_platform(&timestamp, &nonce, body));
        [
            ("txgw-timestamp", timestamp),
            ("txgw-nonce", nonce),
            ("txgw-serial", self.serial.clone()),
            ("txgw-signature", signature),
        ]
    }
}

#[cfg(test)]
mod tests {
    use ring::digest::{SHA256, digest};

    use super::{of_call, of_platform};

    fn sha256(message: &[u8]) -> String {
        digest(&SHA256, message).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_strings_to_sign_are_the_published_ones() {
        let path = "/v1/mor/transaction/query";
        let with_query = format!("{path}?external_id=shop-order-9");
        let with_query = of_call("GET", &with_query, "1767322800", "n0nce32", b"");
        let path_only = of_call("GET", path, "1767322800", "n0nce32", b"");
        let received = of_platform("1767322800", "n0nce32", br#"{"notification_type":"OrderPaid"}"#);
        assert_eq!((with_query.len(), path_only.len(), received.len()), (75, 50, 53));
        assert_eq!(sha256(&with_query), "43f5b79726542f92ab27994fd7391f90603cab460843bfcdfdc0f284d6f4c410");
        assert_eq!(sha256(&path_only), "277c59df66bce5730f0d767eada484ccd0860e657c2d6f8e328dbd9acd136c02");
        assert_eq!(sha256(&received), "ac023f0968933d49d903b9f8944a95cbba96e5e904585e16c8a8c5f0dd86f4ba");
    }
}
