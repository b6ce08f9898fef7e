//! opendir, readdir, releasedir, fsyncdir.

use std::sync::Arc;

use moorage_meta::{AtimeMode, DirectoryEntry, MAY_READ};
use moorage_model::{ErrorKind, Ino, NodeType, Result};

use crate::directory::{Listing, Special};
use crate::handles::Opened;
use crate::internal::InternalNode;
use crate::journal::Operation;
use crate::{Caller, DirItem, FileHandle, OpenReply, Vfs};

impl Vfs {
    /// Opens a directory for listing; every success needs one [`Vfs::releasedir`].
    ///
    /// One engine read.
    ///
    /// # Errors
    /// `NotFound`, `NotDirectory`, `AccessDenied`.
    pub async fn opendir(&self, caller: &Caller, ino: Ino) -> Result<OpenReply> {
        self.watch(Operation::OpenDir, Some(caller), || ino.to_string(), async {
            let ino = self.stored(ino);
            let context = self.context(caller);
            let attr = match InternalNode::of(ino) {
                Some(node) => self.internal_attr(node),
                None => self.meta.getattr(ino).await?,
            };
            if !attr.is_directory() {
                return Err(ErrorKind::NotDirectory.into());
            }
            self.meta.check_access(&context, &attr, MAY_READ).await?;
            if self.meta.options().atime != AtimeMode::Never && !self.options.read_only && !ino.is_trash() {
                self.meta.touch_atime(ino).await?;
            }
            let parent = if ino == self.root || ino == Ino::TRASH {
                Ino::ROOT
            } else {
                self.shown(attr.parent)
            };
            let listing = Listing::new(ino, self.specials(ino, parent), context);
            Ok(OpenReply {
                handle: self.handles.add(Opened::Directory(Arc::new(listing))),
                keep_cache: false,
                direct_io: false,
            })
        })
        .await
    }

    fn specials(&self, ino: Ino, parent: Ino) -> Vec<Special> {
        let dots = [(b".".as_slice(), self.shown(ino)), (b"..".as_slice(), parent)];
        let mut specials: Vec<Special> = dots
            .into_iter()
            .map(|(name, ino)| Special {
                name,
                ino,
                kind: NodeType::Directory,
            })
            .collect();
        if ino == self.root {
            specials.extend(self.listed_internals().map(|node| Special {
                name: node.name(self.options.prefix_internal),
                ino: node.ino(),
                kind: node.kind(),
            }));
        }
        specials
    }

    /// Lists entries behind `cookie` (0 is the start): calls `emit` with each until it answers `false`, which means that
    /// the entry did not fit and is asked for again. With `plus` entries carry attributes.
    ///
    /// Entries that exist all the time are listed exactly once, whatever changes between calls. One engine read per
    /// thousand entries.
    ///
    /// # Errors
    /// `BadHandle`, `NotFound`.
    pub async fn readdir(
        &self,
        handle: FileHandle,
        cookie: u64,
        plus: bool,
        emit: &mut (dyn FnMut(DirItem<'_>) -> bool + Send),
    ) -> Result<()> {
        let arguments = || format!("{},{cookie},{plus}", handle.0);
        self.watch(Operation::ReadDir, None, arguments, async {
            let listing = self.handles.directory(handle)?;
            let specials = listing.specials.len() as u64;
            let skip = usize::try_from(cookie).unwrap_or(usize::MAX);
            for (special, next_cookie) in listing.specials.iter().zip(1..).skip(skip) {
                if !emit(self.special_item(special, next_cookie, plus)) {
                    return Ok(());
                }
            }
            let position = cookie.saturating_sub(specials);
            let mut each = |at: u64, entry: &DirectoryEntry| {
                self.note_told(listing.ino, entry.entry.ino);
                emit(self.stored_item(listing.ino, entry, specials + at + 1, plus))
            };
            listing.walk(&self.meta, position, plus, &mut each).await
        })
        .await
    }

    fn special_item<'a>(&self, special: &Special, next_cookie: u64, plus: bool) -> DirItem<'a> {
        let entry = InternalNode::of(special.ino).filter(|_| plus);
        DirItem {
            name: special.name,
            ino: special.ino,
            kind: special.kind,
            next_cookie,
            entry: entry.map(|node| self.internal_entry(node)),
        }
    }

    fn stored_item<'a>(
        &self,
        directory: Ino,
        item: &'a DirectoryEntry,
        next_cookie: u64,
        plus: bool,
    ) -> DirItem<'a> {
        let ino = item.entry.ino;
        let entry = item.attr.as_ref().filter(|_| plus).map(|attr| {
            let mut attr = attr.clone();
            if let Some(file) = self.files.get(ino) {
                file.content().overlay(&mut attr);
            }
            self.entry_at(directory, &item.name, ino, attr)
        });
        DirItem {
            name: item.name.as_bytes(),
            ino: self.shown(ino),
            kind: item.entry.kind,
            next_cookie,
            entry,
        }
    }

    /// Gives a directory handle back.
    ///
    /// # Errors
    /// `BadHandle`.
    pub async fn releasedir(&self, handle: FileHandle) -> Result<()> {
        self.watch(Operation::ReleaseDir, None, || handle.0.to_string(), async {
            self.handles.remove(handle).map(drop)
        })
        .await
    }

    /// Returns when all changes of entries made through this client survive power loss.
    ///
    /// # Errors
    /// `BadHandle`; what the barrier answers.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn fsyncdir(&self, handle: FileHandle) -> Result<()> {
        self.watch(Operation::FSyncDir, None, || handle.0.to_string(), async {
            self.handles.directory(handle)?;
            self.meta.make_durable().await
        })
        .await
    }
}
