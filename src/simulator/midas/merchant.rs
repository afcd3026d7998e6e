//! The platform with its merchants.

use std::collections::BTreeMap;

use super::keys::RsaKeys;
use super::objects::TransactionKind;
use super::signature::PlatformSigner;
use crate::simulator::shelf::Shelf;

/// The serial of the platform's certificate.
pub(super) const PLATFORM_SERIAL: &str = "0C2D";
/// The serial of a merchant's certificate until it is configured.
pub(super) const MERCHANT_SERIAL: &str = "0A1B";

/// What the merchant's signature covers as its path; Midas' public text does not show which.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum SignedPath {
    /// Path and query, as sent (`sign_query = true`).
    #[default]
    WithQuery,
    /// The path alone (`sign_query = false`).
    PathOnly,
}

/// The answer for an unknown id; Midas does not document it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum UnknownId {
    /// 404 with the error body.
    #[default]
    NotFound,
    /// 404 with an error body that lacks `name`, as a gateway gives it.
    NotFoundWithoutName,
    /// 200 with `{}`.
    EmptyObject,
}

/// The options of a merchant.
#[derive(Clone, Debug)]
pub struct MerchantOptions {
    /// Filled into transactions that name no project.
    pub project_id: String,
    /// The serial of the merchant's certificate, hexadecimal.
    pub serial_no: String,
    /// `auth_id_type` of the calls.
    pub auth_id_type: String,
    /// The query parameter that holds the merchant's own id of the payment.
    pub id_param: String,
    /// What the merchant's signature covers.
    pub signed_path: SignedPath,
    /// A timestamp that is off by this many seconds or more is refused; `None` accepts any.
    pub clock_window_s: Option<i64>,
    /// The answer for an unknown id.
    pub unknown_id: UnknownId,
}

#[derive(Debug)]
pub(in crate::simulator) struct MerchantState {
    pub(super) settings: MerchantOptions,
    pub(super) public_key: Vec<u8>,
    pub(super) transactions: Shelf<TransactionKind>,
    pub(super) keys: RsaKeys,
}

/// One platform key signs for all merchants.
#[derive(Debug, Default)]
pub(in crate::simulator) struct MidasPlatform {
    pub(super) merchants: BTreeMap<String, MerchantState>,
    pub(super) signer: Option<PlatformSigner>,
}

impl MidasPlatform {
    pub(in crate::simulator) fn signer(&self) -> Option<PlatformSigner> {
        self.signer.clone()
    }
}
