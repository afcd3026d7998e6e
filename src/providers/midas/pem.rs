//! Reads keys and certificates from PEM text: ours, for signing, and the platform's, for checking signatures.

use std::path::Path;

use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use rustls_pki_types::pem::{PemObject, SectionKind};
use x509_cert::Certificate;
use x509_cert::der::asn1::{ObjectIdentifier, UintRef};
use x509_cert::der::{Decode, Reader, SliceReader};
use x509_cert::spki::SubjectPublicKeyInfoOwned;

use super::fields::{SHOWN, cut};

/// Minimum size of a key in bits: the scheme is `TXGW-SHA256-RSA2048`.
const LEAST_BITS: usize = 2048;

/// Maximum size of a key with which the library can check signatures, in bits.
const MOST_BITS: usize = 8192;

/// `rsaEncryption` of RFC 8017.
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

const PRIVATE_KINDS: &str =
    "accepted are PEM \"PRIVATE KEY\" (PKCS#8) and \"RSA PRIVATE KEY\" (PKCS#1), RSA, 2048 to 4096 bits";

/// A public key for checking signatures.
#[derive(Debug)]
pub(super) struct CheckKey {
    /// The certificate's serial in [`plain_serial`]'s spelling; a bare public key has none.
    pub(super) serial: Option<String>,
    pub(super) key: UnparsedPublicKey<Vec<u8>>,
}

/// The content of `private_key`.
#[derive(Debug)]
pub(super) struct MerchantKey {
    /// The key that signs.
    pub(super) pair: RsaKeyPair,
    /// Certificates beside the key in the same text.
    pub(super) certificates: Vec<CheckKey>,
}

/// Reads the merchant's private key. The error says what the text contains instead, never a part of it.
pub(super) fn merchant(pem: &str) -> Result<MerchantKey, String> {
    if pem.contains("ENCRYPTED") {
        let remedy = "decrypt it with `openssl pkey -in KEY -out PLAIN`";
        return Err(format!("is encrypted with a passphrase: {remedy}; {PRIVATE_KINDS}"));
    }
    let sections = sections(pem.as_bytes()).map_err(|why| format!("{why}; {PRIVATE_KINDS}"))?;
    let key = sections.iter().find_map(|(kind, der)| match kind {
        SectionKind::PrivateKey => Some(RsaKeyPair::from_pkcs8(der)),
        SectionKind::RsaPrivateKey => Some(RsaKeyPair::from_der(der)),
        _ => None,
    });
    let pair = match key {
        Some(Ok(pair)) if pair.public().modulus_len() * 8 >= LEAST_BITS => pair,
        Some(_) => return Err(format!("is not a usable RSA key; {PRIVATE_KINDS}")),
        None => {
            let instead = match sections.first() {
                Some((SectionKind::Certificate, _)) => "is a certificate, not the key that belongs to it",
                Some((SectionKind::PublicKey, _)) => "is a public key, not the private one",
                Some((SectionKind::EcPrivateKey, _)) => "is an elliptic curve key",
                Some(_) => "is not a private key",
                None => "holds no key in PEM form",
            };
            return Err(format!("{instead}; {PRIVATE_KINDS}"));
        }
    };
    let certificates = sections
        .iter()
        .filter(|(kind, _)| *kind == SectionKind::Certificate)
        .map(|(_, der)| certificate(der))
        .collect::<Result<_, _>>()?;
    Ok(MerchantKey { pair, certificates })
}

/// Reads one file of platform certificates and public keys; the error names the file.
pub(super) fn platform(path: &Path, pem: &[u8]) -> Result<Vec<CheckKey>, String> {
    let wrong = |why: String| {
        format!("{}: {why}; accepted are PEM \"CERTIFICATE\" and \"PUBLIC KEY\", RSA", path.display())
    };
    let sections = sections(pem).map_err(wrong)?;
    let begun = pem.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"-----BEGIN ")).count();
    if sections.is_empty() || begun != sections.len() {
        return Err(wrong("holds nothing, or something else, in PEM form".to_owned()));
    }
    sections
        .iter()
        .map(|(kind, der)| match kind {
            SectionKind::Certificate => certificate(der),
            SectionKind::PublicKey => {
                let key = SubjectPublicKeyInfoOwned::from_der(der)
                    .map_err(|_| "holds a broken public key".to_owned())?;
                Ok(CheckKey { serial: None, key: check_key(&key)? })
            }
            SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey => {
                Err("holds a private key; the platform's certificate belongs here".to_owned())
            }
            _ => Err("holds something else".to_owned()),
        })
        .collect::<Result<_, _>>()
        .map_err(wrong)
}

/// A serial in one spelling for equal numbers: hexadecimal, lower case, without leading zeros and colons. The
/// provider does not say how it writes serials.
pub(super) fn plain_serial(text: &str) -> String {
    let digits: String = text.trim().chars().filter(|c| *c != ':').collect();
    let digits = digits.to_ascii_lowercase();
    digits.strip_prefix("0x").unwrap_or(&digits).trim_start_matches('0').to_owned()
}

fn sections(pem: &[u8]) -> Result<Vec<(SectionKind, Vec<u8>)>, String> {
    <(SectionKind, Vec<u8>)>::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|_| "holds broken PEM: a line BEGIN, END or of base64 is damaged".to_owned())
}

fn certificate(der: &[u8]) -> Result<CheckKey, String> {
    let certificate =
        Certificate::from_der(der).map_err(|_| "holds a broken certificate".to_owned())?.tbs_certificate;
    let serial: String =
        certificate.serial_number.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let key = check_key(&certificate.subject_public_key_info)
        .map_err(|why| format!("certificate with serial {}: {why}", cut(&serial, SHOWN)))?;
    Ok(CheckKey { serial: Some(plain_serial(&serial)), key })
}

fn check_key(info: &SubjectPublicKeyInfoOwned) -> Result<UnparsedPublicKey<Vec<u8>>, String> {
    let key = info.subject_public_key.raw_bytes();
    match rsa_bits(key).filter(|_| info.algorithm.oid == RSA) {
        Some(bits) if bits < LEAST_BITS => Err(format!("its RSA key has fewer than {LEAST_BITS} bits")),
        Some(bits) if bits > MOST_BITS => Err(format!("its RSA key has more than {MOST_BITS} bits")),
        Some(_) => Ok(UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.to_vec())),
        None => Err("its key is not an RSA key".to_owned()),
    }
}

/// The length of an RSA public key's modulus, in whole bytes; the key is RFC 8017's `RSAPublicKey`.
fn rsa_bits(key: &[u8]) -> Option<usize> {
    let modulus = |reader: &mut SliceReader<'_>| {
        reader.sequence(|key| {
            let modulus = UintRef::decode(key)?.as_bytes().len() * 8;
            UintRef::decode(key)?;
            Ok(modulus)
        })
    };
    let mut reader = SliceReader::new(key).ok()?;
    modulus(&mut reader).ok()
}
