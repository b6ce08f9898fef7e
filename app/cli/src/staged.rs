//! What mounts on this computer have acknowledged and not uploaded yet (`--writeback`).

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use moorage_chunk::{BlockId, PendingUploads, left_blocks, staged_blocks};
use moorage_control::mount::{MountAnswer, MountRequest, ask};
use moorage_host::{Folders, ProcessIdentity};
use moorage_model::SessionInfo;
use serde::Serialize;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::mounting::MountRecord;
use crate::noun::{BLOCKS, FILES, agree};
use crate::{output, size};

/// Names of the file in which a mount says how it is (spec 70-semantics section 13).
const STATS_FILES: [&str; 2] = [".stats", ".jfs.stats"];
/// Longest wait for a mount to answer: one that hangs must not hang those who look at it.
const PATIENCE: Duration = Duration::from_secs(1);

/// Longest wait for the report of a mount, which may look for names in its database.
const REPORT_PATIENCE: Duration = Duration::from_secs(4);
/// Lost files named in a sentence; JSON has all that the mount names.
const MOST_NAMED: usize = 10;

/// Blocks that only this computer has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Staged {
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
}

/// Blocks that ended mounts on this computer have staged, and that nobody uploads now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Left {
    pub(crate) folder: PathBuf,
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
}

impl Left {
    /// What a cache folder has of a volume; `None` when there is nothing, or nothing that this user can read.
    fn in_folder(folder: &Path, uuid: &str) -> Option<Left> {
        let left = left_blocks(folder, uuid)
            .inspect_err(|error| tracing::debug!(%error, "staged blocks are not counted"))
            .ok()
            .filter(|left| left.blocks > 0)?;
        Some(Left {
            folder: folder.to_owned(),
            blocks: left.blocks,
            bytes: left.bytes,
        })
    }

    /// What a mount that ends now leaves in its staging folder; `None` when everything is uploaded.
    pub(crate) fn by_ending(folder: PathBuf, pending: &PendingUploads) -> Option<Left> {
        (pending.blocks > 0).then_some(Left {
            folder,
            blocks: pending.blocks,
            bytes: pending.bytes,
        })
    }

    /// Where they are, and how they get into the object store.
    pub(crate) fn text(&self) -> String {
        let folder = self.folder.display();
        format!(
            "{} ({}) {} in {folder} and not in the object store; mount the volume again with --writeback --cache-dir \
             {folder} to upload {}.",
            BLOCKS.count(self.blocks),
            size::show(self.bytes),
            agree(self.blocks, "waits", "wait"),
            agree(self.blocks, "it", "them"),
        )
    }
}

/// What the staging folder of a running mount lost: nobody uploads it any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct LostHere {
    pub(crate) mount_point: PathBuf,
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    /// As many as the mount names.
    pub(crate) named: Vec<LostFile>,
}

/// A file of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct LostFile {
    pub(crate) inode: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    pub(crate) bytes: u64,
}

impl LostHere {
    /// Which files, and that they are not merely late.
    pub(crate) fn text(&self) -> String {
        let mut named: Vec<String> = self.named.iter().take(MOST_NAMED).map(LostFile::text).collect();
        let more = self.files.saturating_sub(named.len() as u64);
        if more > 0 {
            named.push(format!("{more} more"));
        }
        format!(
            "{} of {} written to the mount at {} {} lost, deleted from the staging folder before the upload: {}. Write \
             these files again.",
            size::show(self.bytes),
            FILES.count(self.files),
            self.mount_point.display(),
            if self.bytes == 1 { "is" } else { "are" },
            named.join(", "),
        )
    }
}

impl LostFile {
    fn text(&self) -> String {
        match &self.path {
            Some(path) => output::plain(path),
            None => format!("inode {}", self.inode),
        }
    }
}

/// What mounts of this volume on this computer, that run and answer, know to be lost.
pub(crate) async fn lost_here(uuid: &str) -> Vec<LostHere> {
    let Ok(folders) = Folders::of_user() else {
        return Vec::new();
    };
    let records = MountRecord::all(&folders.state).into_iter();
    let mut lost = Vec::new();
    for record in records.filter(|record| record.uuid == uuid && record.is_running()) {
        let Some(socket) = &record.socket else { continue };
        match ask(socket, MountRequest::Report, REPORT_PATIENCE).await {
            Ok(MountAnswer::Report { report }) => {
                lost.extend(report.lost.map(|lost| lost_by(record.point.clone(), lost)));
            }
            Ok(_) => {}
            Err(error) => tracing::debug!(%error, "the mount does not say whether anything is lost"),
        }
    }
    lost
}

