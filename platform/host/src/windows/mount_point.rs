//! The place that a volume appears at: a drive, or a folder.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf, Prefix};
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::ERROR_SUCCESS;
use windows_sys::Win32::Storage::FileSystem::GetLogicalDrives;
use windows_sys::Win32::System::Registry::{HKEY_CURRENT_USER, RRF_RT_REG_SZ, RegGetValueW};

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

    /// The last drive in the alphabet that is free and not among these: programs that give letters out begin at the other
    /// end. A letter that this user keeps for a share of a network is not free, also while that is not connected.
    pub fn free_drive(taken: &[&Path]) -> Option<MountPoint> {
        let drives = ('D'..='Z').rev().map(|letter| MountPoint {
            path: PathBuf::from(format!("{letter}:")),
        });
        let is_free = |drive: &MountPoint| {
            !drive.is_occupied() && !taken.contains(&drive.path()) && !is_remembered(&drive.path)
        };
        drives.into_iter().find(is_free)
    }

    /// Whether something is there: the driver makes the folder of a mount, and takes it away with it. Asks the system
    /// alone, not what is there.
    pub fn is_occupied(&self) -> bool {
        if let Some(number) = drive_number(&self.path) {
            // SAFETY: no arguments.
            return unsafe { GetLogicalDrives() } & (1 << number) != 0;
        }
        fs::symlink_metadata(&self.path).is_ok()
    }

    /// Asks what is there whether it answers. Blocks the thread until it does.
    ///
    /// # Errors
    /// What it answers.
    pub fn check_answers(&self) -> io::Result<()> {
        let asked = match drive_number(&self.path) {
            // The name of a drive alone is the folder in it that this process works in.
            Some(_) => {
                let mut root = self.path.clone().into_os_string();
                root.push("\\");
                fs::metadata(root)
            }
            None => fs::metadata(&self.path),
        };
        asked.map(drop)
    }
}

/// Whether this user has a share of a network connected to a drive at each login.
fn is_remembered(drive: &Path) -> bool {
    let letter = drive.to_string_lossy();
    let key = format!(r"Network\{}", letter.trim_end_matches(':'));
    let (key, name): (Vec<u16>, Vec<u16>) = (
        key.encode_utf16().chain([0]).collect(),
        "RemotePath\0".encode_utf16().collect(),
    );
    // SAFETY: the texts end with NUL; what is not asked for may be null.
    let status = unsafe {
        RegGetValueW(
            HKEY_CURRENT_USER,
            key.as_ptr(),
            name.as_ptr(),
            RRF_RT_REG_SZ,
            null_mut(),
            null_mut(),
            null_mut(),
        )
    };
    status == ERROR_SUCCESS
}

/// The number of the letter, when a resolved path is a drive.
fn drive_number(path: &Path) -> Option<u32> {
    match path.as_os_str().as_encoded_bytes() {
        [letter @ b'A'..=b'Z', b':'] => Some(u32::from(letter - b'A')),
        _ => None,
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
    fn what_exists_is_occupied_and_answers_and_what_does_not_is_free() {
        let point = |path: &Path| MountPoint::resolve(path).expect("resolves");
        let system = point(Path::new("C:"));
        assert!(system.is_occupied());
        system.check_answers().expect("it answers");
        let folder = tempfile::tempdir().expect("a folder");
        let existing = point(folder.path());
        assert!(existing.is_occupied());
        existing.check_answers().expect("it answers");
        assert!(!point(&folder.path().join("none")).is_occupied());
    }

    #[test]
    fn a_free_drive_is_given_once_and_is_no_drive_of_the_system() {
        let free = MountPoint::free_drive(&[]).expect("some letter");
        assert!(!free.is_occupied());
        assert!(free.path() > Path::new("C:"), "{free:?}");
        let other = MountPoint::free_drive(&[free.path()]).expect("another letter");
        assert!(other.path() < free.path(), "{other:?}");
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
