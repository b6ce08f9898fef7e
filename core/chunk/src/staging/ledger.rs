//! Uploads by file, for people: what waits, what is on its way, what failed, and what arrived last.

use std::collections::{HashMap, VecDeque};
use std::time::SystemTime;

use moorage_model::{Error, ErrorKind, Ino, SliceId};

use super::queue::Staged;

/// Uploads that arrived and are still told of.
const MOST_RECENT: usize = 5;

/// What is uploaded together, as people see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UploadKey {
    /// What is staged of a file.
    File(Ino),
    /// What is staged of a slice of which the file is not known.
    Slice(SliceId),
}

/// The upload of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// What it is of.
    pub key: UploadKey,
    /// Bytes that arrived, before compression.
    pub done: u64,
    /// Bytes in all.
    pub total: u64,
    /// When its first byte was staged.
    pub since: SystemTime,
    /// How it is going.
    pub state: UploadState,
}

/// How an upload is going.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UploadState {
    /// In the queue.
    Waiting,
    /// On its way.
    Running {
        /// When the first of its blocks went.
        since: SystemTime,
    },
    /// The last attempt failed, and it is tried again.
    Failed {
        /// The kind of the failure.
        kind: ErrorKind,
        /// Why, without advice.
        reason: String,
    },
    /// It arrived.
    Done {
        /// When.
        at: SystemTime,
    },
}

#[derive(Debug)]
struct Account {
    done: u64,
    total: u64,
    since: SystemTime,
    /// Blocks that are staged, those on their way included.
    staged: u64,
    /// Blocks on their way.
    running: u64,
    begun: Option<SystemTime>,
    failure: Option<(ErrorKind, String)>,
}

impl Account {
    fn upload(&self, key: UploadKey) -> Upload {
        let state = match (&self.failure, self.running, self.begun) {
            (Some((kind, reason)), _, _) => UploadState::Failed {
                kind: *kind,
                reason: reason.clone(),
            },
            (None, 1.., Some(since)) => UploadState::Running { since },
            _ => UploadState::Waiting,
        };
        Upload {
            key,
            done: self.done,
            total: self.total,
            since: self.since,
            state,
        }
    }
}

/// The accounts of all files with staged blocks.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    accounts: HashMap<UploadKey, Account>,
    recent: VecDeque<Upload>,
}

fn key(staged: &Staged) -> UploadKey {
    match staged.owner {
        Some(ino) => UploadKey::File(ino),
        None => UploadKey::Slice(staged.block.slice),
    }
}

impl Ledger {
    /// A block was staged.
    pub(super) fn staged(&mut self, staged: &Staged) {
        let account = self.accounts.entry(key(staged)).or_insert_with(|| Account {
            done: 0,
            total: 0,
            since: staged.since,
            staged: 0,
            running: 0,
            begun: None,
            failure: None,
        });
        account.total += u64::from(staged.block.len);
        account.staged += 1;
    }

    /// A block is on its way.
    pub(super) fn started(&mut self, staged: &Staged) {
        if let Some(account) = self.accounts.get_mut(&key(staged)) {
            account.running += 1;
            account.begun.get_or_insert_with(SystemTime::now);
        }
    }

    /// A block that was on its way is not any more, and is still staged.
    pub(super) fn put_back(&mut self, staged: &Staged) {
        if let Some(account) = self.accounts.get_mut(&key(staged)) {
            account.running = account.running.saturating_sub(1);
        }
    }

    /// The upload of a block failed.
    pub(super) fn failed(&mut self, staged: &Staged, error: &Error) {
        if let Some(account) = self.accounts.get_mut(&key(staged)) {
            account.failure = Some((error.kind(), error.reason()));
        }
    }

    /// A block arrived.
    pub(super) fn arrived(&mut self, staged: &Staged) {
        let key = key(staged);
        let Some(account) = self.accounts.get_mut(&key) else {
            return;
        };
        account.running = account.running.saturating_sub(1);
        account.staged = account.staged.saturating_sub(1);
        account.done += u64::from(staged.block.len);
        account.failure = None;
        if account.staged > 0 {
            return;
        }
        let at = SystemTime::now();
        let upload = Upload {
            state: UploadState::Done { at },
            ..account.upload(key)
        };
        self.accounts.remove(&key);
        self.recent.truncate(MOST_RECENT - 1);
        self.recent.push_front(upload);
    }

