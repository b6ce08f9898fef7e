//! Following what is pinned.

use std::collections::HashSet;
use std::sync::{Arc, Weak};
use std::time::Duration;

use moorage_meta::{Changed, Changes};
use moorage_model::{Ino, Result};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::cover::is_gone;
use super::{Cover, Pin, Pins, Reread};
use crate::Vfs;

/// How often the book is read, for pins made through another mount.
const BOOK_PERIOD: Duration = Duration::from_secs(10);
/// How often everything below pins is looked at, for what other clients do.
const LOOK_PERIOD: Duration = Duration::from_secs(60);
/// Looks of which one reads the slices of all files, changed or not.
const LOOKS_PER_REREAD: u32 = 10;
/// Looks take no more than one part in so many of the time: a volume with a million pinned files is looked at less often.
const SHARE_OF_TIME: u32 = 20;
/// How long changes of this mount are gathered.
const GATHERING: Duration = Duration::from_millis(100);

/// What the keeper remembers between two looks.
#[derive(Default)]
struct Keeper {
    /// Only while there is something pinned: a mount without pins pays nothing.
    changes: Option<Changes>,
    last: Option<LastLook>,
    looks: u32,
    /// A look broke off, so what was told before is not dealt with.
    unsure: bool,
    /// What went wrong the last time: said once.
    trouble: Option<String>,
}

struct LastLook {
    ended: Instant,
    took: Duration,
    /// Pins as the book had them then.
    pins: Vec<Pin>,
}

/// Keeps up with the book and with what lies below pins until told to stop.
pub(crate) async fn keep_pins(vfs: Weak<Vfs>, pins: Arc<Pins>, mut stopping: watch::Receiver<bool>) {
    let mut keeper = Keeper::default();
    loop {
        let Some(current) = vfs.upgrade() else { return };
        tokio::select! {
            looked = keeper.look(&current, &pins) => keeper.note(looked),
            _ = stopping.wait_for(|stop| *stop) => return,
        }
        drop(current);
        tokio::select! {
            () = pins.changed.notified() => {}
            () = keeper.told() => {}
            () = sleep(BOOK_PERIOD) => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
    }
}

impl Keeper {
    fn note(&mut self, looked: Result<()>) {
        let trouble = looked.err().map(|error| error.to_string());
        if let Some(trouble) = trouble.as_ref().filter(|now| self.trouble.as_ref() != Some(*now)) {
            tracing::warn!(error = %trouble, "what is pinned on this computer can not be followed");
        }
        self.trouble = trouble;
    }

    /// Waits for changes of this mount, and a moment longer.
    async fn told(&self) {
        match &self.changes {
            Some(changes) => changes.told().await,
            None => std::future::pending().await,
        }
        let rest = self
            .last
            .as_ref()
            .map_or(Duration::ZERO, |last| last.took * SHARE_OF_TIME);
        sleep(rest.clamp(GATHERING, LOOK_PERIOD)).await;
    }

    async fn look(&mut self, vfs: &Vfs, pins: &Pins) -> Result<()> {
        let book = pins.read_book().await?;
        if self.last.is_none() {
            vfs.chunks.settle_cache().await;
        }
        if book.is_empty() {
            self.changes = None;
        } else if self.changes.is_none() {
            self.changes = Some(vfs.meta.own_changes());
        }
        let told = match self.changes.as_ref().and_then(Changes::take) {
            _ if self.unsure => Some(Changed::Everything),
            told => told,
        };
        let todo = self.what_to_read(pins, &book, told);
        self.unsure = true;
        match todo {
            Todo::Nothing => pins.looks.send_modify(|looks| *looks += 1),
            Todo::Files(files) => vfs.look_at_files(pins, files).await?,
            Todo::All(reread) => self.look_at_all(vfs, pins, book, reread).await?,
        }
        self.unsure = false;
        Ok(())
    }

    async fn look_at_all(&mut self, vfs: &Vfs, pins: &Pins, book: Vec<Pin>, reread: Reread) -> Result<()> {
        let began = Instant::now();
        let known = Arc::clone(&pins.state.lock().cover);
        let cover = vfs.cover(&book, &known, &reread).await?;
        if matches!(reread, Reread::All) {
            vfs.chunks.look_for(cover.blocks().collect()).await;
        }
        let gone: HashSet<Ino> = book
            .iter()
            .map(|pin| pin.ino)
            .filter(|ino| cover.pins.iter().all(|pin| pin.pin.ino != *ino))
            .collect();
        vfs.put_in_force(pins, cover);
        self.last = Some(LastLook {
            ended: Instant::now(),
            took: began.elapsed(),
            pins: book,
        });
        if !gone.is_empty() {
            // A later pin of a node with the same number would be another node's: numbers are never used again.
            pins.change_book(move |pins| pins.retain(|pin| !gone.contains(&pin.ino)))
                .await?;
        }
        Ok(())
    }

    /// How much has to be looked at.
    fn what_to_read(&mut self, pins: &Pins, book: &[Pin], told: Option<Changed>) -> Todo {
        let touched: HashSet<Ino> = match told {
            Some(Changed::Everything) => return Todo::All(Reread::All),
            Some(Changed::Nodes(nodes)) => nodes.into_iter().filter(|ino| pins.covers(*ino)).collect(),
            None => HashSet::new(),
        };
        let Some(last) = self.last.as_ref().filter(|last| last.pins == book) else {
            return Todo::All(Reread::These(touched));
        };
        if book.is_empty() {
            return Todo::Nothing;
        }
        if last.ended.elapsed() >= LOOK_PERIOD.max(last.took * SHARE_OF_TIME) {
            self.looks = (self.looks + 1) % LOOKS_PER_REREAD;
            return Todo::All(match self.looks {
                0 => Reread::All,
                _ => Reread::These(touched),
            });
        }
        let cover = Arc::clone(&pins.state.lock().cover);
        // Of what is pinned by itself, nothing else tells that it went away.
        let is_pin = |ino: &Ino| book.iter().any(|pin| pin.ino == *ino);
        if touched.iter().any(|ino| cover.has_folder(*ino) || is_pin(ino)) {
            return Todo::All(Reread::These(touched));
        }
        match touched.is_empty() {
            true => Todo::Nothing,
            false => Todo::Files(touched),
        }
    }
}

/// How much is to be looked at.
enum Todo {
    Nothing,
    /// The content of these files.
    Files(HashSet<Ino>),
    /// Everything.
    All(Reread),
}

impl Vfs {
    async fn look_at_files(&self, pins: &Pins, files: HashSet<Ino>) -> Result<()> {
        let mut cover = Arc::clone(&pins.state.lock().cover);
        for ino in files {
            let changed = async {
                let attr = self.meta.getattr(ino).await?;
                self.file_cover(ino, &attr).await
            };
            match changed.await {
                Ok(file) => Arc::make_mut(&mut cover).replace(ino, file),
                // Its folder was changed as well.
                Err(error) if is_gone(&error) => {}
                Err(error) => return Err(error),
            }
        }
        self.put_in_force(pins, Arc::unwrap_or_clone(cover));
        Ok(())
    }

    /// Has the cache keep what is covered, and fetched what is missing.
    fn put_in_force(&self, pins: &Pins, cover: Cover) {
        let unfit = self.chunks.replace_pins(cover.blocks());
        {
            let mut state = pins.state.lock();
            state.failures.retain(|ino, _| cover.file(*ino).is_some());
            state.cover = Arc::new(cover);
            state.unfit = unfit;
        }
        pins.looks.send_modify(|looks| *looks += 1);
        pins.missing.notify_one();
    }
}
