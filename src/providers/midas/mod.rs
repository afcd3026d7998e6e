//! Midas (MidasPay, merchant-of-record payments): one notification, verified by one call, `QueryTransaction`.
//!
//! | file | its one job |
//! |---|---|
//! | `notification` | parses a notification into a claim |
//! | `api` | `QueryTransaction`, and what its answers mean |
//! | `object` | parses a transaction of an answer |
//! | `judge` | compares a claim with a transaction |
//! | `signature` | signs our calls, and checks what the platform signed |
//! | `pem` | reads the keys for both |
//! | `fields` | reads single values of a body |
//! | `doctor` | tests the credentials |

use std::sync::Arc;

use futures_util::future::BoxFuture;
use secrecy::ExposeSecret;

use crate::domain::{
    Answer, Claim, Comparison, Course, Failure, Judge, Known, RawNotification, Reading, Timestamp,
};

use super::{
    Acknowledgement, Admission, Api, Built, Examination, Key, KeyError, KeyKind, Keys, Provider,
    ProviderKind, is_test_body,
};

mod api;
mod doctor;
mod fields;
mod judge;
mod notification;
mod object;
mod pem;
mod signature;
#[cfg(test)]
pub(super) mod tests;

use fields::Object;
use pem::CheckKey;
use signature::{Signer, Stamp, Unsigned};

pub static MIDAS: ProviderKind = ProviderKind {
    name: "midas",
    keys: &[
        Key { name: "merchant_id", kind: KeyKind::Id, required: true, example: "\"m-1001\"", default: None },
        Key { name: "project_id", kind: KeyKind::Id, required: true, example: "\"pr-77\"", default: None },
        Key {
            name: "private_key",
            kind: KeyKind::Secret,
            required: true,
            example: r#""-----BEGIN PRIVATE KEY-----\n…\n-----END PRIVATE KEY-----\n""#,
            default: None,
        },
        Key { name: "serial_no", kind: KeyKind::Text, required: true, example: "\"0A1B\"", default: None },
        Key {
            name: "platform_cert_files",
            kind: KeyKind::Files,
            required: false,
            example: r#"["platform.pem"]"#,
            default: None,
        },
        Key {
            name: "check_signatures",
            kind: KeyKind::Choice(&["notifications", "answers", "both"]),
            required: false,
            example: "\"both\"",
            default: Some("\"both\""),
        },
        Key {
            name: "auth_id_type",
            kind: KeyKind::Text,
            required: false,
            example: "\"MERCHANT_ID\"",
            default: Some("\"MERCHANT_ID\""),
        },
        Key {
            name: "id_param",
            kind: KeyKind::Text,
            required: false,
            example: "\"external_id\"",
            default: Some("\"external_id\""),
        },
        Key {
            name: "sign_query",
            kind: KeyKind::Flag,
            required: false,
            example: "true",
            default: Some("true"),
        },
    ],
    default_api_base: "https://pay.midaspayment.com",
    // MidasPay sets limits per contract; this one suits any.
    default_rate_limit: "10/s",
    setup: "send it as settings.webhook_url of each payment token that you create (or set the portal's default address)",
    build,
};

#[derive(Debug)]
struct Midas {
    project_id: String,
    signer: Signer,
    own_certificates: Vec<CheckKey>,
    platform: Vec<CheckKey>,
    checked: Checked,
    id_param: String,
    sign_query: bool,
}

/// Where a signature of the platform is required once its keys are configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Checked {
    Notifications,
    Answers,
    Both,
}

fn build(keys: &Keys) -> Built {
    let mut errors = Vec::new();
    let midas = assemble(keys, &mut errors);
    match midas {
        Some(midas) if errors.is_empty() => Ok(Arc::new(midas)),
        _ => Err(errors),
    }
}

