//! Carrying one file over.

use std::time::Duration;

use moorage_model::{Error, ErrorKind, Result};

use super::compare::{Digesting, changing, digest};
use super::run::Run;
use crate::{Entry, Finish, Kind, Links, Permissions, Replaces};

/// Times that a file is begun which changes meanwhile, or whose store does not answer.
const ATTEMPTS: u32 = 3;
/// Pause behind a store's first failure; it grows with each.
const PAUSE: Duration = Duration::from_secs(1);

/// Whether a store may answer when it is asked again.
fn may_pass(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout)
}

impl Run<'_> {
    /// How links of the source are read.
    pub(super) fn links(&self) -> Links {
        if self.options.links {
            Links::Keep
        } else {
            Links::Follow
        }
    }

    /// Copies a file or a link. Returns its bytes once the destination has it whole.
    pub(super) async fn carry(&self, entry: &Entry) -> Result<u64> {
        if entry.kind == Kind::Link {
            return self.carry_link(entry).await;
        }
        let mut outcome = Err(changing(&entry.path));
        for attempt in 0..ATTEMPTS {
            match self.carry_once(entry).await {
                Ok(Some(bytes)) => return Ok(bytes),
                Ok(None) => outcome = Err(changing(&entry.path)),
                Err(error) if may_pass(&error) => {
                    outcome = Err(error);
                    tokio::time::sleep(PAUSE * (attempt + 1)).await;
                }
                Err(error) => return Err(error),
            }
        }
        outcome
    }

    /// `None` when the file changed meanwhile: the destination is as it was.
    async fn carry_once(&self, entry: &Entry) -> Result<Option<u64>> {
        let mut source = self.source.read(entry, self.links()).await?;
        let version = source.version();
        let mut sink = self.destination.write(&entry.path, version.size).await?;
        let mut digesting = self.options.checks.new.then(Digesting::new);
        let mut bytes = 0u64;
        while let Some(piece) = source.next().await? {
            self.rate.pass(piece.len()).await;
            if let Some(digesting) = &mut digesting {
                digesting.add(&piece);
            }
            bytes += piece.len() as u64;
            self.progress.add(0, piece.len() as u64);
            sink.write(piece).await?;
        }
        if bytes != version.size || !source.is_unchanged().await? {
            return Ok(None);
        }
        let finish = Finish {
            modified: Some(version.modified),
            permissions: self.permissions_of(entry),
            replaces: Replaces::Anything,
        };
        let made = sink.finish(finish).await?;
        if let Some(digesting) = digesting {
            self.check_copy(&made, digesting).await?;
        }
        Ok(Some(bytes))
    }

    /// Reads a copy back. One that differs is worth nothing and would be taken for good by the next run.
    async fn check_copy(&self, made: &Entry, digesting: Digesting) -> Result<()> {
        let found = digest(self.destination, made, Links::Keep).await?;
        if found == digesting.finish() {
            super::report::one(&self.counts.checked);
            self.counts
                .checked_bytes
                .fetch_add(made.size(), std::sync::atomic::Ordering::Relaxed);
            return Ok(());
        }
        let removed = self.destination.remove(made).await;
        let error = Error::new(
            ErrorKind::Corrupt,
            format!("the copy of {} is not what was read from the source", made.path),
        );
        Err(match removed {
            Ok(()) => {
                error.with_advice("The copy was removed. Check the destination, then run the command again.")
            }
            Err(also) => error
                .with_source(also)
                .with_advice("Remove the copy, and check the destination."),
        })
    }

    async fn carry_link(&self, entry: &Entry) -> Result<u64> {
        let target = self.source.link_target(&entry.path).await?;
        let made = self
            .destination
            .make_link(&entry.path, &target, Replaces::Anything)
            .await?;
        self.destination
            .set_attributes(&made.path, self.permissions_of(entry), Some(entry.modified()))
            .await?;
        Ok(0)
    }

    /// Whether the contents of two entries are the same.
    pub(super) async fn is_same(&self, source: &Entry, destination: &Entry) -> Result<bool> {
        if source.kind != destination.kind {
            return Ok(false);
        }
        if source.kind == Kind::Link {
            let (one, other) = (
                self.source.link_target(&source.path).await?,
                self.destination.link_target(&destination.path).await?,
            );
            return Ok(one == other);
        }
        if source.size() != destination.size() {
            return Ok(false);
        }
        let one = digest(self.source, source, self.links()).await?;
        let other = digest(self.destination, destination, Links::Keep).await?;
        Ok(one == other)
    }

    /// The permissions that a copy gets.
    pub(super) fn permissions_of(&self, entry: &Entry) -> Option<Permissions> {
        entry
            .permissions
            .filter(|_| self.options.permissions && self.destination.abilities().permissions)
    }
}
