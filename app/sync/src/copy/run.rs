//! The run of a copy.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use moorage_chunk::Rate;
use moorage_meta::admin::Progress;
use moorage_model::{Error, ErrorKind, Result};
use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::doomed::Doomed;
use super::merge::{Merge, Met};
use super::report::{Counts, one};
use super::{Action, CopyOptions, Failure, Observer, Report, Step, decide};
use crate::{Entry, Kind, Links, ListOptions, RelativePath, Side};

/// Leftovers younger than this may belong to a transfer that is under way.
const LEFTOVER_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// What all tasks of a copy share.
pub(super) struct Run<'r> {
    pub(super) source: &'r dyn Side,
    pub(super) destination: &'r dyn Side,
    pub(super) options: &'r CopyOptions,
    observer: &'r dyn Observer,
    pub(super) progress: &'r Progress,
    pub(super) counts: Counts,
    pub(super) rate: Rate,
    doomed: Doomed,
    enough: AtomicBool,
}

/// Copies `source` to `destination`. What fails is told to `observer` and counted, and the rest goes on; the destination
/// is synced at the end.
///
/// # Errors
/// When a side can not be listed, or the destination can not be synced. `Interrupted` when `progress` was cancelled.
///
/// # Cancel safety
/// A dropped copy leaves no part of a file; what was copied stays.
pub async fn copy(
    source: &dyn Side,
    destination: &dyn Side,
    options: &CopyOptions,
    observer: &dyn Observer,
    progress: &Progress,
) -> Result<Report> {
    let run = Run {
        source,
        destination,
        options,
        observer,
        progress,
        counts: Counts::default(),
        rate: Rate::new(options.bytes_per_second, Handle::current()),
        doomed: Doomed::default(),
        enough: AtomicBool::new(false),
    };
    run.pass().await?;
    if options.folders && !options.dry {
        run.settle_folders().await?;
    }
    run.delete_from_source(run.doomed.rest()).await;
    if !options.dry {
        destination.settle().await?;
    }
    Ok(run.counts.report())
}

impl<'r> Run<'r> {
    /// Both listings, merged anew.
    pub(super) fn merge(&self) -> Merge {
        let of = |side: &dyn Side, links| {
            side.list(ListOptions {
                links,
                filter: self.options.filter.clone(),
            })
        };
        Merge::new(of(self.source, self.links()), of(self.destination, Links::Keep))
    }

    /// Goes through all names once.
    async fn pass(&self) -> Result<()> {
        let stopped: Mutex<Result<()>> = Mutex::new(Ok(()));
        let names = stream::unfold((self.merge(), 0), async |(mut merge, passed)| {
            if self.enough.load(Relaxed) || self.options.limit.is_some_and(|limit| passed >= limit) {
                return None;
            }
            let next = match self.progress.check() {
                Ok(()) => merge.next().await,
                Err(error) => Err(error),
            };
            match next {
                Ok(met) => met.map(|met| {
                    let counts = matches!(&met, Met::Name { source: Some(found), .. } if self.takes(found));
                    (met, (merge, passed + u64::from(counts)))
                }),
                Err(error) => {
                    *stopped.lock() = Err(error);
                    None
                }
            }
        });
        names
            .for_each_concurrent(self.options.threads.max(1), |met| self.handle(met))
            .await;
        stopped.into_inner()
    }

    /// Whether an entry of the source is one to be copied.
    fn takes(&self, found: &Entry) -> bool {
        self.options.folders || !found.is_folder()
    }

    async fn handle(&self, met: Met) {
        let (source, destination) = match met {
            Met::Name { source, destination } => (source, destination),
            Met::Failed(failure) => return self.fail(&failure),
            // The source is not ours to tidy.
            Met::Leftover { in_source: true, .. } => return,
            Met::Leftover { entry, .. } => return self.tidy(&entry).await,
            Met::Unknown(entry) => {
                let error = Error::new(
                    ErrorKind::Io,
                    format!("{} is left: the other side can not be read there", entry.path),
                );
                return self.fail(&Failure {
                    path: entry.path,
                    error,
                });
            }
        };
        let Some(path) = source.as_ref().or(destination.as_ref()).map(|e| e.path.clone()) else {
            return;
        };
        if source.as_ref().is_some_and(|found| self.takes(found)) {
            one(&self.counts.found);
            self.progress.expect(1);
        }
        let done = match decide(source.as_ref(), destination.as_ref(), self.options) {
            Step::Skip => {
                if source.as_ref().is_some_and(|found| !found.is_folder()) {
                    one(&self.counts.skipped);
                }
                Ok(())
            }
            Step::Clash => Err(clash(&path)),
            Step::Copy => match &source {
                Some(found) => self.copy_one(found).await,
                None => Ok(()),
            },
            Step::Same => match (&source, &destination) {
                (Some(found), Some(other)) => self.settle_same(found, other).await,
                _ => Ok(()),
            },
            Step::DeleteDestination => match &destination {
                Some(extra) => self.delete_from_destination(extra).await,
                None => Ok(()),
            },
        };
        if source.is_some() {
            self.progress.add(1, 0);
        }
        if let Err(error) = done {
            self.fail(&Failure { path, error });
        }
    }

