//! Command 1005: what is known of a node.

use moorage_meta::admin::{InfoOptions, NodeInfo, Progress};
use moorage_meta::{Context, Key, MAY_EXECUTE, MAY_READ, Record, Scan};
use moorage_model::{Ino, RecordLockKind, Result};
use serde::Serialize;

use super::codec::Answer;
use super::summary::json;
use crate::Vfs;
use crate::volume_check::file_objects;

/// Folders read at the same time.
const CONCURRENCY: usize = 10;
/// Lock records that the answer holds at most.
const MAX_LOCKS: usize = 1000;

/// Names are those that JuiceFS's commands read. Lists that do not apply are null.
#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Info {
    ino: u64,
    failed: bool,
    reason: String,
    summary: Sums,
    paths: Option<Vec<String>>,
    chunks: Option<Vec<Piece>>,
    objects: Option<Vec<Object>>,
    #[serde(rename = "PLocks")]
    record_locks: Option<Vec<RecordLock>>,
    #[serde(rename = "FLocks")]
    file_locks: Option<Vec<FileLock>>,
    tier: Tier,
    restore_status: String,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Sums {
    length: u64,
    size: u64,
    files: u64,
    dirs: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Piece {
    chunk_index: u32,
    id: u64,
    size: u32,
    off: u32,
    len: u32,
    pos: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Object {
    chunk_index: u32,
    key: String,
    size: u32,
    off: u32,
    len: u32,
    pos: u32,
    /// Only this computer has it so far; other clients can not read it yet.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    staged: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RecordLock {
    sid: u64,
    owner: u64,
    /// 0 reads, 1 writes.
    #[serde(rename = "Type")]
    kind: u32,
    pid: u32,
    start: u64,
    end: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct FileLock {
    sid: u64,
    owner: u64,
    #[serde(rename = "Type")]
    kind: char,
}

#[derive(Default, Serialize)]
struct Tier {
    #[serde(rename = "ID")]
    id: u8,
    #[serde(rename = "StorageClass")]
    storage_class: String,
    #[serde(rename = "Tag")]
    tag: String,
}

impl Vfs {
    /// Sums, paths, slices or objects, and locks of a node. Failures are part of the answer.
    ///
    /// # Errors
    /// None but of writing the answer.
    pub(super) async fn info_by_command(
        &self,
        identity: &Context,
        shown: Ino,
        (recursive, raw): (bool, bool),
        progress: &Progress,
    ) -> Result<Answer> {
        let options = InfoOptions {
            recursive,
            concurrency: CONCURRENCY,
        };
        let mut info = match self.info_of(identity, shown, options, raw, progress).await {
            Ok(info) => info,
            Err(error) => Info {
                failed: true,
                reason: error.to_string(),
                ..Info::default()
            },
        };
        info.ino = shown.0;
        json(&info)
    }

    async fn info_of(
        &self,
        identity: &Context,
        shown: Ino,
        options: InfoOptions,
        raw: bool,
        progress: &Progress,
    ) -> Result<Info> {
        let (ino, attr) = self.reachable(identity, shown).await?;
        if attr.is_directory() {
            // The sums tell of its entries.
            self.meta
                .check_access(identity, &attr, MAY_READ | MAY_EXECUTE)
                .await?;
        }
        self.store_written().await?;
        let found = self.meta.info(ino, options, progress).await?;
        progress.add(1, found.usage.space);
        let above = self.paths_of_root().await?;
        let mut info = Info {
            summary: Sums {
                length: found.usage.length,
                size: found.usage.space,
                files: found.usage.files,
                dirs: found.usage.directories,
            },
            paths: Some(
                found
                    .paths
                    .iter()
                    .filter_map(|path| below(path, &above))
                    .collect(),
            ),
            tier: Tier {
                id: found.attr.tier.0,
                ..Tier::default()
            },
            ..Info::default()
        };
        if found.attr.is_file() && raw {
            info.chunks = Some(pieces(&found));
        } else if found.attr.is_file() {
            info.objects = Some(self.objects(&found));
        }
        (info.record_locks, info.file_locks) = (
            Some(self.record_locks(ino).await?),
            Some(self.file_locks(ino).await?),
        );
        Ok(info)
    }

    /// Paths of the folder that the mount shows.
    pub(super) async fn paths_of_root(&self) -> Result<Vec<Vec<u8>>> {
        if self.root == Ino::ROOT {
            Ok(vec![Vec::new()])
        } else {
            self.meta.paths(self.root).await
        }
    }

    fn objects(&self, info: &NodeInfo) -> Vec<Object> {
        let setting = self.meta.setting();
        let named = file_objects(info, &setting).into_iter().map(|piece| Object {
            chunk_index: piece.chunk.0,
            key: piece
                .block
                .map(|block| format!("{}/{}", setting.name, block.key(setting.hash_prefix)))
                .unwrap_or_default(),
            staged: piece.block.is_some_and(|block| self.chunks.is_staged(&block)),
            size: piece.size,
            off: piece.off,
            len: piece.len,
            pos: piece.pos,
        });
        named.collect()
    }

    async fn record_locks(&self, ino: Ino) -> Result<Vec<RecordLock>> {
        let page = self
            .meta
            .engine()
            .scan(&Scan::RecordLocks(ino), None, MAX_LOCKS)
            .await?;
        let mut locks = Vec::new();
        for item in page.items {
            if let (Key::RecordLocks(_, session, owner), Record::RecordLocks(ranges)) = item {
                locks.extend(ranges.iter().map(|range| RecordLock {
                    sid: session.0,
                    owner: owner.0,
                    kind: u32::from(range.kind == RecordLockKind::Write),
                    pid: range.pid,
                    start: range.start,
                    end: range.end,
                }));
            }
        }
        Ok(locks)
    }

    async fn file_locks(&self, ino: Ino) -> Result<Vec<FileLock>> {
        let page = self
            .meta
            .engine()
            .scan(&Scan::FileLocks(ino), None, MAX_LOCKS)
            .await?;
        let each = page.items.into_iter().filter_map(|item| match item {
            (Key::FileLock(_, session, owner), Record::FileLock(kind)) => Some(FileLock {
                sid: session.0,
                owner: owner.0,
                kind: char::from(kind.letter()),
            }),
            _ => None,
        });
        Ok(each.collect())
    }
}

fn pieces(info: &NodeInfo) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (chunk, slices) in &info.chunks {
        pieces.extend(slices.iter().map(|slice| Piece {
            chunk_index: chunk.0,
            id: slice.id.0,
            size: slice.size,
            off: slice.off,
            len: slice.len,
            pos: slice.pos,
        }));
    }
    pieces
}

/// A path of the volume as this mount shows it; `None` for one that it does not show.
pub(super) fn below(path: &[u8], roots: &[Vec<u8>]) -> Option<String> {
    let inside = roots.iter().find_map(|root| {
        let rest = path.strip_prefix(root.as_slice())?;
        (rest.is_empty() || rest.starts_with(b"/")).then_some(rest)
    })?;
    let inside = if inside.is_empty() { b"/" } else { inside };
    Some(String::from_utf8_lossy(inside).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_mount() {
        let roots = [b"/home/me".to_vec()];
        assert_eq!(below(b"/home/me/a", &roots).as_deref(), Some("/a"));
        assert_eq!(below(b"/home/me", &roots).as_deref(), Some("/"));
        assert_eq!(below(b"/home/mean", &roots), None);
        assert_eq!(below(b"/a", &[Vec::new()]).as_deref(), Some("/a"));
    }
}
