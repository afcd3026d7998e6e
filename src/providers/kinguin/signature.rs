//! The shared secret of a webhook. Kinguin echoes it in `X-Event-Secret` as it was typed into the panel; it covers
//! nothing of the body, so it only keeps strangers out, and the API is asked all the same.

use secrecy::SecretString;

use crate::domain::RawNotification;
use crate::providers::{Admission, is_test_body, keys};

/// The header that carries the secret.
const SECRET_HEADER: &str = "x-event-secret";

/// Checks a webhook's secret against any of `secrets`; without one configured everything is admitted. An empty header
/// counts as none: the panel's TEST button can be pressed before a secret is set.
pub(super) fn admit(secrets: &[SecretString], notification: &RawNotification) -> Admission {
    if secrets.is_empty() {
        return Admission::Admitted;
    }
    match notification.headers.get(SECRET_HEADER) {
        _ if notification.headers.repeats(SECRET_HEADER) => Admission::refused("wrong_secret"),
        None | Some("") if is_test_body(&notification.body) => Admission::TestCall,
        None | Some("") => Admission::refused("missing_secret"),
        Some(given) if keys::equals_any(given, secrets) => Admission::Admitted,
        Some(_) => Admission::refused("wrong_secret"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Headers, Timestamp};

    fn admission(secrets: &[&str], headers: &[(&str, &str)], body: &str) -> Admission {
        let secrets: Vec<SecretString> = secrets.iter().map(|s| SecretString::from(*s)).collect();
        let notification = RawNotification {
            source: "keys".to_owned(),
            provider: "kinguin".to_owned(),
            received_at: Timestamp::from_seconds(0),
            remote_addr: "192.0.2.1".to_owned(),
            content_type: None,
            headers: Headers::new(headers.iter().map(|(name, value)| (*name, *value))),
            body: body.as_bytes().to_vec(),
        };
        admit(&secrets, &notification)
    }

    #[test]
    fn any_of_the_configured_secrets_is_right() {
        for secret in ["new", "old"] {
            let headers = [("X-Event-Secret", secret)];
            assert_eq!(admission(&["new", "old"], &headers, "{\"a\":1}"), Admission::Admitted);
        }
    }

    #[test]
    fn a_wrong_missing_or_repeated_secret_is_refused() {
        let wrong = || Admission::refused("wrong_secret");
        let missing = || Admission::refused("missing_secret");
        let cases: [(&[(&str, &str)], Admission); 6] = [
            (&[("X-Event-Secret", "nee")], wrong()),
            (&[("X-Event-Secret", "NEW")], wrong()),
            (&[("X-Event-Secret", "new2")], wrong()),
            (&[("X-Event-Secret", "new"), ("X-Event-Secret", "new")], wrong()),
            (&[("X-Event-Secret", "")], missing()),
            (&[], missing()),
        ];
        for (headers, expected) in cases {
            assert_eq!(admission(&["new"], headers, "{\"a\":1}"), expected, "{headers:?}");
        }
        assert_eq!(
            admission(&["new"], &[("X-Event-Secret", "nee")], "{}"),
            wrong(),
            "a test body is no pass"
        );
    }

    #[test]
    fn a_test_call_without_the_header_is_no_notification() {
        for body in ["", " \n", "{}", " { } "] {
            assert_eq!(admission(&["new"], &[], body), Admission::TestCall, "{body:?}");
            assert_eq!(admission(&["new"], &[("X-Event-Secret", "")], body), Admission::TestCall);
        }
    }

    #[test]
    fn without_a_configured_secret_everything_is_stored() {
        assert_eq!(admission(&[], &[("X-Event-Secret", "anything")], ""), Admission::Admitted);
        assert_eq!(admission(&[], &[], "{}"), Admission::Admitted);
    }
}
