//! Listing a directory through a handle.

use moorage_meta::{Context, DirectoryEntry, Meta};
use moorage_model::{ErrorKind, Ino, Name, NodeType, Result};
use tokio::sync::Mutex;

/// Entries read from the engine at once.
const PAGE: usize = 1024;

/// An entry that is not stored: `.`, `..` and the internal nodes.
#[derive(Clone, Debug)]
pub(crate) struct Special {
    /// Its name.
    pub(crate) name: &'static [u8],
    /// Inode, as shown.
    pub(crate) ino: Ino,
    /// Kind.
    pub(crate) kind: NodeType,
}

/// The state of one directory handle. Positions count entries from 0, the special ones first.
#[derive(Debug)]
pub(crate) struct Listing {
    /// The directory, as stored.
    pub(crate) ino: Ino,
    /// Entries in front of the stored ones.
    pub(crate) specials: Vec<Special>,
    context: Context,
    pages: Mutex<Pages>,
}

/// The page at hand and where earlier ones began: one name per page, so that a seek backwards finds its place.
#[derive(Debug, Default)]
struct Pages {
    entries: Vec<DirectoryEntry>,
    /// Position of the first entry of the page, special entries not counted.
    first: u64,
    /// Entries carry attributes.
    with_attributes: bool,
    /// Nothing follows the page.
    last: bool,
    /// Position of each page begun so far and the name before it.
    marks: Vec<(u64, Option<Name>)>,
}

impl Listing {
    /// A listing at its start.
    pub(crate) fn new(ino: Ino, specials: Vec<Special>, context: Context) -> Listing {
        Listing {
            ino,
            specials,
            context,
            pages: Mutex::default(),
        }
    }

    /// Calls `each` with the stored entries from `position` on and their positions, until it answers `false`.
    /// Position 0 reads the directory anew.
    ///
    /// One engine read per 1024 entries; ready on the first poll for entries of the page at hand.
    pub(crate) async fn walk(
        &self,
        meta: &Meta,
        position: u64,
        attributes: bool,
        each: &mut (dyn FnMut(u64, &DirectoryEntry) -> bool + Send),
    ) -> Result<()> {
        let mut pages = self.pages.lock().await;
        if position == 0 {
            *pages = Pages::default();
        }
        let mut at = position;
        loop {
            if !pages.holds(at, attributes) {
                if pages.is_behind_end(at) {
                    return Ok(());
                }
                self.load(meta, &mut pages, at, attributes).await?;
                continue;
            }
            for entry in pages.from(at) {
                if !each(at, entry) {
                    return Ok(());
                }
                at += 1;
            }
        }
    }

    /// Reads the page with this position, or the pages up to it.
    async fn load(&self, meta: &Meta, pages: &mut Pages, at: u64, attributes: bool) -> Result<()> {
        let (first, after) = pages.start_of(at);
        let page = meta
            .read_directory(&self.context, self.ino, after.as_ref(), PAGE, attributes)
            .await;
        let entries = match page {
            // A volume that never had a trash has no record of its root, which is shown all the same.
            Err(error) if error.kind() == ErrorKind::NotFound && self.ino == Ino::TRASH => Vec::new(),
            page => page?,
        };
        pages.note_mark(first, after);
        pages.last = entries.len() < PAGE;
        pages.with_attributes = attributes;
        pages.entries = entries;
        pages.first = first;
        Ok(())
    }
}

impl Pages {
    fn end(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    fn holds(&self, at: u64, attributes: bool) -> bool {
        at >= self.first && at < self.end() && (self.with_attributes || !attributes)
    }

    fn is_behind_end(&self, at: u64) -> bool {
        self.last && at >= self.end()
    }

    fn from(&self, at: u64) -> &[DirectoryEntry] {
        let skip = usize::try_from(at - self.first).unwrap_or(usize::MAX);
        self.entries.get(skip..).unwrap_or_default()
    }

    /// Where the page to be read begins: behind the one at hand, or at the last mark before the position.
    fn start_of(&self, at: u64) -> (u64, Option<Name>) {
        if at >= self.end()
            && let Some(last) = self.entries.last()
        {
            return (self.end(), Some(last.name.clone()));
        }
        let mark = self.marks.iter().rev().find(|(first, _)| *first <= at);
        mark.cloned().unwrap_or((0, None))
    }

    fn note_mark(&mut self, first: u64, after: Option<Name>) {
        if self.marks.last().is_none_or(|(last, _)| *last < first) {
            self.marks.push((first, after));
        }
    }
}
