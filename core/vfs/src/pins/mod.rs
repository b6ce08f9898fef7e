//! Files and folders that are kept on this computer: pins.
//!
//! [`book`] says which nodes are pinned, beside the cache; [`cover`] finds what lies below them and which blocks that needs;
//! [`keep`] follows what changes and tells the disk cache which blocks stay; [`fill`] fetches those that are missing.

mod book;
mod cover;
mod fill;
mod keep;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use moorage_chunk::{BlockId, BlockPlace, ChunkStore};
use moorage_model::{Error, ErrorKind, Ino, Result};
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

pub(crate) use book::{Pin, PinBook};
pub(crate) use cover::{Cover, PinCover, Reread};
pub(crate) use fill::fill_pins;
pub(crate) use keep::keep_pins;

/// How long a command waits until what it pinned is in force.
const LOOK_WAIT: Duration = Duration::from_secs(60);

/// The pins of a volume on this computer, as this mount keeps them.
#[derive(Debug)]
pub(crate) struct Pins {
    book: PinBook,
    state: Mutex<State>,
    /// The book was changed here.
    changed: Notify,
    /// Blocks may be missing.
    missing: Notify,
    /// Counts looks that told the cache what is pinned.
    looks: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    cover: Arc<Cover>,
    /// Blocks that pins cover and that do not fit.
    unfit: HashSet<BlockId>,
    /// Why blocks of files could not be fetched, the last time that was tried.
    failures: HashMap<Ino, String>,
}

/// What the pins are, at one moment.
#[derive(Debug)]
pub(crate) struct PinView {
    pub(crate) cover: Arc<Cover>,
    pub(crate) unfit: HashSet<BlockId>,
    pub(crate) failures: HashMap<Ino, String>,
}

impl Pins {
    /// `None` where nothing can be pinned, which [`ChunkStore::pins_file`] explains.
    pub(crate) fn open(chunks: &ChunkStore) -> Option<Arc<Pins>> {
        let path = chunks.pins_file().ok()?;
        Some(Arc::new(Pins {
            book: PinBook::new(path),
            state: Mutex::default(),
            changed: Notify::new(),
            missing: Notify::new(),
            looks: watch::Sender::new(0),
        }))
    }

    /// What is pinned, by the book. Blocks no thread of the runtime's.
    ///
    /// # Errors
    /// As [`PinBook::read`].
    pub(crate) async fn read_book(&self) -> Result<Vec<Pin>> {
        let book = self.book.clone();
        away(move || book.read()).await
    }

    /// Changes the book, durably, and has what follows from it done.
    ///
    /// # Errors
    /// As [`PinBook::change`].
    pub(crate) async fn change_book(
        &self,
        change: impl FnOnce(&mut Vec<Pin>) + Send + 'static,
    ) -> Result<()> {
        let book = self.book.clone();
        away(move || book.change(change)).await?;
        self.changed.notify_one();
        Ok(())
    }

    /// Waits for a look at what is pinned that begins from now on, but not for ever: the database may not answer.
    ///
    /// # Cancel safety
    /// Safe.
    pub(crate) async fn looked(&self) {
        let mut looks = self.looks.subscribe();
        // One may be under way that began before.
        let enough = *looks.borrow_and_update() + 2;
        let look = async {
            self.changed.notify_one();
            while *looks.borrow_and_update() < enough {
                if looks.changed().await.is_err() {
                    return;
                }
                self.changed.notify_one();
            }
        };
        // What comes of it shows in the list of pins.
        let _ = tokio::time::timeout(LOOK_WAIT, look).await;
    }

    /// The view now. In proportion to the numbers of blocks that do not fit and of files that failed.
    pub(crate) fn view(&self) -> PinView {
        let state = self.state.lock();
        PinView {
            cover: Arc::clone(&state.cover),
            unfit: state.unfit.clone(),
            failures: state.failures.clone(),
        }
    }

    /// Why blocks of a file could not be fetched. One lock.
    pub(crate) fn failure_of(&self, ino: Ino) -> Option<String> {
        self.state.lock().failures.get(&ino).cloned()
    }

    /// Whether a file or folder is pinned by itself. One lock, in proportion to the number of pins.
    pub(crate) fn is_pinned(&self, ino: Ino) -> bool {
        let cover = Arc::clone(&self.state.lock().cover);
        cover.pins.iter().any(|pin| pin.pin.ino == ino)
    }

    /// Whether a file or folder is covered by a pin. One lock.
    pub(crate) fn covers(&self, ino: Ino) -> bool {
        let cover = Arc::clone(&self.state.lock().cover);
        cover.has_folder(ino) || cover.file(ino).is_some()
    }
}

/// Whether a block is not on the disk of this computer.
pub(crate) fn is_missing(chunks: &ChunkStore, block: &BlockId) -> bool {
    matches!(chunks.place_of(block), BlockPlace::Store | BlockPlace::Memory)
}

/// Runs what blocks on a thread for that.
async fn away<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| {
        Err(Error::new(ErrorKind::Io, "the list of pins could not be looked at").with_source(error))
    })
}
