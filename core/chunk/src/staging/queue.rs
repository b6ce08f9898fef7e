//! The staged blocks in the order they were acknowledged.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant, SystemTime};

use moorage_model::{Error, Ino, TierId};

use super::files::StagedFiles;
use super::ledger::{Ledger, Upload};
use super::name::StagedName;
use crate::block::BlockId;
use crate::block_file::Form;
use crate::pending::PendingUploads;

/// Wait after the first upload that failed; doubles from there.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// Longest wait before the next try.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Wait before a file that was gone is looked for again: its disk may come back.
const LOOK_AGAIN: Duration = Duration::from_secs(15);

/// A block in the staging folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Staged {
    /// Position in the order; part of the file's name.
    pub(super) number: u64,
    pub(crate) block: BlockId,
    /// The file that it was written to, where that is known.
    pub(super) owner: Option<Ino>,
    pub(crate) tier: TierId,
    pub(crate) form: Form,
    /// Bytes of the payload.
    pub(super) bytes: u64,
    pub(super) since: SystemTime,
}

impl Staged {
    pub(super) fn name(&self) -> StagedName {
        StagedName {
            number: self.number,
            block: self.block,
            owner: self.owner,
        }
    }
}

#[derive(Debug)]
struct Entry {
    staged: Staged,
    uploading: bool,
    /// The slice was deleted while the block was on its way.
    unwanted: bool,
    /// Its file is gone; when it is looked for again.
    gone_until: Option<Instant>,
}

/// Everything that is staged.
#[derive(Debug, Default)]
pub(super) struct Queue {
    entries: BTreeMap<u64, Entry>,
    by_block: HashMap<BlockId, u64>,
    ledger: Ledger,
    bytes: u64,
    next_number: u64,
    last_error: Option<String>,
    failures: u32,
    /// Uploads that failed since the start, their retries spent.
    failures_ever: u64,
    paused_until: Option<Instant>,
}

impl Queue {
    /// Takes a position in the order and the bytes of a block, or refuses them.
    pub(super) fn reserve(&mut self, bytes: u64, max_bytes: u64, deadline: Duration) -> Option<u64> {
        let late = self.oldest().is_some_and(|waits| waits > deadline);
        if late || self.bytes + bytes > max_bytes {
            return None;
        }
        self.bytes += bytes;
        let number = self.next_number;
        self.next_number += 1;
        Some(number)
    }

