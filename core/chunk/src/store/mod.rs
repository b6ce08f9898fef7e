//! Object stores: the contract, the drivers and the layers between a volume and its bucket.

mod claim;
mod counters;
mod encrypt;
mod endpoint;
mod file;
mod memory;
mod open;
mod probe;
mod remote;
mod storages;
mod volume;

use std::fmt::Debug;
use std::ops::Range;
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;
use moorage_model::{Error, ErrorKind, Result, TierId};

pub use claim::{Claim, check_claim, claim_prefix, is_of_volume};
pub use encrypt::{Cipher, DataKey, EncryptedStore, Envelope, Sealer};
pub use endpoint::{Endpoint, Greeting};
pub use file::FileStore;
pub use memory::MemoryStore;
pub use open::{StoreConfig, open_store};
pub use probe::{ProbeObject, prefix_in_use, probe_store};
pub use remote::{BucketUrl, RemoteStore};
pub use storages::{STORAGES, Storage};
pub use volume::{VolumeStore, shard_of};

/// What a store says about an object without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Stored bytes: after compression and encryption.
    pub size: u64,
    /// Last change, when the store tells.
    pub modified: Option<SystemTime>,
}

/// What the layers above may expect of a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// The bytes are on this machine: the kernel's page cache serves repeats and a copy on disk gains nothing.
    pub local: bool,
    /// Bodies are encrypted: a part can not be read without the whole.
    pub encrypted: bool,
}

/// Calls and bytes since the store was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreCounters {
    /// Objects written.
    pub puts: u64,
    /// Bytes written.
    pub put_bytes: u64,
    /// Reads, whole and ranged.
    pub gets: u64,
    /// Bytes read.
    pub get_bytes: u64,
    /// Deletions.
    pub deletes: u64,
    /// Pages of listings.
    pub lists: u64,
    /// Barriers that had something to sync.
    pub syncs: u64,
    /// Calls that ended in an error other than "not found".
    pub errors: u64,
}

impl StoreCounters {
    /// Both together, for stores made of several.
    #[must_use]
    pub fn plus(self, other: StoreCounters) -> StoreCounters {
        StoreCounters {
            puts: self.puts + other.puts,
            put_bytes: self.put_bytes + other.put_bytes,
            gets: self.gets + other.gets,
            get_bytes: self.get_bytes + other.get_bytes,
            deletes: self.deletes + other.deletes,
            lists: self.lists + other.lists,
            syncs: self.syncs + other.syncs,
            errors: self.errors + other.errors,
        }
    }
}

/// An object that is being stored piece by piece. Nobody sees it before it is finished.
#[async_trait]
pub trait ObjectUpload: Send {
    /// Adds bytes at the end. May return before the store has them.
    ///
    /// # Errors
    /// What the store answers, also about earlier bytes.
    async fn write(&mut self, bytes: Bytes) -> Result<()>;

    /// Stores the object, whole. On return every client can read it.
    ///
    /// # Errors
    /// What the store answers: then there is no such object, or still the one before.
    async fn finish(self: Box<Self>) -> Result<()>;

    /// Gives the object up, and what the store has of it.
    async fn abort(self: Box<Self>);
}

/// A flat name space of immutable objects.
///
/// Keys are UTF-8, parts separated by `/`, and relative to whatever the store was opened on: for the store of
/// [`open_store`] that is the volume prefix. Objects are written whole and never changed; writing the same key
/// again with the same bytes is allowed (a retry).
///
/// Every method is safe to drop at any await: at worst the call has happened.
#[async_trait]
pub trait ObjectStore: Send + Sync + Debug {
    /// Stores an object, of which nobody ever sees a part. On return every client can read it; whether it survives a
    /// power cut is [`ObjectStore::sync`]'s business.
    async fn put(&self, key: &str, body: Bytes) -> Result<()>;

