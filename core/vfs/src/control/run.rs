//! From a request to its command.

use std::sync::Arc;

use moorage_meta::Context;
use moorage_meta::admin::{CloneOptions, Progress, RemoveTreeOptions};
use moorage_model::{Attr, Ino, Result};

use super::codec::{Answer, Request};
use crate::Vfs;

impl Vfs {
    /// Runs a command and returns what it answers.
    ///
    /// # Errors
    /// What the command answers as an error number.
    pub(super) async fn run_command(
        self: &Arc<Self>,
        identity: &Context,
        request: &Request,
        progress: &Arc<Progress>,
    ) -> Result<Answer> {
        match request {
            Request::Remove {
                parent,
                name,
                skip_trash,
                threads,
            } => {
                let options = RemoveTreeOptions {
                    skip_trash: *skip_trash,
                    concurrency: *threads,
                };
                self.remove_by_command(identity, (*parent, name), options, progress)
                    .await
            }
            Request::WarmUp(request) => self.warm_up_by_command(identity, request, progress).await,
            Request::Pins(request) => self.pins_by_command(identity, request, progress).await,
            Request::Folder(request) => self.folder_by_command(identity, request).await,
            Request::Info { ino, recursive, raw } => {
                self.info_by_command(identity, *ino, (*recursive, *raw), progress)
                    .await
            }
            Request::Clone {
                source,
                parent,
                name,
                umask,
                preserve,
                threads,
            } => {
                let options = CloneOptions {
                    preserve: *preserve,
                    umask: *umask,
                    concurrency: *threads,
                };
                self.clone_by_command(identity, *source, (*parent, name), options, progress)
                    .await
            }
            Request::Summary { ino, depth, entries } => {
                self.summary_by_command(identity, *ino, (*depth, *entries), progress)
                    .await
            }
            Request::Compact { ino, threads } => {
                self.compact_by_command(identity, *ino, *threads, progress).await
            }
        }
    }

    /// The stored number and the attributes of a node that the caller could reach by a path of this mount.
    ///
    /// # Errors
    /// `NotFound`, `AccessDenied`.
    pub(super) async fn reachable(&self, identity: &Context, shown: Ino) -> Result<(Ino, Attr)> {
        let ino = self.stored(shown);
        let attr = self.meta.reach(identity, ino, self.root).await?;
        Ok((ino, attr))
    }

    /// Gives everything written through this mount its records, for commands that read those.
    ///
    /// # Errors
    /// The first failure of storing.
    pub(super) async fn store_written(&self) -> Result<()> {
        for file in self.files.dirty() {
            file.store_and_commit(self).await?;
        }
        Ok(())
    }
}
