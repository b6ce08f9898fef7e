//! The bytes of an encrypted file of secrets.
//!
//! ```text
//! 16  "moorage secrets\n"
//!  1  version, 1
//!  1  where the key comes from: 0 a passphrase, 1 a file beside this one
//!  4  rounds of PBKDF2-HMAC-SHA256, big endian; 0 without a passphrase
//! 16  salt of the key derivation
//! 32  HMAC-SHA256 of all before it under the key: tells a wrong key from a damaged file
//! 12  nonce
//!  n  AES-256-GCM of a JSON object from names to secrets; all before the nonce is authenticated with it
//! ```

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::{hmac, pbkdf2, rand};
use zeroize::Zeroizing;

const MAGIC: &[u8; 16] = b"moorage secrets\n";
const VERSION: u8 = 1;
const SALT_BYTES: usize = 16;
const CHECK_BYTES: usize = 32;
/// Bytes of the key.
pub(super) const KEY_BYTES: usize = 32;
/// Rounds for a new file: a quarter of a second, and what OWASP asks of this derivation.
const ROUNDS: u32 = 600_000;
/// Most rounds that are taken from a file: opening it stays a matter of seconds, whoever wrote it.
const MOST_ROUNDS: u32 = 10_000_000;

/// Where the key of an encrypted file comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// A passphrase, which nobody but the person has.
    Passphrase,
    /// A file beside it: whoever can read all files of the user reads the secrets.
    KeyFile,
}

/// Names and secrets.
pub(super) type Entries = BTreeMap<String, Zeroizing<String>>;

/// The key that entries are encrypted with.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Key(pub(super) Zeroizing<[u8; KEY_BYTES]>);

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Key(…)")
    }
}

impl Key {
    /// A new key.
    pub(super) fn random() -> Result<Key, Unspecified> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        rand::fill(bytes.as_mut_slice())?;
        Ok(Key(bytes))
    }
}

/// Why bytes are no file of secrets that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// They are no such file, or not as they were written.
    Damaged,
    /// A later version wrote them.
    Newer,
    /// The key is another one.
    WrongKey,
}

/// What stands before the secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) source: KeySource,
    rounds: u32,
    salt: [u8; SALT_BYTES],
}

impl Header {
    /// For a new file.
    pub(super) fn fresh(source: KeySource) -> Result<Header, Unspecified> {
        let mut salt = [0; SALT_BYTES];
        rand::fill(&mut salt)?;
        let rounds = match source {
            KeySource::Passphrase => ROUNDS,
            KeySource::KeyFile => 0,
        };
        Ok(Header { source, rounds, salt })
    }

    /// The key of a file whose key comes from a passphrase.
    pub(super) fn key(&self, passphrase: &str) -> Key {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        let rounds = NonZeroU32::new(self.rounds).unwrap_or(NonZeroU32::MIN);
        let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
        pbkdf2::derive(
            algorithm,
            rounds,
            &self.salt,
            passphrase.as_bytes(),
            bytes.as_mut_slice(),
        );
        Key(bytes)
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.push(VERSION);
        bytes.push(match self.source {
            KeySource::Passphrase => 0,
            KeySource::KeyFile => 1,
        });
        bytes.extend_from_slice(&self.rounds.to_be_bytes());
        bytes.extend_from_slice(&self.salt);
        bytes
    }
}

/// A file, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sealed {
    pub(super) header: Header,
    check: [u8; CHECK_BYTES],
    nonce: [u8; NONCE_LEN],
    encrypted: Vec<u8>,
}

impl Sealed {
    /// Takes a file apart.
    ///
    /// # Errors
    /// `Damaged`, `Newer`.
    pub(super) fn parse(bytes: &[u8]) -> Result<Sealed, Unreadable> {
        let damaged = Unreadable::Damaged;
        let (magic, rest) = bytes.split_first_chunk().ok_or(damaged)?;
        let ([version], rest) = rest.split_first_chunk().ok_or(damaged)?;
        if magic != MAGIC || *version == 0 {
            return Err(damaged);
        }
        if *version > VERSION {
            return Err(Unreadable::Newer);
        }
        let ([source], rest) = rest.split_first_chunk().ok_or(damaged)?;
        let (rounds, rest) = rest.split_first_chunk().ok_or(damaged)?;
        let (salt, rest) = rest.split_first_chunk().ok_or(damaged)?;
        let (check, rest) = rest.split_first_chunk().ok_or(damaged)?;
        let (nonce, encrypted) = rest.split_first_chunk().ok_or(damaged)?;
        let rounds = u32::from_be_bytes(*rounds);
        let source = match (source, rounds) {
            (0, 1..=MOST_ROUNDS) => KeySource::Passphrase,
            (1, 0) => KeySource::KeyFile,
            _ => return Err(damaged),
        };
        let header = Header {
            source,
            rounds,
            salt: *salt,
        };
        Ok(Sealed {
            header,
            check: *check,
            nonce: *nonce,
            encrypted: encrypted.to_vec(),
        })
    }

