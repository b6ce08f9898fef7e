//! Doing what a scan found, path by path, each looked at once more.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use futures_util::{StreamExt as _, stream};
use moorage_model::{Error, ErrorKind, Result, Timestamp};
use parking_lot::Mutex;

use super::conflict::{Conflict, name_for};
use super::decide::{Change, End, Step, decide};
use super::round::{Pair, Preview, RoundReport};
use super::scan::{Look, look};
use super::settling::has_settled;
use super::state::{Base, Key, Known, Phase, Seen, Work};
use crate::copy::{Digest, Failure, compare};
use crate::{Entry, Finish, Kind, Links, RelativePath, Replaces, Version};

/// Names tried for one conflict copy.
const MOST_CONFLICT_NAMES: u32 = 100;

/// Counts and rows of a round under way.
#[derive(Debug, Default)]
pub(super) struct Applying {
    copied: [AtomicU64; 2],
    copied_bytes: AtomicU64,
    removed: [AtomicU64; 2],
    conflicts: AtomicU64,
    postponed: AtomicU64,
    failed: AtomicU64,
    /// Rows that may be noted once both sides are synced.
    rows: Mutex<Vec<(Key, Option<Base>)>>,
}

fn slot(end: End) -> usize {
    match end {
        End::Left => 0,
        End::Right => 1,
    }
}

impl Applying {
    fn count(counts: &[AtomicU64; 2], end: End) {
        if let Some(count) = counts.get(slot(end)) {
            count.fetch_add(1, Relaxed);
        }
    }

    fn note(&self, key: &Key, base: Option<Base>) {
        self.rows.lock().push((key.clone(), base));
    }

    fn report(&self, preview: Preview) -> RoundReport {
        let [copied_left, copied_right] = &self.copied;
        let [removed_left, removed_right] = &self.removed;
        RoundReport {
            preview,
            copied_left: copied_left.load(Relaxed),
            copied_right: copied_right.load(Relaxed),
            copied_bytes: self.copied_bytes.load(Relaxed),
            removed_left: removed_left.load(Relaxed),
            removed_right: removed_right.load(Relaxed),
            conflicts: self.conflicts.load(Relaxed),
            postponed: self.postponed.load(Relaxed),
            failed: self.failed.load(Relaxed),
        }
    }
}

/// A path as it is now.
struct Now {
    key: Key,
    path: RelativePath,
    base: Option<Base>,
    left: Option<Entry>,
    right: Option<Entry>,
    /// A content that is known could have been changed without another time, since the clock has not moved on.
    unsettled: [bool; 2],
}

impl Now {
    fn entry(&self, end: End) -> Option<&Entry> {
        match end {
            End::Left => self.left.as_ref(),
            End::Right => self.right.as_ref(),
        }
    }

    fn is_unsettled(&self, end: End) -> bool {
        self.unsettled.get(slot(end)).copied().unwrap_or(true)
    }
}

/// It changes at this moment: the next round deals with it.
fn is_passing(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Conflict | ErrorKind::NotFound)
}

impl Pair {
    pub(super) async fn apply(&self, preview: Preview) -> Result<RoundReport> {
        let applying = Applying::default();
        for phase in [
            Phase::RemoveFiles,
            Phase::RemoveFolders,
            Phase::MakeFolders,
            Phase::Files,
        ] {
            let at_once = match phase {
                Phase::RemoveFolders | Phase::MakeFolders => 1,
                Phase::RemoveFiles | Phase::Files => self.options.threads.max(1),
            };
            let mut after = None;
            loop {
                let page = self.state.work(phase, after.as_ref())?;
                let Some(last) = page.last() else {
                    break;
                };
                after = Some(last.key.clone());
                stream::iter(page)
                    .for_each_concurrent(at_once, |work| self.deal(work, &applying))
                    .await;
                self.settle(&applying).await?;
            }
        }
        Ok(applying.report(preview))
    }

    /// Notes what was done, once it survives a power cut: a row says that both sides have a content for good.
    async fn settle(&self, applying: &Applying) -> Result<()> {
        let rows = std::mem::take(&mut *applying.rows.lock());
        if rows.is_empty() {
            return Ok(());
        }
        self.side(End::Left).settle().await?;
        self.side(End::Right).settle().await?;
        self.state.note(&rows)
    }

    async fn deal(&self, work: Work, applying: &Applying) {
        let done = match work.key.path() {
            Ok(path) => match self.deal_with(&work, &path, applying).await {
                Err(error) if is_passing(&error) => {
                    applying.postponed.fetch_add(1, Relaxed);
                    Ok(())
                }
                done => done.map_err(|error| Failure { path, error }),
            },
            Err(error) => Err(Failure {
                path: RelativePath::root(),
                error,
            }),
        };
        if let Err(failure) = done {
            applying.failed.fetch_add(1, Relaxed);
            self.told.failed(&failure);
        }
    }

