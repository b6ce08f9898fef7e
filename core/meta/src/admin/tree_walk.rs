//! Walking a tree with several directories at work at once and bounded memory.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use moorage_model::{Error, ErrorKind, Ino, Name, Result};

use super::entries::read_entries;
use super::progress::Progress;
use crate::{DamagedRecord, DirectoryEntry, Meta};

/// Entries of a directory handed to a visitor at once.
pub(super) const ENTRY_PAGE: usize = 1000;

/// What is done in each directory of a tree.
#[async_trait]
pub(super) trait TreeVisitor: Sync {
    /// A directory with what the visitor needs to know of it.
    type Place: Send;

    /// The directory itself.
    fn directory(&self, place: &Self::Place) -> Ino;

    /// Called before each page of a directory is read: what is known of the directory from then on is not younger than
    /// its entries.
    async fn before_page(&self, _: &mut Self::Place) -> Result<()> {
        Ok(())
    }

    /// Handles a page of entries, each with its attributes as far as they can be read; the sub-directories to walk are returned.
    /// Pages of one directory come one after the other.
    async fn page(&self, place: &Self::Place, entries: Vec<DirectoryEntry>) -> Result<Vec<Self::Place>>;

    /// Told of entries that can not be read, before the others of their page. Whoever can do nothing without them
    /// ends the walk.
    fn damaged(&self, _: &Self::Place, entries: Vec<DamagedRecord>) -> Result<()> {
        match entries.into_iter().next() {
            Some(first) => Err(first.error),
            None => Ok(()),
        }
    }

    /// Called when everything below a directory is done.
    async fn leave(&self, place: Self::Place) -> Result<()>;
}

/// A directory of which something is still to be done.
struct Frame<P> {
    /// `None` while a step has it.
    place: Option<P>,
    directory: Ino,
    parent: Option<u64>,
    after: Option<Name>,
    /// Sub-directories found and not left yet.
    open: usize,
    listed: bool,
}

enum Step<P> {
    Page(P, Vec<P>, Option<Name>),
    Left,
}

/// A step at work, by the number of its frame.
type Running<'w, P> = BoxFuture<'w, (u64, Result<Step<P>>)>;

/// Walks the tree below `root` with up to `concurrency` steps at once, deepest directories first. The first error
/// ends the walk; steps that run then are finished or dropped.
///
/// Memory: at most one page of directories per level of depth and step, about 220 bytes each.
///
/// # Errors
/// Those of the visitor and the engine; `Corrupt` when a directory lies below itself.
pub(super) async fn walk<V: TreeVisitor>(
    meta: &Meta,
    visitor: &V,
    root: V::Place,
    concurrency: usize,
    progress: &Progress,
) -> Result<()> {
    let mut walk = Walk {
        frames: HashMap::new(),
        open: HashSet::new(),
        ready: Vec::new(),
        next: 0,
    };
    walk.push(visitor.directory(&root), root, None)?;
    let mut running: FuturesUnordered<Running<'_, V::Place>> = FuturesUnordered::new();
    loop {
        progress.check()?;
        while running.len() < concurrency.max(1) {
            let Some((id, place, after, listed)) = walk.take_ready() else {
                break;
            };
            running.push(Box::pin(async move {
                let step = if listed {
                    visitor.leave(place).await.map(|()| Step::Left)
                } else {
                    read_page(meta, visitor, place, after).await
                };
                (id, step)
            }));
        }
        let Some((id, step)) = running.next().await else {
            return Ok(());
        };
        match step? {
            Step::Page(place, children, after) => {
                let children = children
                    .into_iter()
                    .map(|child| (visitor.directory(&child), child));
                walk.listed(id, place, children.collect(), after)?;
            }
            Step::Left => walk.left(id),
        }
    }
}

async fn read_page<V: TreeVisitor>(
    meta: &Meta,
    visitor: &V,
    mut place: V::Place,
    after: Option<Name>,
) -> Result<Step<V::Place>> {
    visitor.before_page(&mut place).await?;
    let page = read_entries(
        meta.engine.as_ref(),
        visitor.directory(&place),
        after.as_ref(),
        true,
    )
    .await?;
    if !page.damaged.is_empty() {
        visitor.damaged(&place, page.damaged)?;
    }
    let children = if page.items.is_empty() {
        Vec::new()
    } else {
        visitor.page(&place, page.items).await?
    };
    Ok(Step::Page(place, children, page.next))
}

/// The error of a walk that meets a directory inside itself: two clients of an older release may leave that.
pub(crate) fn below_itself(directory: Ino) -> Error {
    Error::new(
        ErrorKind::Corrupt,
        format!("directory {directory} has several names, or lies below itself"),
    )
    .with_advice("`moorage fsck` names the entries.")
}

struct Walk<P> {
    frames: HashMap<u64, Frame<P>>,
    /// The directories of all frames.
    open: HashSet<Ino>,
    /// Last in, first out, so that the deepest are finished before more are found.
    ready: Vec<u64>,
    next: u64,
}

impl<P> Walk<P> {
    fn push(&mut self, directory: Ino, place: P, parent: Option<u64>) -> Result<()> {
        if !self.open.insert(directory) {
            return Err(below_itself(directory));
        }
        let id = self.next;
        self.next += 1;
        let frame = Frame {
            place: Some(place),
            directory,
            parent,
            after: None,
            open: 0,
            listed: false,
        };
        self.frames.insert(id, frame);
        self.ready.push(id);
        Ok(())
    }

    fn take_ready(&mut self) -> Option<(u64, P, Option<Name>, bool)> {
        let id = self.ready.pop()?;
        let frame = self.frames.get_mut(&id)?;
        let place = frame.place.take()?;
        Some((id, place, frame.after.take(), frame.listed))
    }

    fn listed(&mut self, id: u64, place: P, children: Vec<(Ino, P)>, after: Option<Name>) -> Result<()> {
        if let Some(frame) = self.frames.get_mut(&id) {
            frame.place = Some(place);
            frame.open += children.len();
            frame.listed = after.is_none();
            frame.after = after;
            if !frame.listed || frame.open == 0 {
                self.ready.push(id);
            }
        }
        for (directory, child) in children {
            self.push(directory, child, Some(id))?;
        }
        Ok(())
    }

    fn left(&mut self, id: u64) {
        let Some(left) = self.frames.remove(&id) else {
            return;
        };
        self.open.remove(&left.directory);
        if let Some(parent) = left.parent
            && let Some(frame) = self.frames.get_mut(&parent)
        {
            frame.open -= 1;
            if frame.listed && frame.open == 0 {
                self.ready.push(parent);
            }
        }
    }
}
