//! From the PEM text of a private key to PKCS#8 (spec 10-setting section 3).

use std::fmt::Display;

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, Algorithm, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey,
};
use md5::{Digest as _, Md5};
use moorage_model::{Error, ErrorKind, Result};
use pkcs8::{EncryptedPrivateKeyInfo, ObjectIdentifier, PrivateKeyInfo};
use zeroize::Zeroizing;

/// Bytes of an AES block, and of the initial vector in a legacy PEM header.
const BLOCK_BYTES: usize = 16;
/// Bytes of the initial vector that legacy PEM encryption uses as salt.
const LEGACY_SALT_BYTES: usize = 8;

/// What a key has to be.
pub(super) const WANTED: &str =
    "The key is the PEM text of an RSA private key of 2048 bits or more, or of an SM2 private key";
/// Algorithm of a key on an elliptic curve: id-ecPublicKey.
const ELLIPTIC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// The DER of the PKCS#8 document in a PEM text.
pub(super) type Der = Zeroizing<Vec<u8>>;

fn unusable(why: impl Display) -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        format!("the data encryption key can not be used: {why}"),
    )
    .with_advice(WANTED)
}

fn locked(why: &str) -> Error {
    Error::new(ErrorKind::Unauthenticated, why).with_advice(
        "Give the passphrase in the environment variable MOORAGE_RSA_PASSPHRASE or JFS_RSA_PASSPHRASE",
    )
}

/// Reads PKCS#1 and PKCS#8, plain or encrypted with the passphrase.
///
/// # Errors
/// `Unauthenticated` when the passphrase is missing or wrong, `InvalidArgument` for another text,
/// `NotSupported` for a key or cipher that is known but not supported.
pub(super) fn to_pkcs8(text: &str, passphrase: Option<&str>) -> Result<Der> {
    let document = pem::parse(text).map_err(|_| unusable("it is no PEM text"))?;
    let passphrase = passphrase.filter(|text| !text.is_empty());
    let need = || passphrase.ok_or_else(|| locked("the data encryption key needs its passphrase"));
    match document.tag() {
        "PRIVATE KEY" => Ok(Zeroizing::new(document.into_contents())),
        "ENCRYPTED PRIVATE KEY" => {
            let passphrase = need()?;
            let sealed = EncryptedPrivateKeyInfo::try_from(document.contents())
                .map_err(|e| unusable(format_args!("its PKCS#8 envelope is malformed ({e})")))?;
            let opened = sealed.decrypt(passphrase).map_err(|_| wrong_passphrase())?;
            Ok(Zeroizing::new(opened.as_bytes().to_vec()))
        }
        "RSA PRIVATE KEY" => {
            let pkcs1 = match document.headers().get("DEK-Info") {
                Some(method) => legacy_open(method, need()?, document.contents())?,
                None => Zeroizing::new(document.contents().to_vec()),
            };
            pkcs8_of_rsa(&pkcs1).ok_or_else(|| unusable("its length is impossible"))
        }
        "EC PRIVATE KEY" | "SM2 PRIVATE KEY" => Err(Error::new(
            ErrorKind::NotSupported,
            "the data encryption key is in a form for elliptic curves that the format does not have",
        )
        .with_advice("Bring it into the form PKCS#8 with `openssl pkcs8 -topk8`")),
        other => Err(unusable(format_args!("a {other:?} is no private key"))),
    }
}

/// Whether a PKCS#8 document holds a key on an elliptic curve.
pub(super) fn is_elliptic(der: &[u8]) -> bool {
    PrivateKeyInfo::try_from(der).is_ok_and(|key| key.algorithm.oid == ELLIPTIC)
}

pub(super) fn wrong_passphrase() -> Error {
    locked("the passphrase of the data encryption key is wrong")
}

/// Opens the encryption that OpenSSL writes into PEM headers: AES in CBC mode, the key from one round of MD5
/// over passphrase and salt.
fn legacy_open(method: &str, passphrase: &str, sealed: &[u8]) -> Result<Der> {
    let (name, vector) = method
        .split_once(',')
        .ok_or_else(|| unusable("its DEK-Info header is malformed"))?;
    let (algorithm, key_bytes): (&'static Algorithm, usize) = match name.trim() {
        "AES-128-CBC" => (&AES_128, 16),
        "AES-192-CBC" => (&AES_192, 24),
        "AES-256-CBC" => (&AES_256, 32),
        other => {
            return Err(Error::new(
                ErrorKind::NotSupported,
                format!("the data encryption key is itself encrypted with {other}, which is not supported"),
            )
            .with_advice("Encrypt the key with AES-256-CBC, for example with `openssl rsa -aes256`"));
        }
    };
    let vector = hex(vector.trim()).ok_or_else(|| unusable("its DEK-Info header is malformed"))?;
    let key = legacy_key(passphrase, &vector, key_bytes);
    let context = DecryptionContext::Iv128(vector.into());
    let mut plain = Zeroizing::new(sealed.to_vec());
    let len = UnboundCipherKey::new(algorithm, &key)
        .and_then(PaddedBlockDecryptingKey::cbc_pkcs7)
        .and_then(|key| key.decrypt(&mut plain, context).map(|opened| opened.len()))
        .map_err(|_| wrong_passphrase())?;
    plain.truncate(len);
    Ok(plain)
}

fn legacy_key(passphrase: &str, vector: &[u8; BLOCK_BYTES], bytes: usize) -> Zeroizing<Vec<u8>> {
    let salt = vector.get(..LEGACY_SALT_BYTES).unwrap_or_default();
    let mut key = Zeroizing::new(Vec::with_capacity(bytes + BLOCK_BYTES));
    let mut last: Option<[u8; BLOCK_BYTES]> = None;
    while key.len() < bytes {
        let mut hash = Md5::new();
        if let Some(last) = last {
            hash.update(last);
        }
        hash.update(passphrase);
        hash.update(salt);
        let digest: [u8; BLOCK_BYTES] = hash.finalize().into();
        key.extend_from_slice(&digest);
        last = Some(digest);
    }
    key.truncate(bytes);
    key
}

fn hex(text: &str) -> Option<[u8; BLOCK_BYTES]> {
    let value = (text.len() == 2 * BLOCK_BYTES).then_some(text)?;
    u128::from_str_radix(value, 16).ok().map(u128::to_be_bytes)
}

/// A PKCS#1 document in its PKCS#8 frame: version 0, algorithm rsaEncryption, the document as octet string.
fn pkcs8_of_rsa(pkcs1: &[u8]) -> Option<Der> {
    /// `INTEGER 0`, then `SEQUENCE { OID 1.2.840.113549.1.1.1, NULL }`.
    const FRAME: [u8; 18] = [
        0x02, 0x01, 0x00, 0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05,
        0x00,
    ];
    /// Bytes of a tag with a length of two bytes.
    const TAG_BYTES: usize = 4;
    let length = |bytes: usize| u16::try_from(bytes).ok().map(u16::to_be_bytes);
    let [octets_high, octets_low] = length(pkcs1.len())?;
    let [high, low] = length(FRAME.len() + TAG_BYTES + pkcs1.len())?;
    let mut out = Zeroizing::new(Vec::with_capacity(FRAME.len() + 2 * TAG_BYTES + pkcs1.len()));
    out.extend_from_slice(&[0x30, 0x82, high, low]);
    out.extend_from_slice(&FRAME);
    out.extend_from_slice(&[0x04, 0x82, octets_high, octets_low]);
    out.extend_from_slice(pkcs1);
    Some(out)
}
