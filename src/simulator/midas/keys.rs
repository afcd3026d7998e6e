//! RSA keys of 2048 bits and their PEM forms; made anew for each simulator, never stored.

use std::io;
use std::sync::Arc;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{self, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject as _;

/// A private key with its public half.
#[derive(Clone, Debug)]
pub(super) struct Keys(Arc<KeyPair>);

impl Keys {
    pub(super) fn generate() -> io::Result<Self> {
        let pair =
            KeyPair::generate(KeySize::Rsa2048).map_err(|_| io::Error::other("no RSA key was made"))?;
        Ok(Self(Arc::new(pair)))
    }

    /// PKCS#1 v1.5 with SHA-256, base64 on one line; empty should the library fail, which no check accepts.
    pub(super) fn sign(&self, message: &[u8]) -> String {
        let mut signature = vec![0; self.0.public_modulus_len()];
        match self.0.sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature) {
            Ok(()) => STANDARD.encode(signature),
            Err(_) => String::new(),
        }
    }

    pub(super) fn public_der(&self) -> io::Result<Vec<u8>> {
        let der =
            self.0.public_key().as_der().map_err(|_| io::Error::other("the public key has no DER form"))?;
        Ok(der.as_ref().to_vec())
    }

    /// `PRIVATE KEY` (PKCS#8).
    pub(super) fn private_pem(&self) -> io::Result<String> {
        let der = self.0.as_der().map_err(|_| io::Error::other("the private key has no DER form"))?;
        Ok(pem("PRIVATE KEY", der.as_ref()))
    }
}

/// Whether `signature` (base64) over `message` is by the key of this `PUBLIC KEY` in DER form.
pub(super) fn verifies(public_der: &[u8], message: &[u8], signature: &str) -> bool {
    let key = UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, public_der);
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