    /// Nobody wants a block any more, or it is lost; `running` when it was on its way.
    pub(super) fn dropped(&mut self, staged: &Staged, running: bool) {
        let key = key(staged);
        let Some(account) = self.accounts.get_mut(&key) else {
            return;
        };
        if running {
            account.running = account.running.saturating_sub(1);
        }
        account.staged = account.staged.saturating_sub(1);
        account.total = account.total.saturating_sub(u64::from(staged.block.len));
        if account.staged == 0 {
            self.accounts.remove(&key);
        }
    }

    /// At most so many uploads, first those that run, then those that failed, then those that wait, each the oldest
    /// first; and those that arrived last.
    pub(super) fn uploads(&self, most: usize) -> Vec<Upload> {
        let mut uploads: Vec<Upload> = self
            .accounts
            .iter()
            .map(|(key, account)| account.upload(*key))
            .collect();
        let rank = |upload: &Upload| match upload.state {
            UploadState::Running { .. } => 0,
            UploadState::Failed { .. } => 1,
            UploadState::Waiting | UploadState::Done { .. } => 2,
        };
        uploads.sort_by_key(|upload| (rank(upload), upload.since, upload.key));
        uploads.truncate(most);
        uploads.extend(self.recent.iter().cloned());
        uploads
    }
}

#[cfg(test)]
mod tests {
    use moorage_model::TierId;

    use super::*;
    use crate::block::BlockId;
    use crate::block_file::Form;

    fn block(number: u64, owner: Option<u64>) -> Staged {
        Staged {
            number,
            block: BlockId {
                slice: SliceId(number),
                index: 0,
                len: 100,
            },
            owner: owner.map(Ino),
            tier: TierId(0),
            form: Form::Block,
            bytes: 100,
            since: SystemTime::UNIX_EPOCH,
        }
    }

    fn shown(ledger: &Ledger) -> Vec<(UploadKey, u64, u64, &'static str)> {
        let uploads = ledger.uploads(10).into_iter().map(|upload| {
            let word = match upload.state {
                UploadState::Waiting => "waits",
                UploadState::Running { .. } => "runs",
                UploadState::Failed { .. } => "failed",
                UploadState::Done { .. } => "done",
            };
            (upload.key, upload.done, upload.total, word)
        });
        uploads.collect()
    }

    #[test]
    fn a_file_waits_runs_fails_and_arrives() {
        let mut ledger = Ledger::default();
        let (first, second) = (block(1, Some(7)), block(2, Some(7)));
        let file = UploadKey::File(Ino(7));
        ledger.staged(&first);
        ledger.staged(&second);
        assert_eq!(shown(&ledger), [(file, 0, 200, "waits")]);
        ledger.started(&first);
        assert_eq!(shown(&ledger), [(file, 0, 200, "runs")]);
        ledger.failed(&first, &Error::new(ErrorKind::Unavailable, "gone"));
        ledger.put_back(&first);
        assert_eq!(shown(&ledger), [(file, 0, 200, "failed")]);
        ledger.started(&first);
        ledger.arrived(&first);
        assert_eq!(shown(&ledger), [(file, 100, 200, "waits")]);
        ledger.started(&second);
        ledger.arrived(&second);
        assert_eq!(shown(&ledger), [(file, 200, 200, "done")]);
    }

    #[test]
    fn what_nobody_wants_any_more_is_not_told_of() {
        let mut ledger = Ledger::default();
        let (kept, deleted) = (block(1, Some(7)), block(2, None));
        ledger.staged(&kept);
        ledger.staged(&deleted);
        ledger.started(&deleted);
        ledger.dropped(&deleted, true);
        assert_eq!(shown(&ledger), [(UploadKey::File(Ino(7)), 0, 100, "waits")]);
        ledger.dropped(&kept, false);
        assert_eq!(shown(&ledger), []);
    }

    #[test]
    fn only_the_last_few_that_arrived_are_told_of() {
        let mut ledger = Ledger::default();
        for number in 0..20 {
            let staged = block(number, Some(number));
            ledger.staged(&staged);
            ledger.started(&staged);
            ledger.arrived(&staged);
        }
        let done: Vec<UploadKey> = ledger.uploads(0).iter().map(|upload| upload.key).collect();
        assert_eq!(done, [19, 18, 17, 16, 15].map(|ino| UploadKey::File(Ino(ino))));
    }
}
