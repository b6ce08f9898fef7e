//! Whose prefix it is: the object in which a volume claims its place in a bucket (spec 10-setting section 6).

use bytes::Bytes;
use moorage_model::{Error, ErrorKind, Result};

use super::probe::PROBE_PREFIX;
use super::{ObjectStore, prefix_in_use};
use crate::block::BlockId;

/// Name of the object, inside the prefix.
const CLAIM: &str = "juicefs_uuid";
/// Most characters of a foreign claim that are repeated: a UUID has 36.
const MOST_SHOWN: usize = 64;

/// What the prefix says about the volume that wants to use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// This volume claimed it.
    Own,
    /// Nobody did, though objects are there: a volume that was made without a check of its store.
    Unclaimed,
    /// There is no object at all: a fresh volume, or the wrong bucket, or a disk that is not mounted.
    Empty,
}

/// Claims the prefix for a volume.
///
/// # Errors
/// The store's.
pub async fn claim_prefix(store: &dyn ObjectStore, uuid: &str) -> Result<()> {
    store.put(CLAIM, Bytes::copy_from_slice(uuid.as_bytes())).await
}

/// Whether a client of the format gives an object of its data path this name (spec 60-objects section 2, spec 10-setting
/// section 6): a block, the claim of the prefix, or what a probe leaves. A folder of blocks counts that a store keeps as an
/// object of its own.
#[must_use]
pub fn is_of_volume(key: &str) -> bool {
    let folder_of_blocks = || {
        let mut parts = key.trim_end_matches('/').split('/');
        let numbers = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
        key.ends_with('/') && parts.next() == Some("chunks") && parts.all(numbers)
    };
    key == CLAIM
        || key == "testing"
        || key.starts_with(PROBE_PREFIX)
        || BlockId::parse(key).is_some()
        || folder_of_blocks()
}

/// Looks whose prefix it is.
///
/// # Errors
/// `Exists` when another volume claimed it, or the claim is not readable with the key of this volume; else the
/// store's.
pub async fn check_claim(store: &dyn ObjectStore, uuid: &str) -> Result<Claim> {
    let place = store.describe();
    let refused = |whose: String| {
        Error::new(
            ErrorKind::Exists,
            format!("the object store ({place}) belongs to {whose}, not to volume {uuid}"),
        )
        .with_advice("Check the bucket and the name of the volume: its files are not here")
    };
    match store.get(CLAIM, None).await {
        Ok(body) if body == uuid.as_bytes() => Ok(Claim::Own),
        Ok(body) => Err(refused(format!("volume {}", in_words(&body)))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(match prefix_in_use(store).await? {
            Some(_) => Claim::Unclaimed,
            None => Claim::Empty,
        }),
        Err(error) if error.kind() == ErrorKind::Corrupt => {
            let other = refused("a volume with another key".to_owned()).with_source(error);
            Err(other.with_advice("Check the key, the bucket and the name of the volume."))
        }
        Err(error) => Err(error),
    }
}

/// The start of a claim, whatever bytes it has.
fn in_words(claim: &[u8]) -> String {
    let text = String::from_utf8_lossy(claim);
    text.trim()
        .chars()
        .take(MOST_SHOWN)
        .flat_map(char::escape_debug)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryStore;

    const UUID: &str = "4f1d0f5e-4f37-4b0a-a1a6-1a9b5b0f7a11";
    const OTHER: &str = "b8a54f0c-0f0e-4d52-9a56-6f1d2c3b4a59";

    #[tokio::test]
    async fn a_prefix_is_empty_then_unclaimed_then_owned() {
        let store = MemoryStore::new();
        assert_eq!(check_claim(&store, UUID).await.unwrap(), Claim::Empty);
        store
            .put("chunks/0/0/1_0_1", Bytes::from_static(b"x"))
            .await
            .unwrap();
        assert_eq!(check_claim(&store, UUID).await.unwrap(), Claim::Unclaimed);
        claim_prefix(&store, UUID).await.unwrap();
        assert_eq!(check_claim(&store, UUID).await.unwrap(), Claim::Own);
    }

    #[test]
    fn objects_of_a_volume_are_known_by_their_names() {
        for key in [
            "juicefs_uuid",
            "testing/put",
            "chunks/0/0/1_0_4096",
            "chunks/A1/2/2000161_3_4194304",
            "chunks/0/12/",
        ] {
            assert!(is_of_volume(key), "{key}");
        }
        for key in [
            "letter.txt",
            "meta/letter.txt",
            "chunks/0/0/letter.txt",
            "chunks/0/0/0/1_0_4096",
            "chunks/photos/",
            "photos/",
        ] {
            assert!(!is_of_volume(key), "{key}");
        }
    }

    #[tokio::test]
    async fn the_claim_of_another_volume_is_refused_and_both_are_named() {
        let store = MemoryStore::new();
        claim_prefix(&store, OTHER).await.unwrap();
        let error = check_claim(&store, UUID).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Exists);
        let text = error.to_string();
        assert!(text.contains(UUID) && text.contains(OTHER), "{text}");
    }

    #[tokio::test]
    async fn a_claim_of_any_bytes_is_shown_in_plain_letters() {
        let store = MemoryStore::new();
        claim_prefix(&store, "\u{1b}]0;owned\u{7}").await.unwrap();
        let text = check_claim(&store, UUID).await.unwrap_err().to_string();
        assert!(text.chars().all(|c| !c.is_control()), "{text:?}");
    }
}
