//! The platform's signature scheme, both ways: RSA PKCS#1 v1.5 with SHA-256 over lines that each end in a line feed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderMap;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use secrecy::SecretString;

use crate::domain::{Headers, Timestamp};

use super::fields::{SHOWN, cut};
use super::pem::{CheckKey, plain_serial};

const TIMESTAMP: &str = "txgw-timestamp";
const NONCE: &str = "txgw-nonce";
const SERIAL: &str = "txgw-serial";
const SIGNATURE: &str = "txgw-signature";

#[derive(Debug)]
pub(super) struct Signer {
    /// The merchant's private key.
    pub(super) pair: RsaKeyPair,
    /// `auth_id`.
    pub(super) merchant_id: String,
    /// `auth_id_type`.
    pub(super) auth_id_type: String,
    /// The serial of the merchant certificate that is registered in the portal.
    pub(super) serial_no: String,
}

impl Signer {
    /// The `Authorization` header of a GET of `path` (as on the wire) at `now`; `None` if the system gives no
    /// random bytes.
    pub(super) fn authorization(&self, path: &str, now: Timestamp) -> Option<SecretString> {
        let mut random = [0; 16];
        SystemRandom::new().fill(&mut random).ok()?;
        let nonce: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let seconds = now.seconds();
        let signature = self.sign(request_text(path, seconds, &nonce).as_bytes())?;
        let Self { merchant_id, auth_id_type, serial_no, .. } = self;
        Some(SecretString::from(format!(
            "TXGW-SHA256-RSA2048 auth_id=\"{merchant_id}\",auth_id_type=\"{auth_id_type}\",nonce_str=\"{nonce}\",\
             timestamp=\"{seconds}\",serial_no=\"{serial_no}\",signature=\"{}\"",
            STANDARD.encode(signature)
        )))
    }

    /// The signature of any text.
    pub(super) fn sign(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature).ok()?;
        Some(signature)
    }
}

/// The five lines that are signed for a GET, whose body is empty.
pub(super) fn request_text(path: &str, seconds: i64, nonce: &str) -> String {
    format!("GET\n{path}\n{seconds}\n{nonce}\n\n")
}

/// The three lines that the platform signs, with the body as received.
pub(super) fn received_text(timestamp: &str, nonce: &str, body: &[u8]) -> Vec<u8> {
    [timestamp.as_bytes(), b"\n", nonce.as_bytes(), b"\n", body, b"\n"].concat()
}

/// The `Txgw-*` headers of a notification or an answer.
#[derive(Debug)]
pub(super) struct Stamp<'a> {
    timestamp: Sent<'a>,
    nonce: Sent<'a>,
    serial: Sent<'a>,
    signature: Sent<'a>,
}

/// A header: missing, sent once, or ambiguous (repeated, or not text).
#[derive(Clone, Copy, Debug)]
enum Sent<'a> {
    Missing,
    Once(&'a str),
    Unclear,
}

/// Why a message does not count as signed by the platform.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unsigned {
    /// This header is missing.
    Missing(&'static str),
    /// This header is repeated or no text.
    Unclear(&'static str),
    /// No configured key has this serial.
    Serial(String),
    /// No configured key made this signature.
    Wrong,
}

impl Unsigned {
    /// In plain words, with what to do.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Missing(header) => format!("the header {header} is missing"),
            Self::Unclear(header) => format!("the header {header} is repeated or not readable"),
            Self::Serial(serial) => {
                format!("no file of platform_cert_files holds a certificate with serial {serial}")
            }
            Self::Wrong => "the signature is not by a key of platform_cert_files".to_owned(),
        }
    }
}

impl<'a> Stamp<'a> {
    /// The signature headers of a notification.
    pub(super) fn of_notification(headers: &'a Headers) -> Self {
        Self::of(|name| match headers.get(name) {
            None => Sent::Missing,
            Some(_) if headers.repeats(name) => Sent::Unclear,
            Some(value) => Sent::Once(value.trim()),
        })
    }

    /// The signature headers of an answer.
    pub(super) fn of_answer(headers: &'a HeaderMap) -> Self {
        Self::of(|name| {
            let mut values = headers.get_all(name).iter();
            match (values.next().map(|value| value.to_str()), values.next()) {
                (None, _) => Sent::Missing,
                (Some(Ok(value)), None) => Sent::Once(value.trim()),
                _ => Sent::Unclear,
            }
        })
    }

    fn of(read: impl Fn(&'static str) -> Sent<'a>) -> Self {
        Self {
            timestamp: read(TIMESTAMP),
            nonce: read(NONCE),
            serial: read(SERIAL),
            signature: read(SIGNATURE),
        }
    }

    /// Whether there is no signature at all.
    pub(super) fn is_unsigned(&self) -> bool {
        matches!(self.signature, Sent::Missing)
    }

    /// Checks that one of `keys` signed `body`. A certificate is chosen by its serial; a bare public key has
    /// none and is always tried. The age of a signature does not matter: no time window is documented, and
    /// because the API is asked anyway, a replay gains nothing.
    pub(super) fn check(&self, keys: &[CheckKey], body: &[u8]) -> Result<(), Unsigned> {
        let signature = required(SIGNATURE, self.signature)?;
        let timestamp = required(TIMESTAMP, self.timestamp)?;
        let nonce = required(NONCE, self.nonce)?;
        let has_bare = keys.iter().any(|key| key.serial.is_none());
        let serial = match (self.serial, has_bare) {
            (Sent::Missing, true) => None,
            (sent, _) => Some(required(SERIAL, sent)?),
        };
        let wanted = serial.map(plain_serial);
        let mut candidates =
            keys.iter().filter(|key| key.serial.is_none() || key.serial == wanted).peekable();
        if candidates.peek().is_none() {
            return Err(Unsigned::Serial(cut(serial.unwrap_or_default(), SHOWN)));
        }
        let signature = STANDARD.decode(signature).map_err(|_| Unsigned::Wrong)?;
        let text = received_text(timestamp, nonce, body);
        if candidates.any(|candidate| candidate.key.verify(&text, &signature).is_ok()) {
            Ok(())
        } else {
            Err(Unsigned::Wrong)
        }
    }
}

fn required<'a>(name: &'static str, sent: Sent<'a>) -> Result<&'a str, Unsigned> {
    match sent {
        Sent::Once(value) if !value.is_empty() => Ok(value),
        Sent::Once(_) | Sent::Missing => Err(Unsigned::Missing(name)),
        Sent::Unclear => Err(Unsigned::Unclear(name)),
    }
}
