//! The trash as it is told to people and programs.

use std::ffi::OsStr;

use moorage_control::state::Timestamp;
use moorage_control::trash::{
    LONGEST_PATH, OldFolder, RestoreOutcome, TrashEntry, TrashHour, TrashKind, TrashRestored,
};
use moorage_meta::admin;
use moorage_model::{Name, NodeType};

use crate::mounted;

/// The name of an entry as an argument holds it.
pub(in crate::commands) fn entry_bytes(argument: &OsStr) -> Vec<u8> {
    mounted::path_bytes(argument)
}

pub(super) fn hour(hour: &admin::TrashHour) -> TrashHour {
    TrashHour {
        hour: text(&hour.name),
        begins: hour.begins.map(|seconds| timestamp(seconds, 0)),
        entries: hour.content.map(|content| content.entries),
        bytes: hour.content.map(|content| content.bytes),
    }
}

pub(super) fn entry(hour: &str, entry: &admin::TrashEntry) -> TrashEntry {
    TrashEntry {
        hour: hour.to_owned(),
        entry: text(&entry.stored),
        kind: match entry.kind {
            NodeType::File => TrashKind::File,
            NodeType::Directory => TrashKind::Folder,
            NodeType::Symlink => TrashKind::Link,
            _ => TrashKind::Other,
        },
        name: text(entry.name.as_ref().unwrap_or(&entry.stored)),
        cut: entry.cut,
        path: entry.path.as_deref().and_then(path),
        folder: match entry.folder {
            admin::OldFolder::There => OldFolder::There,
            admin::OldFolder::Removed => OldFolder::Removed,
            admin::OldFolder::Gone => OldFolder::Gone,
        },
        removed: entry
            .attributes
            .map(|known| timestamp(known.removed.seconds, known.removed.nanoseconds)),
        bytes: entry.attributes.map(|known| known.length),
        inside: entry.below,
    }
}

pub(in crate::commands) fn restored(done: &admin::EntryRestored) -> TrashRestored {
    TrashRestored {
        entry: text(&done.stored),
        path: done.path.as_deref().and_then(path),
        outcome: match done.outcome {
            admin::RestoreOutcome::Restored => RestoreOutcome::Restored,
            admin::RestoreOutcome::NameTaken => RestoreOutcome::NameTaken,
            admin::RestoreOutcome::FolderGone => RestoreOutcome::FolderGone,
            admin::RestoreOutcome::OverQuota => RestoreOutcome::OverQuota,
            admin::RestoreOutcome::NotThere => RestoreOutcome::NotThere,
            admin::RestoreOutcome::Unnamed => RestoreOutcome::Unnamed,
        },
        folders: done.folders,
        inside: done.below,
        left: done.below_left,
    }
}

pub(super) fn text(name: &Name) -> String {
    String::from_utf8_lossy(name.as_bytes()).into_owned()
}

fn path(bytes: &[u8]) -> Option<String> {
    (bytes.len() <= LONGEST_PATH).then(|| String::from_utf8_lossy(bytes).into_owned())
}

/// Times before 1970 are none that anything was removed at.
fn timestamp(seconds: i64, nanoseconds: u32) -> Timestamp {
    let seconds = u64::try_from(seconds).unwrap_or(0);
    Timestamp(seconds.saturating_mul(1000) + u64::from(nanoseconds / 1_000_000))
}
