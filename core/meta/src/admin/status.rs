//! What a volume is and who uses it (the command `status`).

use moorage_model::{
    Error, ErrorKind, FileLockKind, Ino, LockOwner, RecordLock, Result, SessionId, SessionInfo, Setting,
};

use super::damage::readable;
use super::pages::Pages;
use super::reclaim::Reclaimed;
use crate::verbs::StatFs;
use crate::{Key, Meta, Record, Scan, TxnExt as _, without_secrets};

/// Locks and open files listed of one session.
const MAX_LISTED: usize = 10_000;

/// A client session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionStatus {
    /// Its number.
    pub id: SessionId,
    /// Unix seconds; a session past it is removed by the next client that looks.
    pub expire: i64,
    /// Whether it is past its expiry.
    pub expired: bool,
    /// Who it is; default when that can not be read.
    pub info: SessionInfo,
    /// Its record can not be read, so it counts as alive; an unreadable number is 0.
    pub damaged: bool,
}

/// Setting, sessions and usage of a volume.
#[derive(Clone, Debug, PartialEq)]
pub struct VolumeStatus {
    /// The setting with its secrets replaced.
    pub setting: Setting,
    /// Sessions by number.
    pub sessions: Vec<SessionStatus>,
    /// Usage by the stored counters and what the limits leave.
    pub usage: StatFs,
}

/// What waits to be deleted for good; found by scanning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PendingStatus {
    /// Entries in the trash and the bytes they use.
    pub trash_files: Reclaimed,
    /// Deleted files whose data is still there, bytes by length.
    pub deleted_files: Reclaimed,
    /// Slices replaced by compactions and kept for the trash days.
    pub delayed_slices: Reclaimed,
    /// Slices without owners.
    pub dead_slices: Reclaimed,
}

/// What a session holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionDetail {
    /// Files that were deleted while it has them open.
    pub sustained: Vec<Ino>,
    /// BSD locks.
    pub file_locks: Vec<(Ino, LockOwner, FileLockKind)>,
    /// POSIX locks.
    pub record_locks: Vec<(Ino, LockOwner, Vec<RecordLock>)>,
    /// Records of these that can not be read.
    pub damaged: u64,
}

impl PendingStatus {
    /// Records that can not be read and are missing from the numbers.
    pub fn damaged(&self) -> u64 {
        let parts = [
            self.trash_files,
            self.deleted_files,
            self.delayed_slices,
            self.dead_slices,
        ];
        parts.iter().map(|part| part.damaged).sum()
    }
}

impl Meta {
    /// Reads setting, sessions and counters.
    ///
    /// # Errors
    /// What the engine answers.
    pub async fn volume_status(&self) -> Result<VolumeStatus> {
        let setting = self.setting();
        Ok(VolumeStatus {
            usage: self.statfs(Ino::ROOT).await?,
            sessions: self.list_sessions().await?,
            setting: without_secrets(&setting),
        })
    }

    /// All sessions by number, those whose record can not be read among them.
    ///
    /// # Errors
    /// What the engine answers.
    pub async fn list_sessions(&self) -> Result<Vec<SessionStatus>> {
        let now = self.now().seconds;
        let mut sessions = Vec::new();
        let mut pages = Pages::new(Scan::Sessions);
        while let Some(page) = pages.survey(self).await? {
            sessions.extend(page.damaged.iter().map(|found| SessionStatus {
                id: match &found.key {
                    Some(Key::Session(id)) => *id,
                    _ => SessionId(0),
                },
                expire: 0,
                expired: false,
                info: SessionInfo::default(),
                damaged: true,
            }));
            for (key, record) in page.items {
                if let (Key::Session(id), Record::Session(session)) = (key, record) {
                    sessions.push(SessionStatus {
                        id,
                        expire: session.expire,
                        expired: session.expire < now,
                        info: serde_json::from_str(&session.info).unwrap_or_default(),
                        damaged: false,
                    });
                }
            }
        }
        sessions.sort_unstable_by_key(|session| session.id);
        Ok(sessions)
    }

    /// Locks and deleted-but-open files of a session, at most 10 000 of each.
    ///
    /// # Errors
    /// `NotFound` when there is no such session; what the engine answers.
    pub async fn session_detail(&self, id: SessionId) -> Result<SessionDetail> {
        let session = self.engine.get(&[Key::Session(id)]).await;
        let session = readable(session.and_then(|mut found| found.session()))?;
        // A damaged one is there.
        if session.is_some_and(|found| found.is_none()) {
            return Err(
                Error::new(ErrorKind::NotFound, format!("there is no session {id}"))
                    .with_advice("`moorage status` lists the sessions."),
            );
        }
        let mut detail = SessionDetail::default();
        let mut pages = Pages::new(Scan::Sustained(id));
        while let Some(page) = pages.survey(self).await? {
            detail.damaged += page.damaged.len() as u64;
            detail
                .sustained
                .extend(page.items.into_iter().filter_map(|(key, _)| match key {
                    Key::Sustained(_, ino) => Some(ino),
                    _ => None,
                }));
            if detail.sustained.len() >= MAX_LISTED {
                break;
            }
        }
        let mut pages = Pages::new(Scan::SessionLocks(id));
        while let Some(page) = pages.survey(self).await? {
            detail.damaged += page.damaged.len() as u64;
            for item in page.items {
                match item {
                    (Key::FileLock(ino, _, owner), Record::FileLock(kind)) => {
                        detail.file_locks.push((ino, owner, kind));
                    }
                    (Key::RecordLocks(ino, _, owner), Record::RecordLocks(locks)) => {
                        detail.record_locks.push((ino, owner, locks));
                    }
                    _ => {}
                }
            }
            if detail.file_locks.len() + detail.record_locks.len() >= MAX_LISTED {
                break;
            }
        }
        Ok(detail)
    }

    /// Counts what waits to be deleted for good. Scans the trash and the records of deleted things.
    ///
    /// # Errors
    /// `Interrupted` when cancelled; what the engine answers.
    pub async fn pending_status(&self, progress: &super::Progress) -> Result<PendingStatus> {
        use super::ReclaimMode::DryRun;
        let all = i64::MAX;
        let mut pending = PendingStatus {
            deleted_files: self.reclaim_deleted_files(all, DryRun, progress).await?,
            delayed_slices: self.reclaim_delayed_slices(all, DryRun, progress).await?,
            dead_slices: self.reclaim_dead_slices(DryRun, progress).await?,
            ..PendingStatus::default()
        };
        let (hours, damaged) = self.trash_hours().await?;
        pending.trash_files.damaged += damaged;
        for (hour, _) in hours {
            let Some(usage) = readable(self.tree_usage(hour, 1, progress).await)? else {
                pending.trash_files.damaged += 1;
                continue;
            };
            // The hourly directory itself is no entry.
            pending.trash_files.damaged += usage.unreadable;
            pending.trash_files.count += (usage.files + usage.directories).saturating_sub(1);
            let own = moorage_model::align4k(0).unsigned_abs();
            pending.trash_files.bytes += usage.space.saturating_sub(own);
        }
        Ok(pending)
    }
}
