//! Files whose data did not get into the object store, as a person reads of them.

use std::path::Path;

use moorage_model::Error;
use moorage_vfs::UnstoredFile;

use crate::noun::FILES;
use crate::size;

/// Files named in a message; the log names all.
const FILES_NAMED: usize = 10;

/// The error of a mount that is gone while its process keeps what it could not store and tries again. It has the kind
/// and the cause of the last attempt.
pub(super) fn not_stored_yet(point: &Path, files: &[UnstoredFile], cause: &Error) -> Error {
    let shown = point.display();
    let what = format!(
        "the mount at {shown} is gone, but data of {} is not stored: {}",
        FILES.count(files.len() as u64),
        listed(files)
    );
    let remedy = cause
        .advice()
        .map(|advice| format!("{}. ", advice.trim_end_matches('.')));
    Error::new(cause.kind(), what)
        .with_source(cause.reason())
        .with_advice(format!(
            "{}Process {} keeps the data in memory and tries again: run `moorage umount {shown}` to see how far it is, \
             or `moorage umount --force {shown}` to give the data up.",
            remedy.unwrap_or_default(),
            std::process::id(),
        ))
}

/// The error of a mount that has ended, `how` it did in words, without having stored everything.
pub(super) fn lost(how: &str, files: &[UnstoredFile]) -> Error {
    let what = match files {
        [] => how.to_owned(),
        files => format!(
            "{how}, and data written to these files was not stored and is lost: {}",
            listed(files)
        ),
    };
    Error::new(moorage_model::ErrorKind::Io, what).with_advice("Write these files again.")
}

/// The error of a mount that has ended, and whose staging folder was deleted before everything in it was uploaded.
pub(super) fn deleted(point: &Path, folder: &Path, files: &[UnstoredFile]) -> Error {
    let how = format!(
        "the mount at {} has ended, and blocks are gone from its staging folder in {}",
        point.display(),
        folder.display()
    );
    lost(&how, files).with_advice(
        "Put the staging folder back, for example by mounting its disk, and mount the volume again; otherwise write these \
         files again.",
    )
}

/// Puts every file into the log, since messages name only some.
pub(super) fn log_all(files: &[UnstoredFile], what: &str) {
    for file in files {
        tracing::error!(
            inode = file.ino.0,
            bytes = file.bytes,
            path = file.path.as_deref(),
            "{what}"
        );
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
    let name = match &file.path {
        Some(path) => path.clone(),
        None => format!("inode {}", file.ino),
    };
    match file.bytes {
        0 => name,
        bytes => format!("{name} ({})", size::show(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use moorage_model::{ErrorKind, Ino};

    use super::*;

    fn file(number: u64, path: Option<&str>) -> UnstoredFile {
        UnstoredFile {
            ino: Ino(number),
            path: path.map(str::to_owned),
            bytes: 4096,
        }
    }

    #[test]
    fn files_are_named_by_path_or_number_and_not_without_end() {
        let two = listed(&[file(2, Some("/a")), file(3, None)]);
        assert!(two.starts_with("/a (") && two.contains("inode 3 ("), "{two}");
        let many: Vec<UnstoredFile> = (0..12).map(|number| file(number, None)).collect();
        assert!(listed(&many).ends_with("and 2 more, which the log names"));
    }

    #[test]
    fn what_is_not_stored_yet_keeps_its_cause_and_says_how_to_go_on_and_how_to_give_up() {
        let cause = Error::new(ErrorKind::NoSpace, "can not write object a").with_advice("Free space there");
        let error = not_stored_yet(Path::new("/mnt"), &[file(2, Some("/a"))], &cause);
        assert_eq!(error.kind(), ErrorKind::NoSpace);
        let advice = error.advice().expect("advice");
        assert!(advice.starts_with("Free space there. "), "{advice}");
        assert!(advice.contains("umount --force /mnt"), "{advice}");
        assert!(
            error.to_string().contains("data of 1 file is not stored: /a ("),
            "{error}"
        );
    }
}
