//! RSA keys of 2048 bits and their PEM forms. The pairs are fixed and public (`data/midas/keys`): making a
//! fresh one takes seconds, and a simulated shop has nothing to hide.

use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{self, RsaKeyPair, UnparsedPublicKey};
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject as _;
use x509_cert::der::Decode as _;
use x509_cert::spki::SubjectPublicKeyInfoOwned;

/// PKCS#8 and SubjectPublicKeyInfo of each pair; the first is the platform's.
const PAIRS: [(&[u8], &[u8]); 5] = [
    (
        include_bytes!("../../../data/midas/keys/1.pkcs8.der"),
        include_bytes!("../../../data/midas/keys/1.public.der"),
    ),
    (
        include_bytes!("../../../data/midas/keys/2.pkcs8.der"),
        include_bytes!("../../../data/midas/keys/2.public.der"),
    ),
    (
        include_bytes!("../../../data/midas/keys/3.pkcs8.der"),
        include_bytes!("../../../data/midas/keys/3.public.der"),
    ),
    (
        include_bytes!("../../../data/midas/keys/4.pkcs8.der"),
        include_bytes!("../../../data/midas/keys/4.public.der"),
    ),
    (
        include_bytes!("../../../data/midas/keys/5.pkcs8.der"),
        include_bytes!("../../../data/midas/keys/5.public.der"),
    ),
];

/// A private key with its public half.
#[derive(Clone, Debug)]
pub(super) struct RsaKeys {
    pair: Arc<RsaKeyPair>,
    private_der: &'static [u8],
    public_der: &'static [u8],
}

impl RsaKeys {
    /// The platform's.
    pub(super) fn of_platform() -> io::Result<Self> {
        Self::new(PAIRS[0])
    }

    /// The keys of the merchant that is opened after `opened_before` others; no two of the first four share a pair.
    pub(super) fn of_merchant(opened_before: usize) -> io::Result<Self> {
        Self::new(PAIRS[1 + opened_before % (PAIRS.len() - 1)])
    }

    fn new((private_der, public_der): (&'static [u8], &'static [u8])) -> io::Result<Self> {
        let pair =
            RsaKeyPair::from_pkcs8(private_der).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Self { pair: Arc::new(pair), private_der, public_der })
    }

    /// PKCS#1 v1.5 with SHA-256, base64 on one line; empty should the library fail, which no check accepts.
    pub(super) fn sign(&self, message: &[u8]) -> String {
        let mut signature = vec![0; self.pair.public().modulus_len()];
        match self.pair.sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature) {
            Ok(()) => STANDARD.encode(signature),
            Err(_) => String::new(),
        }
    }

    /// SubjectPublicKeyInfo.
    pub(super) fn public_der(&self) -> Vec<u8> {
        self.public_der.to_vec()
    }

    /// `PRIVATE KEY` (PKCS#8).
    pub(super) fn private_pem(&self) -> String {
        pem("PRIVATE KEY", self.private_der)
    }
}

/// Whether `signature` (base64) over `message` is by the key of this `PUBLIC KEY` in DER form.
pub(super) fn verifies(public_der: &[u8], message: &[u8], signature: &str) -> bool {
    let Ok(info) = SubjectPublicKeyInfoOwned::from_der(public_der) else { return false };
    let key =
        UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, info.subject_public_key.raw_bytes());
    STANDARD.decode(signature).is_ok_and(|signature| key.verify(message, &signature).is_ok())
}

/// The DER form of a `PUBLIC KEY` in PEM form.
pub(super) fn public_from_pem(pem: &str) -> io::Result<Vec<u8>> {
    let der = SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes())
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("no PUBLIC KEY: {error}")))?;
    Ok(der.to_vec())
}

pub(super) fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    let encoded = STANDARD.encode(der);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}