    /// Stores an object that nothing refers to before the call has returned, a block: until then, and when the client
    /// dies meanwhile, a part of it may be there. With the storage class of a tier, where the store has such.
    async fn put_tier(&self, key: &str, body: Bytes, tier: TierId) -> Result<()> {
        let _ = tier;
        self.put(key, body).await
    }

    /// Begins an object of about `size` bytes that is too large for memory. Blocks of a volume never are.
    ///
    /// # Errors
    /// `NotSupported` where objects are stored whole only.
    async fn begin(&self, key: &str, size: u64) -> Result<Box<dyn ObjectUpload>> {
        let _ = size;
        Err(Error::new(
            ErrorKind::NotSupported,
            format!("object {key} can not be stored in pieces in {}", self.describe()),
        ))
    }

    /// Stores a body that [`ObjectStore::seal`] made earlier.
    async fn put_sealed(&self, key: &str, body: Bytes, tier: TierId) -> Result<()> {
        self.put_tier(key, body, tier).await
    }

    /// What would be stored for this body: encrypted if the store encrypts.
    ///
    /// # Errors
    /// `Io` when the cipher fails.
    fn seal(&self, body: Bytes) -> Result<Bytes> {
        Ok(body)
    }

    /// The reverse of [`ObjectStore::seal`]. `key` names the object in errors.
    ///
    /// # Errors
    /// `Corrupt` when the bytes are not what was sealed.
    fn open_sealed(&self, body: Bytes, key: &str) -> Result<Bytes> {
        let _ = key;
        Ok(body)
    }

    /// Lets go of the connections that are there: what is asked from now on goes over new ones. For a network that is another
    /// than a moment ago, where old connections hang until somebody notices.
    fn renew(&self) {}

    /// Reads an object or the given bytes of it. A range that ends behind the object gives what there is.
    ///
    /// # Errors
    /// `NotFound` when there is no such object.
    async fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<Bytes>;

    /// Reads a whole object as it is stored, for [`ObjectStore::open_sealed`].
    ///
    /// # Errors
    /// `NotFound` when there is no such object.
    async fn get_sealed(&self, key: &str) -> Result<Bytes> {
        self.get(key, None).await
    }

    /// Reads bytes at once, without waiting and without a copy in between; `None` when that is not possible and
    /// [`ObjectStore::get`] has to be asked. Fills the whole buffer or fails.
    fn read_now(&self, key: &str, offset: u64, buffer: &mut [u8]) -> Option<Result<()>> {
        let _ = (key, offset, buffer);
        None
    }

    /// Says that these bytes are wanted soon. May block for a moment; never fails.
    fn will_need(&self, key: &str, range: Range<u64>) {
        let _ = (key, range);
    }

    /// Size and age of an object.
    ///
    /// # Errors
    /// `NotFound` when there is no such object.
    async fn head(&self, key: &str) -> Result<ObjectInfo>;

    /// Deletes an object; one that does not exist counts as deleted.
    async fn delete(&self, key: &str) -> Result<()>;

    /// Up to `limit` objects whose keys start with `prefix`, in byte order of their keys, those behind `after` only.
    /// Fewer than `limit` means that there are no more.
    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, ObjectInfo)>>;

    /// The barrier: when it returns, every object whose `put` returned before the call survives a power cut.
    /// Remote stores have nothing to do.
    async fn sync(&self) -> Result<()>;

    /// Says that somebody will wait for [`ObjectStore::sync`] soon. May block for a moment; never fails.
    fn will_sync(&self) {}

    /// Where the objects are, in words and without secrets.
    fn describe(&self) -> String;

    /// The server that holds them, or the first of several; `None` where they are on this machine, or where only the
    /// driver knows.
    fn endpoint(&self) -> Option<&Endpoint> {
        None
    }

    /// Calls and bytes so far.
    fn counters(&self) -> StoreCounters;

    /// What kind of store this is.
    fn features(&self) -> Features {
        Features::default()
    }
}
