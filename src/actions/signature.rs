//! Signatures as Standard Webhooks defines them: HMAC-SHA256 over id, time and body, one per secret, so that
//! a receiver that knows either the old or the new secret accepts the request.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// The prefix of a secret.
const PREFIX: &str = "whsec_";

/// The allowed length of a secret, in bytes.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// A secret that signs requests.
#[derive(Clone)]
pub struct SigningKey(hmac::Key);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

impl SigningKey {
    /// Parses `whsec_` and base64 of 24 to 64 bytes.
    ///
    /// # Errors
    /// What is wrong with it, in words that repeat no part of it.
    pub fn parse(secret: &str) -> Result<Self, String> {
        let encoded = secret.strip_prefix(PREFIX).ok_or("does not begin with whsec_")?;
        let bytes = STANDARD.decode(encoded).map_err(|_| "is not base64 after whsec_")?;
        if !LENGTHS.contains(&bytes.len()) {
            let (least, most) = (LENGTHS.start(), LENGTHS.end());
            return Err(format!("must hold {least} to {most} bytes, not {}", bytes.len()));
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }
}

/// The value of `webhook-signature`; empty without a key.
#[must_use]
pub fn signatures(keys: &[SigningKey], id: &str, timestamp: i64, body: &str) -> String {
    let signed = format!("{id}.{timestamp}.{body}");
    let sign = |key: &SigningKey| format!("v1,{}", STANDARD.encode(hmac::sign(&key.0, signed.as_bytes())));
    keys.iter().map(sign).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_signed_as_the_example_of_the_standard() {
        let key = SigningKey::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed =
            signatures(&[key], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn what_is_no_secret_of_the_standard_is_refused_with_its_reason() {
        for (secret, wrong) in [
            ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "does not begin with whsec_"),
            ("whsec_?", "is not base64 after whsec_"),
            ("whsec_c2hvcnQ=", "must hold 24 to 64 bytes, not 5"),
        ] {
            assert_eq!(SigningKey::parse(secret).map(drop), Err(wrong.to_owned()));
        }
    }
}
