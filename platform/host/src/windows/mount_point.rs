//! The place that a volume appears at: a drive, or a folder.

use std::io;
use std::path::{Component, Path, PathBuf, Prefix};

use crate::HostError;

/// A drive as `X:`, or an absolute path of a folder without links on the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountPoint {
    path: PathBuf,
}

impl MountPoint {
    /// Resolves a path as the user wrote it. The place itself need not exist.
    ///
    /// # Errors
    /// When it is no drive, and the parent folder does not exist or the path ends in no name.
    pub fn resolve(path: &Path) -> Result<MountPoint, HostError> {
        let failed = |error: io::Error| {
            HostError::new(format!("mount point {}", path.display()))
                .with_advice("Give a free drive as X:, or a folder in one that exists.")
                .with_source(error)
        };
        if let Some(drive) = drive_of(path) {
            return Ok(MountPoint { path: drive });
        }
        let absolute = std::path::absolute(path).map_err(failed)?;
        if let Ok(path) = absolute.canonicalize() {
            return Ok(MountPoint { path: plain(&path) });
        }
        let (Some(name), Some(parent)) = (absolute.file_name(), absolute.parent()) else {
            return Err(failed(io::ErrorKind::InvalidInput.into()));
        };
        let parent = parent.canonicalize().map_err(failed)?;
        Ok(MountPoint {
            path: plain(&parent).join(name),
        })
    }

    /// Whether a path names one place, whatever folder a program works in.
    pub fn is_whole(path: &Path) -> bool {
        path.is_absolute() || drive_of(path).is_some()
    }

    /// The resolved path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The drive that a path is, with a capital letter: `x:` and `X:\` are `X:`.
fn drive_of(path: &Path) -> Option<PathBuf> {
    let mut parts = path.components();
    let Some(Component::Prefix(prefix)) = parts.next() else {
        return None;
    };
    let Prefix::Disk(letter) = prefix.kind() else {
        return None;
    };
    parts
        .all(|part| part == Component::RootDir)
        .then(|| PathBuf::from(format!("{}:", char::from(letter.to_ascii_uppercase()))))
}

/// A path as people write it. The system resolves to the form that lifts the limit of lengths.
fn plain(path: &Path) -> PathBuf {
    let mut parts = path.components();
    let start = match parts.next() {
        Some(Component::Prefix(prefix)) => match prefix.kind() {
            Prefix::VerbatimDisk(letter) => Some(PathBuf::from(format!("{}:\\", char::from(letter)))),
            Prefix::VerbatimUNC(server, share) => {
                let mut start = PathBuf::from(r"\\").into_os_string();
                start.push(server);
                start.push("\\");
                start.push(share);
                start.push("\\");
                Some(start.into())
            }
            _ => None,
        },
        _ => None,
    };
    match start {
        Some(start) => start.join(parts.as_path().strip_prefix("\\").unwrap_or(parts.as_path())),
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(path: &Path) -> PathBuf {
        MountPoint::resolve(path).expect("resolves").path().to_owned()
    }

    #[test]
    fn a_drive_is_one_however_it_is_written() {
        for drive in ["x:", "X:", r"X:\", "x:/"] {
            assert_eq!(resolved(Path::new(drive)), Path::new("X:"), "{drive}");
            assert!(MountPoint::is_whole(Path::new(drive)), "{drive}");
        }
        assert!(!MountPoint::is_whole(Path::new("X:folder")));
        assert!(!MountPoint::is_whole(Path::new(r"\folder")));
    }

    #[test]
    fn a_missing_folder_resolves_with_a_parent_and_is_refused_without() {
        let folder = tempfile::tempdir().expect("a folder");
        let point = resolved(&folder.path().join("none"));
        assert!(point.ends_with("none") && point.is_absolute(), "{point:?}");
        assert!(!point.to_string_lossy().starts_with(r"\\?\"), "{point:?}");
        assert_eq!(resolved(&point), point);
        let refused = MountPoint::resolve(&folder.path().join("none/below")).expect_err("no parent");
        let kind = refused.io().map(io::Error::kind);
        assert_eq!(kind, Some(io::ErrorKind::NotFound), "{refused}");
    }

    #[test]
    fn paths_are_as_people_write_them() {
        for (resolved, written) in [
            (r"\\?\C:\a\b", r"C:\a\b"),
            (r"\\?\UNC\server\share\a", r"\\server\share\a"),
            (r"C:\a", r"C:\a"),
        ] {
            assert_eq!(plain(Path::new(resolved)), Path::new(written));
        }
    }
}
