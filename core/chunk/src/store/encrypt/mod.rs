//! Encryption of everything below a volume's prefix (spec 60-objects section 5).

mod cipher;
mod data_key;
mod envelope;
mod pem;
mod rsa_key;
mod sm2_key;

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use moorage_model::{Error, ErrorKind, Result, TierId};
use zeroize::Zeroizing;

use super::memory::part;
use super::{Endpoint, Features, ObjectInfo, ObjectStore, StoreCounters};
use crate::compress::damaged;
use crate::offload::Offload;
use cipher::{MAX_KEY_BYTES, NONCE_BYTES, TAG_BYTES};

pub use cipher::Cipher;
pub use data_key::DataKey;
pub use envelope::Envelope;

/// Encrypts and decrypts bodies with one key pair.
#[derive(Clone, Debug)]
pub struct Sealer {
    key: Arc<DataKey>,
    cipher: Cipher,
}

impl Sealer {
    /// The pair of key and cipher that a volume prescribes.
    pub fn new(key: DataKey, cipher: Cipher) -> Sealer {
        Sealer {
            key: Arc::new(key),
            cipher,
        }
    }

    /// The encrypted form of a body, with a data key and a nonce of its own. One copy, one operation of the public key.
    ///
    /// # Errors
    /// `Io` when the library fails.
    pub fn seal(&self, body: &[u8]) -> Result<Bytes> {
        let failed = || Error::new(ErrorKind::Io, "an object could not be encrypted");
        let mut key_space = Zeroizing::new([0; MAX_KEY_BYTES]);
        let key = key_space.get_mut(..self.cipher.key_bytes()).ok_or_else(failed)?;
        let mut nonce = [0; NONCE_BYTES];
        aws_lc_rs::rand::fill(key).map_err(|_| failed())?;
        aws_lc_rs::rand::fill(&mut nonce).map_err(|_| failed())?;
        let wrapped = self.key.wrap(key).ok_or_else(failed)?;
        let mut out = Envelope::start(&wrapped, &nonce, body.len() + TAG_BYTES).ok_or_else(failed)?;
        let from = out.len();
        out.extend_from_slice(body);
        self.cipher
            .seal(key, nonce, &mut out, from)
            .map_err(|_| failed())?;
        Ok(out.into())
    }

    /// The body in an encrypted object; `name` names it in errors. One allocation, one operation of the private key.
    ///
    /// # Errors
    /// `Corrupt` when the bytes are not what was sealed, or were sealed with another key.
    pub fn open(&self, object: &[u8], name: &str) -> Result<Bytes> {
        let parts = Envelope::decode(object)
            .ok_or_else(|| damaged(name, "it is too short for an encrypted object"))?;
        let nonce: [u8; NONCE_BYTES] = parts
            .nonce
            .try_into()
            .map_err(|_| damaged(name, "its nonce has an unknown length"))?;
        let key = self
            .key
            .unwrap(parts.wrapped_key)
            .ok_or_else(|| damaged(name, "its key does not open with the key of the volume"))?;
        self.cipher
            .open(&key, nonce, parts.sealed)
            .map(Bytes::from)
            .map_err(|_| damaged(name, "its bytes fail their authentication"))
    }
}

/// A store whose bodies are encrypted on their way to the store below.
#[derive(Debug)]
pub struct EncryptedStore {
    inner: Arc<dyn ObjectStore>,
    sealer: Sealer,
    offload: Offload,
}

impl EncryptedStore {
    /// Puts encryption above a store.
    pub fn new(inner: Arc<dyn ObjectStore>, sealer: Sealer) -> EncryptedStore {
        EncryptedStore {
            inner,
            sealer,
            offload: Offload::new(),
        }
    }

    async fn seal_away(&self, body: Bytes) -> Result<Bytes> {
        let sealer = self.sealer.clone();
        self.offload.run(body.len(), move || sealer.seal(&body)).await
    }
}

#[async_trait]
impl ObjectStore for EncryptedStore {
    async fn put(&self, key: &str, body: Bytes) -> Result<()> {
        let sealed = self.seal_away(body).await?;
        self.inner.put(key, sealed).await
    }

    async fn put_tier(&self, key: &str, body: Bytes, tier: TierId) -> Result<()> {
        let sealed = self.seal_away(body).await?;
        self.inner.put_tier(key, sealed, tier).await
    }

    async fn put_sealed(&self, key: &str, body: Bytes, tier: TierId) -> Result<()> {
        self.inner.put_tier(key, body, tier).await
    }

    fn renew(&self) {
        self.inner.renew();
    }

    fn seal(&self, body: Bytes) -> Result<Bytes> {
        self.sealer.seal(&body)
    }

    fn open_sealed(&self, body: Bytes, key: &str) -> Result<Bytes> {
        self.sealer.open(&body, key)
    }

    async fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<Bytes> {
        let object = self.inner.get(key, None).await?;
        let (sealer, name) = (self.sealer.clone(), key.to_owned());
        let body = self
            .offload
            .run(object.len(), move || sealer.open(&object, &name))
            .await?;
        Ok(part(&body, range))
    }

    async fn get_sealed(&self, key: &str) -> Result<Bytes> {
        self.inner.get(key, None).await
    }

    async fn head(&self, key: &str) -> Result<ObjectInfo> {
        self.inner.head(key).await
    }

    async fn delete(&self, key: &str) -> Result<()> {
        self.inner.delete(key).await
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, ObjectInfo)>> {
        self.inner.list(prefix, after, limit).await
    }

    fn will_sync(&self) {
        self.inner.will_sync();
    }

    async fn sync(&self) -> Result<()> {
        self.inner.sync().await
    }

    fn describe(&self) -> String {
        format!("{}, encrypted", self.inner.describe())
    }

    fn endpoint(&self) -> Option<&Endpoint> {
        self.inner.endpoint()
    }

    fn counters(&self) -> StoreCounters {
        self.inner.counters()
    }

    fn features(&self) -> Features {
        Features {
            encrypted: true,
            ..self.inner.features()
        }
    }
}
