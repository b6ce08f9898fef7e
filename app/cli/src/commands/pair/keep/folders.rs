//! The folders of a pair, for whoever chooses which take part.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use moorage_control::sync::{MOST_FOLDERS, SyncFolder, SyncFolders};
use moorage_model::{Error, ErrorKind, Result};
use moorage_sync::RelativePath;

/// Names of the folders in one below a root; none when it is not there. Links are no folders, and a name that is no text can
/// not be chosen.
///
/// # Errors
/// When it can not be listed.
pub(super) fn inside(root: &Path, folder: &RelativePath) -> Result<BTreeSet<String>> {
    let path = folder.names().fold(root.to_owned(), |path, name| {
        path.join(String::from_utf8_lossy(name).as_ref())
    });
    let failed = |error: io::Error| {
        Error::new(
            ErrorKind::Io,
            format!("the folder {} can not be listed", path.display()),
        )
        .with_advice("Check that this user may read it.")
        .with_source(error)
    };
    let entries = match std::fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut names = BTreeSet::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir())
            && let Ok(name) = entry.file_name().into_string()
        {
            names.insert(name);
        }
    }
    Ok(names)
}

/// The folders of both sides that `takes_part`.
pub(super) fn together(
    local: &BTreeSet<String>,
    volume: &BTreeSet<String>,
    takes_part: impl Fn(&str) -> bool,
) -> SyncFolders {
    let mut all: BTreeMap<&String, (bool, bool)> = BTreeMap::new();
    for name in local {
        all.entry(name).or_default().0 = true;
    }
    for name in volume {
        all.entry(name).or_default().1 = true;
    }
    all.retain(|name, _| takes_part(name));
    let more = all.len().saturating_sub(MOST_FOLDERS) as u64;
    let folders = all.into_iter().take(MOST_FOLDERS);
    SyncFolders {
        folders: folders
            .map(|(name, (local, volume))| SyncFolder {
                name: name.clone(),
                local,
                volume,
            })
            .collect(),
        more,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn folders_of_both_sides_are_told_once_and_the_rest_is_counted() {
        let both = together(&names(&["a", "b", "x"]), &names(&["b", "c"]), |name| name != "x");
        let told: Vec<_> = both
            .folders
            .iter()
            .map(|folder| (folder.name.as_str(), folder.local, folder.volume))
            .collect();
        assert_eq!(told, [("a", true, false), ("b", true, true), ("c", false, true)]);
        let many: BTreeSet<String> = (0..=MOST_FOLDERS).map(|number| number.to_string()).collect();
        let many = together(&many, &names(&[]), |_| true);
        assert_eq!((many.folders.len(), many.more), (MOST_FOLDERS, 1));
    }

    #[test]
    fn files_and_links_are_no_folders_and_what_is_not_there_has_none() {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(root.path().join("a/b")).expect("made");
        std::fs::write(root.path().join("a/file"), "").expect("written");
        std::os::unix::fs::symlink(root.path(), root.path().join("a/link")).expect("linked");
        let inside = |path: &str| {
            let path = RelativePath::new(path.as_bytes()).expect("a path");
            super::inside(root.path(), &path).expect("listed")
        };
        assert_eq!(inside("a"), names(&["b"]));
        assert_eq!(inside("none"), names(&[]));
    }
}
