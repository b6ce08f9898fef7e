//! A directory in the order of a dump: by the bytes of the names, as the engines list it.

use std::collections::VecDeque;

use moorage_model::{Ino, Name, Result};

use crate::admin::read_entries;
use crate::{DirectoryEntry, Engine};

/// The entries of a directory, one after the other, a page in memory.
#[derive(Debug)]
pub(super) struct Listing {
    directory: Ino,
    /// Read and not handed out.
    ready: VecDeque<DirectoryEntry>,
    place: Place,
    /// Entries that could not be read.
    damaged: u64,
}

#[derive(Debug)]
enum Place {
    Start,
    After(Name),
    End,
}

impl Listing {
    pub(super) fn new(directory: Ino) -> Listing {
        Listing {
            directory,
            ready: VecDeque::new(),
            place: Place::Start,
            damaged: 0,
        }
    }

    /// The next entry, `None` behind the last.
    ///
    /// # Errors
    /// What the engine answers.
    pub(super) async fn next(&mut self, engine: &dyn Engine) -> Result<Option<DirectoryEntry>> {
        while self.ready.is_empty() {
            let after = match &self.place {
                Place::Start => None,
                Place::After(name) => Some(name),
                Place::End => return Ok(None),
            };
            let page = read_entries(engine, self.directory, after, true).await?;
            self.damaged += page.damaged.len() as u64;
            self.place = page.next.map_or(Place::End, Place::After);
            self.ready.extend(page.items);
        }
        Ok(self.ready.pop_front())
    }

    /// Entries that could not be read so far, to be counted once.
    pub(super) fn take_damaged(&mut self) -> u64 {
        std::mem::take(&mut self.damaged)
    }
}
