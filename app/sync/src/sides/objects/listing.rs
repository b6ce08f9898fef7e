//! Listing objects, whose order is that of listings already.

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use moorage_chunk::{ObjectInfo, ObjectStore};
use moorage_model::{Error, Result};

use super::entry_of;
use crate::{Filter, Kind, Listed, Listing, RelativePath};

/// Objects asked for at once: what the stores give at most.
const PAGE: usize = 1000;

pub(super) struct ObjectListing {
    store: Arc<dyn ObjectStore>,
    prefix: String,
    filter: Arc<Filter>,
    after: Option<String>,
    page: VecDeque<(String, ObjectInfo)>,
    done: bool,
}

impl ObjectListing {
    pub(super) fn new(store: Arc<dyn ObjectStore>, prefix: String, filter: Arc<Filter>) -> ObjectListing {
        ObjectListing {
            store,
            prefix,
            filter,
            after: None,
            page: VecDeque::new(),
            done: false,
        }
    }

    /// What a key is below the prefix; nothing for the folder object of the prefix itself, and for what is filtered.
    fn listed(&self, key: &str, info: &ObjectInfo) -> Option<Listed> {
        let below = key.strip_prefix(&self.prefix)?;
        if below.is_empty() {
            return None;
        }
        let (text, kind) = match below.strip_suffix('/') {
            Some(text) => (text, Kind::Folder),
            None => (below, Kind::File),
        };
        match RelativePath::new(text.as_bytes()) {
            Ok(path) if text.is_empty() => Some(strange(key, path)),
            Ok(path) => self
                .filter
                .admits(&path, kind == Kind::Folder)
                .then(|| Listed::Entry(entry_of(path, kind, info))),
            Err(error) => Some(Listed::Unreadable {
                at: RelativePath::root(),
                whole: false,
                error: error.context(format!("object {key}")),
            }),
        }
    }
}

fn strange(key: &str, at: RelativePath) -> Listed {
    Listed::Unreadable {
        at,
        whole: false,
        error: Error::new(
            moorage_model::ErrorKind::InvalidArgument,
            format!("object {key} has no name"),
        ),
    }
}

#[async_trait]
impl Listing for ObjectListing {
    async fn next(&mut self) -> Result<Option<Listed>> {
        loop {
            while let Some((key, info)) = self.page.pop_front() {
                if let Some(listed) = self.listed(&key, &info) {
                    return Ok(Some(listed));
                }
            }
            if self.done {
                return Ok(None);
            }
            let page = self.store.list(&self.prefix, self.after.as_deref(), PAGE).await?;
            self.done = page.len() < PAGE;
            self.after = page.last().map(|(key, _)| key.clone());
            self.page = page.into();
        }
    }
}