/// Builds a source; mistakes in its keys are added to `errors`, which is never empty if this returns `None`.
fn assemble(keys: &Keys, errors: &mut Vec<KeyError>) -> Option<Midas> {
    let merchant_id = quotable(keys, "merchant_id", None, errors);
    let serial_no = quotable(keys, "serial_no", None, errors);
    let auth_id_type = quotable(keys, "auth_id_type", Some("MERCHANT_ID"), errors);
    let id_param = quotable(keys, "id_param", Some("external_id"), errors);
    let project_id = keys.required_text("project_id").map_err(|error| errors.push(error)).ok();
    let merchant = keys
        .required_secret("private_key")
        .and_then(|secret| {
            pem::merchant(secret.expose_secret()).map_err(|message| KeyError { key: "private_key", message })
        })
        .map_err(|error| errors.push(error))
        .ok();
    let mut platform = Vec::new();
    for (path, content) in keys.files("platform_cert_files") {
        match pem::platform(path, content) {
            Ok(found) => platform.extend(found),
            Err(message) => errors.push(KeyError { key: "platform_cert_files", message }),
        }
    }
    let merchant = merchant?;
    Some(Midas {
        project_id: project_id?.to_owned(),
        signer: Signer {
            pair: merchant.pair,
            merchant_id: merchant_id?,
            auth_id_type: auth_id_type?,
            serial_no: serial_no?,
        },
        own_certificates: merchant.certificates,
        platform,
        checked: match keys.text("check_signatures") {
            Some("notifications") => Checked::Notifications,
            Some("answers") => Checked::Answers,
            _ => Checked::Both,
        },
        id_param: id_param?,
        sign_query: keys.flag("sign_query", true),
    })
}

/// A text that is sent in quotes in a header, where no character can be escaped.
fn quotable(
    keys: &Keys,
    name: &'static str,
    default: Option<&str>,
    errors: &mut Vec<KeyError>,
) -> Option<String> {
    let mut wrong = |message: &str| {
        errors.push(KeyError { key: name, message: message.to_owned() });
        None
    };
    match keys.text(name).or(default) {
        None => wrong("is missing"),
        Some("") => wrong("is empty"),
        Some(text) if text.bytes().any(|b| !b.is_ascii_graphic() || b == b'"' || b == b'\\') => {
            wrong("may hold only printable ASCII characters, no blank, quote or backslash")
        }
        Some(text) => Some(text.to_owned()),
    }
}

impl Midas {
    fn checks_notifications(&self) -> bool {
        !self.platform.is_empty() && self.checked != Checked::Answers
    }

    fn checks_answers(&self) -> bool {
        !self.platform.is_empty() && self.checked != Checked::Notifications
    }
}

impl Judge for Midas {
    fn compare(&self, claim: &Claim, answer: &Answer, known: &Known) -> Comparison {
        judge::compare(&self.project_id, claim, answer, known)
    }

    fn course(&self, claim: &Claim) -> Course {
        judge::course(claim)
    }

    fn latest_time(&self, answer: &Answer) -> Option<Timestamp> {
        judge::latest_time(answer)
    }

    fn statuses(&self, compared: &Object) -> Vec<(&'static str, String)> {
        judge::statuses(compared)
    }

    /// There are notifications of payments and of their cancellation, and no others.
    fn can_announce(&self, _field: &str, status: &str) -> bool {
        judge::is_notified(status)
    }
}

impl Provider for Midas {
    fn acknowledgement(&self) -> Acknowledgement {
        Acknowledgement {
            status: 200,
            body: r#"{"processed":true,"message":"stored"}"#,
            content_type: Some("application/json"),
        }
    }

    fn admit(&self, notification: &RawNotification) -> Admission {
        if !self.checks_notifications() {
            return Admission::Admitted;
        }
        let stamp = Stamp::of_notification(&notification.headers);
        if stamp.is_unsigned() && is_test_body(&notification.body) {
            return Admission::TestCall;
        }
        match stamp.check(&self.platform, &notification.body) {
            Ok(()) => Admission::Admitted,
            Err(unsigned) => {
                let cause = match unsigned {
                    Unsigned::Missing(_) => "missing_signature",
                    _ => "wrong_signature",
                };
                Admission::Refused { cause, detail: Some(unsigned.describe()) }
            }
        }
    }

    fn read(&self, notification: &RawNotification) -> Reading {
        notification::read(&notification.body, &self.signer.merchant_id, &self.project_id)
    }

    fn ask<'a>(&'a self, api: &'a Api, claim: &'a Claim) -> BoxFuture<'a, Answer> {
        Box::pin(self.question(api, &claim.subject.id))
    }

    fn ask_order<'a>(&'a self, api: &'a Api, order_id: &'a str) -> BoxFuture<'a, Answer> {
        Box::pin(self.question(api, order_id))
    }

    fn control<'a>(&'a self, api: &'a Api) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let reply = self.control_question(api).await?;
            self.open(&reply).map(|_| ())
        })
    }

    fn examine<'a>(&'a self, api: &'a Api) -> BoxFuture<'a, Examination> {
        Box::pin(self.examination(api))
    }
}
