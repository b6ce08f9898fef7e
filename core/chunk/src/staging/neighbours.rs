//! Other mounts of the volume on this machine that stage in the same place: what a living one has not uploaded yet is
//! read here and stays its own; what an ended one left becomes ours.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::RwLock;

use super::folder::{StageFolder, lock};
use super::name::StagedName;
use super::queue::Staged;
use super::{Staging, remove};
use crate::block::BlockId;
use crate::block_file::{BlockFile, Form};
use crate::offload::away;

/// How often folders are looked at while another mount stages: how long the blocks of one that ended wait for us.
const LOOK_CLOSELY: Duration = Duration::from_secs(1);
/// How often otherwise: for mounts that began later.
const LOOK_SELDOM: Duration = Duration::from_secs(30);

/// Blocks in the folders of living mounts when they were last looked at.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    blocks: RwLock<HashMap<BlockId, PathBuf>>,
    seen: std::sync::atomic::AtomicBool,
}

impl Neighbours {
    /// Whether another mount had a block when it was last looked. One lock.
    pub(super) fn has(&self, block: &BlockId) -> bool {
        self.blocks.read().contains_key(block)
    }

    /// Its payload; `None` when it is not there any more, since it is uploaded then. Blocks the thread.
    pub(super) fn load(&self, block: &BlockId) -> Option<(Form, Bytes)> {
        let path = self.blocks.read().get(block)?.clone();
        let read = File::open(&path)
            .and_then(BlockFile::open)
            .and_then(|file| Ok((file.trailer, file.read_all()?)));
        match read {
            Ok((trailer, payload)) if trailer.block == *block => Some((trailer.form, payload)),
            Ok(_) => None,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(file = %path.display(), %error, "a block staged by another mount can not be read");
                }
                self.blocks.write().remove(block);
                None
            }
        }
    }

    /// Whether another mount staged here when it was last looked.
    pub(super) fn exist(&self) -> bool {
        self.seen.load(std::sync::atomic::Ordering::Relaxed)
    }
}

impl Staging {
    /// Looks at the folders of other mounts: takes over those of ended ones, and notes what living ones hold.
    ///
    /// Blocks the thread: one lock per folder, one listing per folder of a living mount.
    pub(crate) fn look_around(&self) {
        let (mut found, mut seen) = (HashMap::new(), false);
        for root in self.folder.others() {
            let looked = lock(&root).and_then(|ended| match ended {
                Some(ended) => self.inherit(&ended),
                None => {
                    seen = true;
                    list(&root, &mut found)
                }
            });
            if let Err(error) = looked {
                tracing::warn!(folder = %root.display(), %error, "a staging folder can not be looked at");
            }
        }
        *self.neighbours.blocks.write() = found;
        self.neighbours
            .seen
            .store(seen, std::sync::atomic::Ordering::Relaxed);
    }

    /// Moves the blocks of an ended mount behind those that are here.
    fn inherit(&self, ended: &StageFolder) -> io::Result<()> {
        let left = ended.scan()?;
        for staged in &left {
            let number = self.queue.lock().take_number();
            let ours = Staged { number, ..*staged };
            self.disk.rename(&ended.path(staged), &self.folder.path(&ours))?;
            let earlier = self.queue.lock().adopt(ours);
            if let Some(earlier) = earlier {
                remove(&self.folder.path(&earlier));
            }
        }
        if !left.is_empty() {
            self.disk.sync_folder(&self.folder.root)?;
            tracing::info!(
                blocks = left.len(),
                "blocks staged by a mount that ended are uploaded"
            );
            self.changed.notify_waiters();
        }
        Ok(())
    }
}

/// The staged blocks in the folder of a living mount.
fn list(root: &Path, found: &mut HashMap<BlockId, PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        if let Some(StagedName { block, .. }) = entry.file_name().to_str().and_then(StagedName::parse) {
            found.insert(block, entry.path());
        }
    }
    Ok(())
}

/// Looks around for as long as the volume is open. One task per volume.
pub(crate) async fn watch_neighbours(staging: Weak<Staging>) {
    loop {
        let pause = match staging.upgrade() {
            Some(staging) if staging.neighbours.exist() => LOOK_CLOSELY,
            Some(_) => LOOK_SELDOM,
            None => return,
        };
        tokio::time::sleep(pause).await;
        let Some(current) = staging.upgrade() else { return };
        if current.is_closed() {
            return;
        }
        let (looker, runtime) = (Arc::clone(&current), current.runtime.clone());
        let looked = away(&runtime, move || {
            looker.look_around();
            Ok(())
        });
        if looked.await.is_err() {
            return;
        }
    }
}
