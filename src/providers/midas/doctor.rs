//! The checks of `doctor` for a Midas source: the keys, then one call about an id that does not exist.

use crate::domain::{Cause, Failure};
use crate::providers::{Api, DoctorCheck, Examination};

use super::Midas;
use super::pem::{CheckKey, plain_serial};

impl Midas {
    /// Checks the keys and calls the API once.
    pub(super) async fn examination(&self, api: &Api) -> Examination {
        let mut examination = Examination { checks: self.key_checks(), clock: None };
        let result = self.control_question(api).await;
        let ours = api.now();
        let status = match result {
            Ok(reply) => {
                examination.clock = reply.date().map(|theirs| (theirs, ours));
                self.open(&reply).map(|_| ())
            }
            Err(failure) => Err(failure),
        };
        examination.checks.push(match status {
            Ok(()) => DoctorCheck::good(
                "API: accepts merchant_id, serial_no and private_key \
                 (project_id shows with the first real transaction)",
            ),
            Err(failure) => DoctorCheck::bad(format!("API: {}. {}", failure.detail, remedy(&failure))),
        });
        examination
    }

    fn key_checks(&self) -> Vec<DoctorCheck> {
        let mut checks = Vec::new();
        for certificate in &self.own_certificates {
            let serial = certificate.serial.as_deref().unwrap_or_default();
            if !self.is_ours(certificate) {
                checks.push(DoctorCheck::bad(format!(
                    "private_key: the certificate beside it (serial {serial}) does not match the key; \
                     register the key's own certificate in the portal"
                )));
            } else if serial != plain_serial(&self.signer.serial_no) {
                checks.push(DoctorCheck::bad(format!(
                    "serial_no: is {}, but the certificate beside private_key has serial {serial}",
                    self.signer.serial_no
                )));
            }
        }
        if self.platform.is_empty() {
            checks.push(DoctorCheck::good(
                "signatures: not checked (no platform_cert_files); the API's answer alone decides",
            ));
        } else if self.platform.iter().any(|key| self.is_ours(key)) {
            checks.push(DoctorCheck::bad(
                "platform_cert_files: one of them is our own key's certificate; \
                 download the platform's from the portal",
            ));
        } else {
            let what = match (self.checks_notifications(), self.checks_answers()) {
                (true, true) => "notifications and answers",
                (true, false) => "notifications",
                _ => "answers",
            };
            let keys = self.platform.len();
            checks.push(DoctorCheck::good(format!("signatures: checked on {what}, platform keys: {keys}")));
        }
        checks
    }

    /// Whether a certificate or public key belongs to our private key.
    fn is_ours(&self, key: &CheckKey) -> bool {
        let text = b"countersign doctor";
        self.signer.sign(text).is_some_and(|signature| key.key.verify(text, &signature).is_ok())
    }
}

fn remedy(failure: &Failure) -> &'static str {
    match (failure.cause, failure.http_status) {
        (Cause::ApiDenied, Some(401)) => {
            "Compare merchant_id and serial_no with the portal, check that private_key belongs to the certificate \
             with that serial, and that the clock is right; sandbox and production have separate keys. If all are right, \
             try sign_query = false, or ask the provider for auth_id_type"
        }
        (Cause::ApiDenied, _) => {
            "Ask the account manager whether this merchant may query transactions, and from which addresses"
        }
        (Cause::ApiUnreachable, _) => "Check api_base, DNS and the firewall",
        (Cause::ApiRateLimited, _) => "Try again later; a lower rate_limit helps if this repeats",
        (Cause::ApiError, Some(400)) => "The name of the id parameter may be wrong: see id_param",

        // Without a status: not signed by the platform.
        (Cause::ApiError, Some(200 | 404) | None) => {
            "Check api_base and platform_cert_files; if the platform does not sign answers, set \
             check_signatures = \"notifications\""
        }
        (Cause::ApiError, _) => "Try again later; if it stays so, ask the provider",
    }
}