    /// Takes a position in the order for a block that comes from elsewhere.
    pub(super) fn take_number(&mut self) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        number
    }

    /// Gives up what was reserved.
    pub(super) fn release(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Adds a block whose bytes are reserved. The same block staged again takes the place of the earlier one,
    /// which is handed back.
    pub(super) fn add(&mut self, staged: Staged) -> Option<Staged> {
        self.ledger.staged(&staged);
        let earlier = self.by_block.insert(staged.block, staged.number);
        self.entries.insert(
            staged.number,
            Entry {
                staged,
                uploading: false,
                unwanted: false,
                gone_until: None,
            },
        );
        let earlier = earlier.and_then(|number| self.entries.remove(&number))?;
        self.ledger.dropped(&earlier.staged, earlier.uploading);
        self.bytes = self.bytes.saturating_sub(earlier.staged.bytes);
        Some(earlier.staged)
    }

    /// Adds a block that was found on the disk.
    pub(super) fn adopt(&mut self, staged: Staged) -> Option<Staged> {
        self.bytes += staged.bytes;
        self.next_number = self.next_number.max(staged.number + 1);
        self.add(staged)
    }

    pub(super) fn find(&self, block: &BlockId) -> Option<Staged> {
        let entry = self.entries.get(self.by_block.get(block)?)?;
        (!entry.unwanted).then_some(entry.staged)
    }

    /// The first block that waits, now on its way; else when to look again, `None` for when something changes.
    pub(super) fn start_next(&mut self) -> Result<Staged, Option<Instant>> {
        let now = Instant::now();
        if let Some(until) = self.paused_until.filter(|until| *until > now) {
            return Err(Some(until));
        }
        let mut waiting = self.entries.values_mut().filter(|entry| !entry.uploading);
        // What is gone holds up nothing that is there.
        match waiting.find(|entry| entry.gone_until.is_none_or(|until| until <= now)) {
            Some(entry) => {
                entry.uploading = true;
                let staged = entry.staged;
                self.ledger.started(&staged);
                Ok(staged)
            }
            None => Err(self.entries.values().filter_map(|entry| entry.gone_until).min()),
        }
    }

    /// Puts a block back whose file is gone; whether that is news.
    pub(super) fn gone(&mut self, staged: &Staged, error: &Error) -> bool {
        let Some(entry) = self.entries.get_mut(&staged.number) else {
            return false;
        };
        let news = entry.gone_until.is_none();
        entry.gone_until = Some(Instant::now() + LOOK_AGAIN);
        if entry.uploading {
            self.put_back(staged);
        }
        self.ledger.failed(staged, error);
        news
    }

    /// The blocks whose files should be in the folder and are not on their way.
    pub(super) fn waiting(&self) -> Vec<Staged> {
        let waiting = self.entries.values().filter(|entry| !entry.uploading);
        waiting.map(|entry| entry.staged).collect()
    }

    /// Notes that a file is there, perhaps again.
    pub(super) fn found(&mut self, staged: &Staged) {
        if let Some(entry) = self.entries.get_mut(&staged.number) {
            entry.gone_until = None;
        }
    }

    /// Takes a block out that is stored; whether its object is wanted any more.
    pub(super) fn done(&mut self, staged: &Staged) -> bool {
        self.last_error = None;
        self.failures = 0;
        self.paused_until = None;
        let entry = self.take(staged);
        if entry.is_some() {
            self.ledger.arrived(staged);
        }
        entry.is_none_or(|entry| !entry.unwanted)
    }

    /// Puts a block back whose upload failed, and lets the uploads rest.
    pub(super) fn failed(&mut self, staged: &Staged, error: &Error) {
        self.last_error = Some(error.reason());
        let pause = FIRST_PAUSE
            .saturating_mul(1 << self.failures.min(10))
            .min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        self.failures_ever += 1;
        self.paused_until = Some(Instant::now() + pause);
        self.ledger.failed(staged, error);
        self.put_back(staged);
    }

    /// Puts a block back whose upload did not end; whether nobody wants it any more, and it is taken out.
    pub(super) fn put_back(&mut self, staged: &Staged) -> bool {
        let Some(entry) = self.entries.get_mut(&staged.number) else {
            return false;
        };
        entry.uploading = false;
        let unwanted = entry.unwanted;
        self.ledger.put_back(staged);
        if unwanted {
            self.take(staged);
            self.ledger.dropped(staged, false);
        }
        unwanted
    }

    /// Takes a block out that can not be uploaded any more.
    pub(super) fn lost(&mut self, staged: &Staged, error: &Error) {
        if self.take(staged).is_some() {
            self.ledger.dropped(staged, true);
        }
        self.last_error = Some(error.reason());
        self.failures_ever += 1;
    }

    pub(super) fn failures_ever(&self) -> u64 {
        self.failures_ever
    }

    /// Takes a block out that nobody wants any more. One on its way stays until it has arrived.
    pub(super) fn cancel(&mut self, block: &BlockId) -> Option<Staged> {
        let number = *self.by_block.get(block)?;
        let entry = self.entries.get_mut(&number)?;
        let staged = entry.staged;
        if entry.uploading {
            entry.unwanted = true;
        } else {
            self.take(&staged);
            self.ledger.dropped(&staged, false);
        }
        Some(staged)
    }

    fn take(&mut self, staged: &Staged) -> Option<Entry> {
        let entry = self.entries.remove(&staged.number)?;
        self.bytes = self.bytes.saturating_sub(entry.staged.bytes);
        if self.by_block.get(&staged.block) == Some(&staged.number) {
            self.by_block.remove(&staged.block);
        }
        Some(entry)
    }

    fn oldest(&self) -> Option<Duration> {
        // The clock may have been set back since: then nothing has waited.
        let first = self.there().next()?;
        Some(first.staged.since.elapsed().unwrap_or_default())
    }

    pub(super) fn pending(&self) -> PendingUploads {
        let (mut blocks, mut bytes) = (0, 0);
        for entry in self.there() {
            blocks += 1;
            bytes += entry.staged.bytes;
        }
        PendingUploads {
            blocks,
            bytes,
            lost_blocks: (self.entries.len() as u64).saturating_sub(blocks),
            oldest: self.oldest(),
            last_error: self.last_error.clone(),
        }
    }

    pub(super) fn files(&self) -> StagedFiles {
        let mut files = StagedFiles::default();
        for entry in self.there() {
            files.add(&entry.staged.name());
        }
        if let Some(first) = self.there().next() {
            files.note_age(first.staged.since);
        }
        files
    }

    /// The blocks whose files are there, in order.
    fn there(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values().filter(|entry| entry.gone_until.is_none())
    }

    /// The files whose blocks are gone.
    pub(super) fn lost_files(&self) -> StagedFiles {
        let mut files = StagedFiles::default();
        for entry in self.entries.values().filter(|entry| entry.gone_until.is_some()) {
            files.add(&entry.staged.name());
        }
        files
    }

    /// Uploads by file, see [`Ledger::uploads`].
    pub(super) fn uploads(&self, most: usize) -> Vec<Upload> {
        self.ledger.uploads(most)
    }

    /// Ends the rest after a failure.
    pub(super) fn retry(&mut self) {
        self.paused_until = None;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
