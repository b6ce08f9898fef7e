//! All objects of a store in pages.

use moorage_chunk::{ObjectInfo, ObjectStore};
use moorage_meta::admin::Progress;
use moorage_model::Result;

/// Objects listed per call.
const PAGE: usize = 1000;

/// The objects below a prefix in the order of their keys. Objects that appear or go between pages disturb nothing.
pub(super) struct Listing<'s> {
    store: &'s dyn ObjectStore,
    prefix: &'s str,
    after: Option<String>,
    ended: bool,
}

impl<'s> Listing<'s> {
    pub(super) fn new(store: &'s dyn ObjectStore, prefix: &'s str) -> Self {
        Listing {
            store,
            prefix,
            after: None,
            ended: false,
        }
    }

    /// The next page; `None` behind the last one.
    pub(super) async fn next(&mut self, progress: &Progress) -> Result<Option<Vec<(String, ObjectInfo)>>> {
        progress.check()?;
        if self.ended {
            return Ok(None);
        }
        let page = self.store.list(self.prefix, self.after.as_deref(), PAGE).await?;
        self.ended = page.len() < PAGE;
        if let Some((last, _)) = page.last() {
            self.after = Some(last.clone());
        }
        Ok(Some(page))
    }
}