    async fn deal_with(&self, work: &Work, path: &RelativePath, applying: &Applying) -> Result<()> {
        let started = self.options.clock.now();
        let of_key = |found: Option<Entry>| found.filter(|entry| entry.is_folder() == work.key.is_folder());
        let mut now = Now {
            key: work.key.clone(),
            path: path.clone(),
            base: self.state.find(&work.key)?,
            left: of_key(self.side(End::Left).look(path).await?),
            right: of_key(self.side(End::Right).look(path).await?),
            unsettled: [false; 2],
        };
        let left = self.certain(&mut now, End::Left, started).await?;
        let right = self.certain(&mut now, End::Right, started).await?;
        match decide(self.options.mode, left, right) {
            Step::Nothing => {
                self.note_settled(&now, applying);
                Ok(())
            }
            Step::Forget => {
                if now.base.is_some() {
                    applying.note(&now.key, None);
                }
                Ok(())
            }
            Step::Carry { to } if now.is_unsettled(to) => self.postpone(applying),
            Step::Carry { to } => self.carry(&now, to, applying).await,
            Step::Remove { from } if !work.removes || now.is_unsettled(from) => self.postpone(applying),
            Step::Remove { from } => self.remove(&now, from, applying).await,
            Step::Reconcile { keeps } => self.reconcile(&now, keeps, applying).await,
        }
    }

    fn postpone(&self, applying: &Applying) -> Result<()> {
        applying.postponed.fetch_add(1, Relaxed);
        Ok(())
    }

    /// How one side changed; what times leave open is read.
    async fn certain(&self, now: &mut Now, end: End, started: Timestamp) -> Result<Change> {
        let known = now.base.as_ref().map(|base| base.of(end));
        match (look(known, now.entry(end)), now.entry(end)) {
            (Look::Certain(change), _) => Ok(change),
            (Look::Doubtful, None) => Ok(Change::Gone),
            (Look::Doubtful, Some(entry)) => {
                let digest = self.digest(end, entry).await?;
                let Some(base) = now.base.as_mut().filter(|base| base.digest == Some(digest)) else {
                    return Ok(Change::Changed);
                };
                if has_settled(base.seen_at, started) {
                    base.of_mut(end).settled = true;
                } else if let Some(unsettled) = now.unsettled.get_mut(slot(end)) {
                    *unsettled = true;
                }
                Ok(Change::Unchanged)
            }
        }
    }

    /// Both sides are as they were: remembers what was read of them. A clock that was set back begins anew.
    fn note_settled(&self, now: &Now, applying: &Applying) {
        let Some(mut base) = now.base else {
            return;
        };
        if now.unsettled.contains(&true) {
            base.seen_at = base.seen_at.min(self.options.clock.now().clamped_nanos());
        }
        applying.note(&now.key, Some(base));
    }

    async fn digest(&self, end: End, entry: &Entry) -> Result<Digest> {
        match entry.kind {
            Kind::Link => {
                let target = self.side(end).link_target(&entry.path).await?;
                Ok(compare::digest_of(&target))
            }
            _ => compare::digest(self.side(end), entry, Links::Keep).await,
        }
    }

    fn known(&self, end: End, version: Version) -> Known {
        Known {
            seen: Seen::from(version),
            settled: self.side(end).abilities().fine_times,
        }
    }

    fn row(&self, digest: Option<Digest>, seen_at: Timestamp, left: Version, right: Version) -> Base {
        Base {
            digest,
            seen_at: seen_at.clamped_nanos(),
            left: self.known(End::Left, left),
            right: self.known(End::Right, right),
        }
    }

    /// Copies to a side what it does not have, or has as it was.
    async fn carry(&self, now: &Now, to: End, applying: &Applying) -> Result<()> {
        let from = to.other();
        let Some(entry) = now.entry(from) else {
            return self.postpone(applying);
        };
        if let (Some(base), Some(target)) = (&now.base, now.entry(to))
            && entry.kind == target.kind
            && entry.size() == target.size()
            && base.digest == Some(self.digest(from, entry).await?)
        {
            // Only touched: nothing to carry.
            let mut base = *base;
            base.seen_at = self.options.clock.now().clamped_nanos();
            *base.of_mut(from) = self.known(from, entry.version);
            applying.note(&now.key, Some(base));
            return Ok(());
        }
        let replaces = match now.entry(to) {
            Some(target) => Replaces::This(target.version),
            None => {
                self.clear_way(now, to, applying).await?;
                Replaces::Nothing
            }
        };
        self.transfer(now, entry, to, replaces, applying).await
    }

