//! Keys as paths below a root, and temporary names (spec 60-objects section 10).

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use moorage_model::{Error, ErrorKind, Result};

/// Bytes of an object's name that its temporary name repeats.
const TEMPORARY_NAME_BYTES: usize = 200;
const TEMPORARY_PREFIX: &str = ".jfs.";
const TEMPORARY_MIDDLE: &str = ".tmp.";

/// The path of a key: root and key joined as text.
///
/// # Errors
/// `NotPermitted` for keys that could leave the root.
pub(super) fn path_of(root: &Path, key: &str) -> Result<PathBuf> {
    let body = key.strip_suffix('/').unwrap_or(key);
    let sound = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains('\0');
    let foreign = cfg!(windows) && key.contains(['\\', ':']);
    if foreign || !body.split('/').all(sound) {
        return Err(Error::new(
            ErrorKind::NotPermitted,
            format!(
                "key {key:?} is refused: it would leave the folder {}",
                root.display()
            ),
        ));
    }
    let mut path = OsString::with_capacity(root.as_os_str().len() + key.len());
    path.push(root);
    path.push(body);
    Ok(path.into())
}

/// Whether a path that is not absolute here is so on another system: `C:\objects` of Windows, `/objects` of all others.
pub(super) fn is_of_another_system(path: &str) -> bool {
    if cfg!(windows) {
        return path.starts_with('/');
    }
    let mut letters = path.chars();
    let drive = letters.next().is_some_and(|letter| letter.is_ascii_alphabetic());
    path.starts_with("\\\\")
        || (drive && letters.next() == Some(':') && matches!(letters.next(), Some('\\' | '/')))
}

/// The sibling an object is written to before it gets its name.
pub(super) fn temporary(path: &Path, number: u64) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let cut = (0..=TEMPORARY_NAME_BYTES.min(name.len()))
        .rev()
        .find(|&at| name.is_char_boundary(at))
        .unwrap_or(0);
    let name = name.get(..cut).unwrap_or_default();
    path.with_file_name(format!("{TEMPORARY_PREFIX}{name}{TEMPORARY_MIDDLE}{number}"))
}

/// Whether a file is such a sibling: an upload that is under way or was cut off.
pub(super) fn is_temporary(name: &str) -> bool {
    name.strip_prefix(TEMPORARY_PREFIX)
        .and_then(|rest| rest.rsplit_once(TEMPORARY_MIDDLE))
        .is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}