    fn fail(&self, failure: &Failure) {
        one(&self.counts.failed);
        self.observer.failed(failure);
        let failed = self.counts.failed.load(Relaxed);
        if self.options.most_failures.is_some_and(|most| failed > most) {
            self.enough.store(true, Relaxed);
        }
    }

    /// Whether a change is to be made now; a dry run only tells.
    fn makes(&self, action: Action, path: &RelativePath) -> bool {
        if self.options.dry {
            self.observer.would(action, path);
        }
        !self.options.dry
    }

    async fn copy_one(&self, entry: &Entry) -> Result<()> {
        let mut bytes = entry.size();
        if self.makes(Action::Copy, &entry.path) {
            if entry.is_folder() {
                self.destination.make_folder(&entry.path).await?;
                bytes = 0;
            } else {
                bytes = self.carry(entry).await?;
            }
        }
        one(&self.counts.copied);
        self.counts.copied_bytes.fetch_add(bytes, Relaxed);
        if self.options.deletions.source_after && !self.options.dry {
            self.doom_if_same(entry).await?;
        }
        Ok(())
    }

    /// The destination seems to have it already.
    async fn settle_same(&self, entry: &Entry, other: &Entry) -> Result<()> {
        if self.options.checks.all || entry.kind == Kind::Link {
            if !self.is_same(entry, other).await? {
                return self.copy_one(entry).await;
            }
            one(&self.counts.checked);
            self.counts.checked_bytes.fetch_add(entry.size(), Relaxed);
        }
        let permissions = self.permissions_of(entry);
        if permissions.is_some() && permissions != other.permissions {
            if self.makes(Action::SetPermissions, &entry.path) {
                self.destination
                    .set_attributes(&entry.path, permissions, None)
                    .await?;
            }
            one(&self.counts.changed);
        } else {
            one(&self.counts.skipped);
        }
        if self.options.deletions.source && self.makes(Action::DeleteSource, &entry.path) {
            self.doom_if_same(entry).await?;
        }
        Ok(())
    }

    /// Deletes from the source once both contents were read and are the same, and the destination is synced.
    async fn doom_if_same(&self, entry: &Entry) -> Result<()> {
        let Some(other) = self.destination.look(&entry.path).await? else {
            return Err(kept(&entry.path, "the destination does not have it"));
        };
        if !entry.is_folder() && !self.is_same(entry, &other).await? {
            return Err(kept(&entry.path, "the destination has another content"));
        }
        if let Some(batch) = (!entry.is_folder())
            .then(|| self.doomed.add(entry.clone()))
            .flatten()
        {
            self.delete_from_source(batch).await;
        }
        Ok(())
    }

    async fn delete_from_source(&self, batch: Vec<Entry>) {
        if batch.is_empty() {
            return;
        }
        if let Err(error) = self.destination.settle().await {
            let path = RelativePath::root();
            return self.fail(&Failure {
                path,
                error: error.context("nothing is deleted from the source"),
            });
        }
        for entry in batch {
            match self.source.remove(&entry).await {
                Ok(()) => one(&self.counts.deleted_source),
                Err(error) => self.fail(&Failure {
                    path: entry.path,
                    error,
                }),
            }
        }
    }

    /// Folders go later, when they are empty.
    async fn delete_from_destination(&self, extra: &Entry) -> Result<()> {
        if !self.makes(Action::DeleteDestination, &extra.path) {
            one(&self.counts.deleted_destination);
        } else if !extra.is_folder() {
            self.destination.remove(extra).await?;
            one(&self.counts.deleted_destination);
        }
        Ok(())
    }

    /// Removes what a run left that was cut off long ago.
    async fn tidy(&self, entry: &Entry) {
        let age = self.options.now.since(entry.modified());
        if age.is_some_and(|age| age > LEFTOVER_AGE)
            && !self.options.dry
            && let Err(error) = self.destination.remove(entry).await
        {
            tracing::warn!(%error, "a leftover stays");
        }
    }

    pub(super) fn report_failure(&self, path: &RelativePath, error: Error) {
        self.fail(&Failure {
            path: path.clone(),
            error,
        });
    }
}

fn clash(path: &RelativePath) -> Error {
    Error::new(
        ErrorKind::IsDirectory,
        format!("{path} is a folder in one side and something else in the other"),
    )
    .with_advice("Rename or remove one of them.")
}

fn kept(path: &RelativePath, why: &str) -> Error {
    Error::new(
        ErrorKind::Conflict,
        format!("{path} is kept in the source: {why}"),
    )
}
