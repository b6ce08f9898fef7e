//! An object store: a bucket or a part of one.

mod listing;
mod read;
mod write;

use std::sync::Arc;

use async_trait::async_trait;
use moorage_chunk::{ObjectInfo, ObjectStore};
use moorage_model::{Error, ErrorKind, Result, Timestamp};

use crate::{
    Abilities, Entry, Kind, Links, ListOptions, Listing, Permissions, RelativePath, Replaces, Side, Sink,
    Source, Version,
};

/// The objects of a store whose keys begin with a prefix, as files of a tree.
///
/// Objects have neither permissions nor a time of change of their own, and folders are only what their keys say. A store
/// knows no rename and no condition, so that two writers of the same key are not kept apart: the last one wins.
#[derive(Debug)]
pub struct ObjectSide {
    store: Arc<dyn ObjectStore>,
    prefix: String,
}

impl ObjectSide {
    /// A part of a store: a path inside the bucket, or the root for all of it.
    ///
    /// # Errors
    /// `InvalidArgument` for a path that is not UTF-8.
    pub fn new(store: Arc<dyn ObjectStore>, path: &RelativePath) -> Result<ObjectSide> {
        let mut prefix = key_text(path)?.to_owned();
        if !prefix.is_empty() {
            prefix.push('/');
        }
        Ok(ObjectSide { store, prefix })
    }

    fn key(&self, path: &RelativePath) -> Result<String> {
        Ok(format!("{}{}", self.prefix, key_text(path)?))
    }
}

fn key_text(path: &RelativePath) -> Result<&str> {
    std::str::from_utf8(path.as_bytes()).map_err(|error| {
        Error::new(
            ErrorKind::InvalidArgument,
            format!("{path} is not UTF-8, and objects have no other names"),
        )
        .with_source(error)
        .with_advice("Rename it, or exclude it.")
    })
}

fn entry_of(path: RelativePath, kind: Kind, info: &ObjectInfo) -> Entry {
    Entry {
        path,
        kind,
        version: version_of(info),
        permissions: None,
    }
}

fn version_of(info: &ObjectInfo) -> Version {
    Version {
        size: info.size,
        modified: info.modified.map(Timestamp::from).unwrap_or_default(),
        changed: None,
        node: None,
    }
}

/// Whether an object is in the state that was seen before. Listings and look-ups of some stores tell times in different
/// precision: whole seconds count.
fn same_state(info: &ObjectInfo, version: &Version) -> bool {
    let found = version_of(info);
    found.size == version.size && found.modified.seconds == version.modified.seconds
}

fn no_links(path: &RelativePath) -> Error {
    Error::new(
        ErrorKind::NotSupported,
        format!("{path} is a symbolic link, and an object store has none"),
    )
    .with_advice("Leave --links out to copy what links point to, or exclude it.")
}

#[async_trait]
impl Side for ObjectSide {
    fn describe(&self) -> String {
        if self.prefix.is_empty() {
            self.store.describe()
        } else {
            format!("{}, below {}", self.store.describe(), self.prefix)
        }
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            folders: false,
            links: false,
            times: false,
            fine_times: false,
            permissions: false,
        }
    }

    fn list(&self, options: ListOptions) -> Box<dyn Listing> {
        Box::new(listing::ObjectListing::new(
            Arc::clone(&self.store),
            self.prefix.clone(),
            options.filter,
        ))
    }

    async fn look(&self, path: &RelativePath) -> Result<Option<Entry>> {
        match self.store.head(&self.key(path)?).await {
            Ok(info) => Ok(Some(entry_of(path.clone(), Kind::File, &info))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn read(&self, entry: &Entry, _links: Links) -> Result<Box<dyn Source>> {
        let key = self.key(&entry.path)?;
        let store = Arc::clone(&self.store);
        Ok(Box::new(read::ObjectSource::open(store, key, entry.version)))
    }

    async fn write(&self, path: &RelativePath, size: u64) -> Result<Box<dyn Sink>> {
        let key = self.key(path)?;
        let store = Arc::clone(&self.store);
        Ok(Box::new(write::ObjectSink::new(store, key, path.clone(), size)))
    }

    async fn link_target(&self, path: &RelativePath) -> Result<Vec<u8>> {
        Err(no_links(path))
    }

    async fn make_link(&self, path: &RelativePath, _target: &[u8], _replaces: Replaces) -> Result<Entry> {
        Err(no_links(path))
    }

    /// A folder is an empty object whose key ends with `/`.
    async fn make_folder(&self, path: &RelativePath) -> Result<()> {
        let key = format!("{}/", self.key(path)?);
        self.store.put(&key, bytes::Bytes::new()).await
    }

    async fn remove(&self, entry: &Entry) -> Result<()> {
        let mut key = self.key(&entry.path)?;
        if entry.is_folder() {
            key.push('/');
            return self.store.delete(&key).await;
        }
        match self.store.head(&key).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Ok(info) if !same_state(&info, &entry.version) => {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    format!("object {key} was changed by somebody else meanwhile"),
                )
                .with_advice("Run the command again; it is left as it is."));
            }
            other => other?,
        };
        self.store.delete(&key).await
    }

    async fn rename(&self, from: &RelativePath, _to: &RelativePath) -> Result<()> {
        Err(Error::new(
            ErrorKind::NotSupported,
            format!("object {from} can not be renamed: an object store has no such request"),
        ))
    }

    async fn set_attributes(
        &self,
        _path: &RelativePath,
        _permissions: Option<Permissions>,
        _modified: Option<Timestamp>,
    ) -> Result<()> {
        Ok(())
    }

    async fn settle(&self) -> Result<()> {
        self.store.sync().await
    }
}
