//! The merchant's side: `Authorization: TXGW-SHA256-RSA2048 auth_id="…",…,signature="…"`.

use super::keys;
use super::merchant::{MerchantOptions, SignedPath};
use super::signature;
use crate::simulator::exchange::Request;

const SCHEME: &str = "TXGW-SHA256-RSA2048";

/// The header's fields. Midas' own SDKs disagree on quotes and order: both forms, any order.
pub(super) struct Authorization {
    pub(super) auth_id: String,
    auth_id_type: String,
    nonce: String,
    timestamp: String,
    serial_no: String,
    signature: String,
}

impl Authorization {
    /// Reads the header; the error says what is missing.
    pub(super) fn of(request: &Request<'_>) -> Result<Self, String> {
        let header = request.header("authorization").ok_or("no Authorization header")?;
        let (scheme, fields) = header.split_once(' ').ok_or("no fields in Authorization")?;
        if scheme != SCHEME {
            return Err(format!("the scheme of Authorization is not {SCHEME}"));
        }
        let fields: Vec<(&str, &str)> = fields
            .split(',')
            .filter_map(|field| field.trim().split_once('='))
            .map(|(name, value)| (name, unquoted(value)))
            .collect();
        let field = |wanted: &str| {
            let found = fields.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| (*value).to_owned()).ok_or_else(|| format!("no {wanted} in Authorization"))
        };
        Ok(Self {
            auth_id: field("auth_id")?,
            auth_id_type: field("auth_id_type")?,
            nonce: field("nonce_str")?,
            timestamp: field("timestamp")?,
            serial_no: field("serial_no")?,
            signature: field("signature")?,
        })
    }

    /// Checks everything that the merchant registered; the error says what is wrong.
    pub(super) fn check(
        &self,
        settings: &MerchantOptions,
        public_key: &[u8],
        request: &Request<'_>,
    ) -> Result<(), String> {
        if self.auth_id_type != settings.auth_id_type {
            return Err(format!("auth_id_type is not {}", settings.auth_id_type));
        }
        if !same_serial(&self.serial_no, &settings.serial_no) {
            return Err("serial_no is not the registered one".to_owned());
        }
        let timestamp: i64 = self.timestamp.parse().map_err(|_| "timestamp is not a number")?;
        let age = request.now.timestamp().saturating_sub(timestamp);
        if settings.clock_window_s.is_some_and(|window| age.abs() >= window) {
            return Err(format!("timestamp is off by {age} s"));
        }
        let path = match settings.signed_path {
            SignedPath::WithQuery => request.target,
            SignedPath::PathOnly => request.target.split('?').next().unwrap_or_default(),
        };
        let message = signature::of_call(request.method, path, &self.timestamp, &self.nonce, request.body);
        if keys::verifies(public_key, &message, &self.signature) {
            return Ok(());
        }
        Err("the signature is not by the registered key over this call".to_owned())
    }
}

fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

/// Serials are hexadecimal numbers: case and leading zeros do not matter.
fn same_serial(one: &str, other: &str) -> bool {
    one.trim_start_matches('0').eq_ignore_ascii_case(other.trim_start_matches('0'))
}
