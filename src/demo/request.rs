//! Builds the HTTP request of a scene: the recorded body, with the right or a wrong signature, secret or
//! token.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::Value;

use super::folder::{CLIENT_SECRET, PATH_TOKEN};
use super::shops::DemoShops;
use super::{DemoSource, Scene};

pub(super) struct SceneRequest {
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: &'static str,
}

/// Builds the request of a scene. Midas' requests are signed here, because its keys are new in every demo.
pub(super) fn of(scene: &Scene, shops: &DemoShops) -> io::Result<SceneRequest> {
    let (body, is_right) = (scene.recording.body(), scene.knows_secret);
    let mut target = format!("/hooks/{}", scene.source.name());
    let mut headers: Vec<(String, String)> =
        scene.recording.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    match scene.source {
        DemoSource::OldShop | DemoSource::OldKeys => {
            target = format!("{target}/{}", if is_right { PATH_TOKEN } else { "a-guess" });
        }
        DemoSource::Shop | DemoSource::Branch => {
            let secret = if is_right { CLIENT_SECRET } else { "another_client_secret" };
            headers.push(("X-Ecwid-Webhook-Signature".to_owned(), ecwid_signature(secret, body)));
        }
        DemoSource::Keys => {
            for (name, value) in &mut headers {
                if !is_right && name == "X-Event-Secret" {
                    "a-guess".clone_into(value);
                }
            }
        }
        DemoSource::Game => {
            let signed = if is_right { body } else { "{}" };
            let stamp = shops.midas.sign_notification(signed.as_bytes())?;
            headers.extend(stamp.map(|(name, value)| (name.to_owned(), value)));
        }
    }
    if !headers.iter().any(|(name, _)| name == "Content-Type") {
        let kind = match scene.source {
            DemoSource::OldShop => "application/x-www-form-urlencoded",
            _ => "application/json; charset=UTF-8",
        };
        headers.push(("Content-Type".to_owned(), kind.to_owned()));
    }
    Ok(SceneRequest { target, headers, body })
}

/// Ecwid's documentation: base64 of HMAC-SHA256 over `eventCreated`, a full stop and `eventId`.
fn ecwid_signature(secret: &str, body: &str) -> String {
    let said: Value = serde_json::from_str(body).unwrap_or_default();
    let id = said.get("eventId").and_then(Value::as_str).unwrap_or_default();
    let created = said.get("eventCreated").and_then(Value::as_u64).unwrap_or_default();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    STANDARD.encode(hmac::sign(&key, format!("{created}.{id}").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_signature_comes_out() {
        let body = include_str!("../../data/ecwid/notifications/order_updated.json");
        assert_eq!(ecwid_signature(CLIENT_SECRET, body), "fFO504mAvDZelJY/viFsRSobEy+xI562k+mP5hFVQ5o=");
    }
}
