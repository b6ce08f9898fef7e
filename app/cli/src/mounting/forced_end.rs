//! The end of a mount within seconds, although its store or database may not answer.

use std::path::Path;
use std::time::Duration;

use moorage_chunk::PendingUploads;
use moorage_host::{Unmount, unmount};
use moorage_model::{Error, ErrorKind, Result};
use moorage_vfs::{HastyShutdown, UnstoredFile, Vfs};
use tokio::task::spawn_blocking;

use super::MountPlan;
use crate::noun::BLOCKS;
use crate::size;

/// How long a forced end still tries to store what is buffered: a store that works needs less for what a mount buffers,
/// and whoever forces the end waits for it.
const FORCED_FLUSH: Duration = Duration::from_secs(5);
/// Files named in the message; the log names all.
const FILES_NAMED: usize = 10;

/// Takes the mount away, stores what can be stored within seconds, and tells what was not.
///
/// # Errors
/// What is lost or only on this computer.
pub(super) async fn end_by_force(plan: &MountPlan, vfs: &Vfs) -> Result<()> {
    let point = plan.point.path().to_owned();
    // It waits for requests that this process may never answer.
    drop(spawn_blocking(move || unmount(&point, Unmount::Force)));
    let HastyShutdown { unstored, outcome } = vfs.shutdown_within(FORCED_FLUSH).await;
    for file in &unstored {
        tracing::error!(
            inode = file.ino.0,
            bytes = file.bytes,
            path = file.path.as_deref(),
            "written data was not stored and is lost"
        );
    }
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

fn told(point: &Path, unstored: &[UnstoredFile], staged: &PendingUploads, kept: Option<&Path>) -> Error {
    let mut what = format!("the mount at {} was ended by force", point.display());
    if !unstored.is_empty() {
        what.push_str(", and data written to these files was not stored and is lost: ");
        what.push_str(&listed(unstored));
    }
    let error = Error::new(ErrorKind::Io, what);
    match kept {
        Some(folder) => error.with_advice(format!(
            "{} ({}) not in the object store yet: kept in {}, and uploaded by the next mount of the volume here with \
             --writeback.",
            BLOCKS.count(staged.blocks),
            size::show(staged.bytes),
            folder.display()
        )),
        None => error.with_advice("Write these files again."),
    }
}

fn listed(files: &[UnstoredFile]) -> String {
    let mut names: Vec<String> = files.iter().take(FILES_NAMED).map(named).collect();
    if let Some(more @ 1..) = files.len().checked_sub(FILES_NAMED) {
        names.push(format!("and {more} more, which the log names"));
    }
    names.join(", ")
}

fn named(file: &UnstoredFile) -> String {
    let bytes = size::show(file.bytes);
    match &file.path {
        Some(path) => format!("{path} ({bytes})"),
        None => format!("inode {} ({bytes})", file.ino),
    }
}

#[cfg(test)]
mod tests {
    use moorage_model::Ino;

    use super::*;

    fn file(number: u64, path: Option<&str>) -> UnstoredFile {
        UnstoredFile {
            ino: Ino(number),
            path: path.map(str::to_owned),
            bytes: 4096,
        }
    }

    #[test]
    fn lost_files_are_named_by_path_or_number_and_not_without_end() {
        let two = listed(&[file(2, Some("/a")), file(3, None)]);
        assert!(two.starts_with("/a (") && two.contains("inode 3 ("), "{two}");
        let many: Vec<UnstoredFile> = (0..12).map(|number| file(number, None)).collect();
        assert!(listed(&many).ends_with("and 2 more, which the log names"));
    }

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
