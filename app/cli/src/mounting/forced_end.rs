//! The end of a mount within seconds, although its store or database may not answer.

use std::path::Path;
use std::time::Duration;

use moorage_chunk::PendingUploads;
use moorage_model::{Error, ErrorKind, Result};
use moorage_vfs::{Shutdown, UnstoredFile, Vfs};
use tokio::task::spawn_blocking;

use super::departure::Departure;
use super::{MountPlan, unstored_files};
use crate::noun::BLOCKS;
use crate::size;

/// How long a forced end still tries to store what is buffered: a store that works needs less for what a mount buffers,
/// and whoever forces the end waits for it.
const FORCED_FLUSH: Duration = Duration::from_secs(5);

/// Takes the mount away, stores what can be stored within seconds, and tells what was not.
///
/// # Errors
/// What is lost or only on this computer.
pub(super) async fn end_by_force(plan: &MountPlan, vfs: &Vfs, departure: &Departure) -> Result<()> {
    let departure = departure.clone();
    // It waits for requests that this process may never answer.
    drop(spawn_blocking(move || departure.force()));
    let Shutdown { unstored, outcome } = vfs.shutdown_within(FORCED_FLUSH).await;
    let unstored = with_deleted(vfs, unstored).await;
    unstored_files::log_all(&unstored, "written data was not stored and is lost");
    let staged = vfs.chunks().pending();
    let staging = plan.writeback_folder();
    let kept = staging.as_deref().filter(|_| staged.blocks > 0);
    if unstored.is_empty() && kept.is_none() {
        return outcome;
    }
    let error = told(plan.point.path(), &unstored, &staged, kept);
    Err(match (outcome, &staged.last_error) {
        (Err(cause), _) => error.with_source(cause),
        (Ok(()), Some(cause)) => error.with_source(Error::new(ErrorKind::Io, cause.clone())),
        (Ok(()), None) => error,
    })
}

/// The files, and those whose bytes were staged and are gone.
async fn with_deleted(vfs: &Vfs, mut unstored: Vec<UnstoredFile>) -> Vec<UnstoredFile> {
    if let Err(error) = vfs.chunks().look_for_lost().await {
        tracing::debug!(%error, "whether staged blocks are there is not known");
    }
    let deleted = vfs.lost_files().await;
    unstored.retain(|file| !deleted.iter().any(|gone| gone.ino == file.ino));
    unstored.extend(deleted);
    unstored
}

fn told(point: &Path, unstored: &[UnstoredFile], staged: &PendingUploads, kept: Option<&Path>) -> Error {
    let error = unstored_files::lost(
        &format!("the mount at {} was ended by force", point.display()),
        unstored,
    );
    match kept {
        Some(folder) => error.with_advice(format!(
            "{} ({}) not in the object store yet: kept in {}, and uploaded by the next mount of the volume here with \
             --writeback.",
            BLOCKS.count(staged.blocks),
            size::show(staged.bytes),
            folder.display()
        )),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn staged_blocks_are_said_to_be_kept_and_where() {
        let staged = PendingUploads {
            blocks: 3,
            bytes: 100,
            ..PendingUploads::default()
        };
        let error = told(Path::new("/mnt"), &[], &staged, Some(Path::new("/cache")));
        let advice = error.advice().expect("advice");
        assert!(
            advice.contains("3 blocks") && advice.contains("/cache"),
            "{advice}"
        );
    }
}