    /// The secrets.
    ///
    /// # Errors
    /// `WrongKey`, `Damaged`.
    pub(super) fn open(&self, key: &Key) -> Result<Entries, Unreadable> {
        let damaged = |_| Unreadable::Damaged;
        let mut authenticated = self.header.bytes();
        let checking = hmac::Key::new(hmac::HMAC_SHA256, key.0.as_slice());
        hmac::verify(&checking, &authenticated, &self.check).map_err(|_| Unreadable::WrongKey)?;
        authenticated.extend_from_slice(&self.check);
        let cipher = RandomizedNonceKey::new(&AES_256_GCM, key.0.as_slice()).map_err(damaged)?;
        let mut bytes = Zeroizing::new(self.encrypted.clone());
        let nonce = Nonce::assume_unique_for_key(self.nonce);
        let opened = cipher
            .open_in_place(nonce, Aad::from(authenticated), &mut bytes)
            .map_err(damaged)?;
        let entries: BTreeMap<String, String> =
            serde_json::from_slice(opened).map_err(|_| Unreadable::Damaged)?;
        Ok(entries
            .into_iter()
            .map(|(name, secret)| (name, Zeroizing::new(secret)))
            .collect())
    }
}

/// The bytes of a file with these secrets; each call gives others.
pub(super) fn seal(header: &Header, key: &Key, entries: &Entries) -> Result<Vec<u8>, Unspecified> {
    let plain: BTreeMap<&str, &str> = entries
        .iter()
        .map(|(name, secret)| (name.as_str(), secret.as_str()))
        .collect();
    let mut text = Zeroizing::new(serde_json::to_vec(&plain).map_err(|_| Unspecified)?);
    let mut bytes = header.bytes();
    let checking = hmac::Key::new(hmac::HMAC_SHA256, key.0.as_slice());
    bytes.extend_from_slice(hmac::sign(&checking, &bytes).as_ref());
    let cipher = RandomizedNonceKey::new(&AES_256_GCM, key.0.as_slice())?;
    let tag_bytes = AES_256_GCM.tag_len();
    // Grown before it is filled: growing would leave a copy of the text behind.
    let mut sealed = Zeroizing::new(Vec::with_capacity(text.len() + tag_bytes));
    sealed.append(&mut text);
    let nonce = cipher.seal_in_place_append_tag(Aad::from(bytes.clone()), &mut *sealed)?;
    bytes.extend_from_slice(nonce.as_ref());
    bytes.extend_from_slice(&sealed);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of the first version, with few rounds, under the passphrase `pass`, made by other libraries from the
    /// description above: later versions read it.
    const FIRST: &str = "\
        6d6f6f7261676520736563726574730a01000000000703030303030303030303030303030303fc69\
        bd34976f9f4a8917ad867f741195e33f4fb4316e6223a72f5d9c163ba4a300010203040506070809\
        0a0b68e0216014e30b3c5747ea0833ae58d4ec97f820a443acb7725b98c8d0760f93251b6b4ff81f\
        af62a00c462382f0";

    fn entries() -> Entries {
        let secret = Zeroizing::new("hunter2".to_owned());
        Entries::from([("volume/password".to_owned(), secret)])
    }

    fn header() -> Header {
        Header {
            source: KeySource::Passphrase,
            rounds: 7,
            salt: [3; SALT_BYTES],
        }
    }

    fn bytes_of(text: &str) -> Vec<u8> {
        let digits = text.as_bytes().chunks(2);
        let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).expect("text"), 16).expect("a byte");
        digits.map(byte).collect()
    }

    #[test]
    fn a_file_of_the_first_version_is_read() {
        let sealed = Sealed::parse(&bytes_of(FIRST)).expect("parsed");
        assert_eq!(sealed.header, header());
        assert_eq!(sealed.open(&sealed.header.key("pass")), Ok(entries()));
    }

    #[test]
    fn what_is_sealed_shows_nothing_and_is_never_the_same_twice() {
        let key = header().key("pass");
        let sealed = seal(&header(), &key, &entries()).expect("sealed");
        assert!(!sealed.windows(7).any(|window| window == b"hunter2"));
        assert_ne!(sealed, seal(&header(), &key, &entries()).expect("sealed again"));
        let opened = Sealed::parse(&sealed).expect("parsed").open(&key);
        assert_eq!(opened, Ok(entries()));
    }

    #[test]
    fn a_wrong_key_is_told_from_damage_and_every_changed_byte_is_noticed() {
        let key = header().key("pass");
        let sealed = seal(&header(), &key, &entries()).expect("sealed");
        let wrong = Sealed::parse(&sealed)
            .expect("parsed")
            .open(&header().key("word"));
        assert_eq!(wrong, Err(Unreadable::WrongKey));
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            let outcome = Sealed::parse(&changed).and_then(|parsed| parsed.open(&key));
            assert!(outcome.is_err(), "byte {place}");
            let cut = Sealed::parse(&sealed[..place]).and_then(|parsed| parsed.open(&key));
            assert_eq!(cut, Err(Unreadable::Damaged), "cut at {place}");
        }
    }

    #[test]
    fn a_file_of_a_later_version_is_not_called_damaged() {
        let mut sealed = seal(&header(), &header().key("pass"), &entries()).expect("sealed");
        sealed[MAGIC.len()] = VERSION + 1;
        assert_eq!(Sealed::parse(&sealed), Err(Unreadable::Newer));
    }
}