    /// Carries one entry over and notes that both sides have it.
    async fn transfer(
        &self,
        now: &Now,
        entry: &Entry,
        to: End,
        replaces: Replaces,
        applying: &Applying,
    ) -> Result<()> {
        let (from, path) = (to.other(), &now.path);
        let (source, target) = (self.side(from), self.side(to));
        let (digest, seen, made) = match entry.kind {
            Kind::Folder => {
                target.make_folder(path).await?;
                (None, entry.version, entry.version)
            }
            Kind::Link => {
                let pointed = source.link_target(path).await?;
                let made = target.make_link(path, &pointed, replaces).await?;
                (Some(compare::digest_of(&pointed)), entry.version, made.version)
            }
            Kind::File => {
                let mut content = source.read(entry, Links::Keep).await?;
                let version = content.version();
                let mut sink = target.write(path, version.size).await?;
                let mut digest = compare::Digesting::new();
                let mut bytes = 0u64;
                while let Some(piece) = content.next().await? {
                    digest.add(&piece);
                    bytes += piece.len() as u64;
                    sink.write(piece).await?;
                }
                if bytes != version.size || !content.is_unchanged().await? {
                    return Err(compare::changing(path));
                }
                let finish = Finish {
                    modified: Some(version.modified),
                    permissions: None,
                    replaces,
                };
                let made = sink.finish(finish).await?;
                applying.copied_bytes.fetch_add(bytes, Relaxed);
                (Some(digest.finish()), version, made.version)
            }
            Kind::Special => return Ok(()),
        };
        Applying::count(&applying.copied, to);
        let seen_at = self.options.clock.now();
        let row = match to {
            End::Right => self.row(digest, seen_at, seen, made),
            End::Left => self.row(digest, seen_at, made, seen),
        };
        applying.note(&now.key, Some(row));
        Ok(())
    }

    /// Gives what stands where something of another kind belongs another name.
    async fn clear_way(&self, now: &Now, end: End, applying: &Applying) -> Result<()> {
        match self.side(end).look(&now.path).await? {
            Some(found) if found.is_folder() != now.key.is_folder() => {
                self.set_aside(&now.path, end, applying).await
            }
            _ => Ok(()),
        }
    }

    /// Renames a path of a side to the name of a conflict copy. Whatever is there at this moment is kept.
    async fn set_aside(&self, path: &RelativePath, end: End, applying: &Applying) -> Result<()> {
        let time = self.options.clock.now();
        for number in 1..=MOST_CONFLICT_NAMES {
            let copy = name_for(path, &self.options.host, time, number)?;
            match self.side(end).rename(path, &copy).await {
                Err(error) if error.kind() == ErrorKind::Exists => {}
                renamed => {
                    renamed?;
                    applying.conflicts.fetch_add(1, Relaxed);
                    self.told.conflict(path, &copy, end);
                    let path = path.clone();
                    self.state.note_conflict(&Conflict {
                        path,
                        copy,
                        end,
                        time,
                    })?;
                    return Ok(());
                }
            }
        }
        Err(Error::new(
            ErrorKind::Exists,
            format!("there are {MOST_CONFLICT_NAMES} conflict copies of {path} of this second already"),
        ))
    }

    /// Both sides have a version of their own.
    async fn reconcile(&self, now: &Now, keeps: End, applying: &Applying) -> Result<()> {
        let (Some(left), Some(right)) = (&now.left, &now.right) else {
            return self.postpone(applying);
        };
        let seen_at = self.options.clock.now();
        if left.is_folder() {
            let row = self.row(None, seen_at, left.version, right.version);
            applying.note(&now.key, Some(row));
            return Ok(());
        }
        if left.kind == right.kind && left.size() == right.size() {
            let digest = self.digest(End::Left, left).await?;
            if digest == self.digest(End::Right, right).await? {
                let row = self.row(Some(digest), seen_at, left.version, right.version);
                applying.note(&now.key, Some(row));
                return Ok(());
            }
        }
        let loses = keeps.other();
        self.set_aside(&now.path, loses, applying).await?;
        let Some(entry) = now.entry(keeps) else {
            return Ok(());
        };
        self.transfer(now, entry, loses, Replaces::Nothing, applying)
            .await
    }

    /// Removes from a side what the other one lacks and this one has as it was.
    async fn remove(&self, now: &Now, from: End, applying: &Applying) -> Result<()> {
        let Some(entry) = now.entry(from) else {
            return self.postpone(applying);
        };
        match self.side(from).remove(entry).await {
            // Something in it takes no part, or is new: the folder stays as long.
            Err(error) if error.kind() == ErrorKind::NotEmpty => return Ok(()),
            removed => removed?,
        }
        Applying::count(&applying.removed, from);
        applying.note(&now.key, None);
        Ok(())
    }
}
