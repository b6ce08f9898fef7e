//! Folders, once everything in them is done: extra ones go, the others get their times.

use moorage_model::{ErrorKind, Result};

use super::merge::Met;
use super::report::one;
use super::run::Run;
use crate::{Entry, RelativePath};

/// A folder whose entries are being passed.
struct Open {
    /// In the destination.
    entry: Entry,
    /// The same folder of the source; without it the folder is extra.
    model: Option<Entry>,
}

impl Run<'_> {
    /// Goes through the folders of both sides, each behind what is in it. Memory for one branch of the tree.
    pub(super) async fn settle_folders(&self) -> Result<()> {
        let mut merge = self.merge();
        let mut open: Vec<Open> = Vec::new();
        while let Some(met) = merge.next().await? {
            let Met::Name { source, destination } = met else {
                continue;
            };
            let path = source
                .as_ref()
                .or(destination.as_ref())
                .map(|entry| entry.path.clone());
            let path = path.unwrap_or_else(RelativePath::root);
            while let Some(left) = open.pop_if(|folder| !path.is_below(&folder.entry.path)) {
                self.settle_folder(left).await;
            }
            if let Some(entry) = destination.filter(Entry::is_folder) {
                open.push(Open { entry, model: source });
            }
        }
        while let Some(left) = open.pop() {
            self.settle_folder(left).await;
        }
        Ok(())
    }

    async fn settle_folder(&self, folder: Open) {
        let path = &folder.entry.path;
        let done = match &folder.model {
            None if self.options.deletions.destination => {
                match self.destination.remove(&folder.entry).await {
                    Ok(()) => {
                        one(&self.counts.deleted_destination);
                        Ok(())
                    }
                    // Something in it is left out, or could not be deleted and was told.
                    Err(error) if error.kind() == ErrorKind::NotEmpty => Ok(()),
                    Err(error) => Err(error),
                }
            }
            None => Ok(()),
            Some(model) => {
                let permissions = self.permissions_of(model);
                let times = self.destination.abilities().times && self.source.abilities().times;
                self.destination
                    .set_attributes(path, permissions, times.then_some(model.modified()))
                    .await
            }
        };
        if let Err(error) = done {
            self.report_failure(path, error);
        }
    }
}