fn lost_by(mount_point: PathBuf, lost: moorage_control::mount::Lost) -> LostHere {
    let named = lost.named.into_iter().map(|file| LostFile {
        inode: file.inode,
        path: file.path,
        bytes: file.bytes,
    });
    LostHere {
        mount_point,
        files: lost.files,
        bytes: lost.bytes,
        named: named.collect(),
    }
}

/// What mounts of this volume have left on this computer.
pub(crate) fn left_here(uuid: &str) -> Vec<Left> {
    let places = cache_folders(uuid);
    let left = places.iter().filter_map(|folder| Left::in_folder(folder, uuid));
    left.collect()
}

/// The blocks of this volume that mounts on this computer, running or ended, have staged and not uploaded.
pub(crate) fn only_here(uuid: &str) -> HashSet<BlockId> {
    let mut blocks = HashSet::new();
    for folder in cache_folders(uuid) {
        match staged_blocks(&folder, uuid) {
            Ok(found) => blocks.extend(found),
            Err(error) => tracing::warn!("whether blocks wait there for their upload is not known: {error}"),
        }
    }
    blocks
}

/// Where mounts of this volume stage: in their cache folders as this user's records have them, and in the one of mounts
/// that named none.
fn cache_folders(uuid: &str) -> BTreeSet<PathBuf> {
    let Ok(folders) = Folders::of_user() else {
        return BTreeSet::new();
    };
    let records = MountRecord::all(&folders.state);
    let named = records.into_iter().filter(|record| record.uuid == uuid);
    named
        .filter_map(|record| record.cache)
        .chain([folders.cache])
        .collect()
}

/// What the mount of a record has left.
pub(crate) fn left_by(record: &MountRecord) -> Option<Left> {
    Left::in_folder(record.cache.as_deref()?, &record.uuid)
}

/// Whether a session is one of this computer whose process has ended. Its host name is all that tells the computer.
pub(crate) fn is_dead(session: &SessionInfo) -> bool {
    let here = !session.host_name.is_empty() && session.host_name == moorage_host::host_name();
    here && session.process_id != 0 && ProcessIdentity::of(session.process_id).is_none()
}

/// What the mount of a session has staged; `None` for one of another computer or one that does not tell.
pub(crate) async fn of_session(session: &SessionInfo) -> Option<Staged> {
    if session.host_name.is_empty() || session.host_name != moorage_host::host_name() {
        return None;
    }
    let point = PathBuf::from(&session.mount_point);
    let asked = spawn_blocking(move || read(&point));
    timeout(PATIENCE, asked).await.ok()?.ok()?
}

/// What the mount at this point has staged, as it says itself; waits for as long as it does not answer.
pub(crate) fn read(point: &Path) -> Option<Staged> {
    let mounts = moorage_host::mounts().ok()?;
    let is_mounted = mounts.iter().any(|mount| mount.is_fuse() && mount.point == point);
    if !is_mounted {
        return None;
    }
    let text = STATS_FILES
        .iter()
        .find_map(|name| std::fs::read_to_string(point.join(name)).ok())?;
    parse(&text)
}

fn parse(stats: &str) -> Option<Staged> {
    let value = |name: &str| {
        let line = stats
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        line.trim().parse().ok()
    };
    Some(Staged {
        blocks: value("juicefs_staging_blocks")?,
        bytes: value("juicefs_staging_block_bytes")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn staged_blocks_are_read_from_the_statistics_of_a_mount() {
        let stats = "juicefs_uptime 1.5\njuicefs_staging_blocks 3\njuicefs_staging_block_bytes 4096\n";
        assert_eq!(
            parse(stats),
            Some(Staged {
                blocks: 3,
                bytes: 4096
            })
        );
        assert_eq!(parse("juicefs_uptime 1.5\n"), None);
    }
}
