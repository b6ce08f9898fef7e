//! Taking a mount away: there are none.

use std::path::Path;

use crate::HostError;

/// How hard to unmount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmount {
    /// Refused while somebody uses it.
    Clean,
    /// Vanishes at once, ends when the last user is gone.
    Lazy,
}

/// A process that uses a mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its id.
    pub pid: u32,
    /// Its name.
    pub name: String,
}

/// Unmounts a path.
///
/// # Errors
/// Always: nothing is mounted, since this version mounts no volumes on Windows.
pub fn unmount(path: &Path, _how: Unmount) -> Result<(), HostError> {
    Err(HostError::new(format!(
        "no volume is mounted at {}",
        path.display()
    )))
}

/// Who uses what is mounted at a path: nobody.
pub fn holders(_path: &Path) -> Vec<Holder> {
    Vec::new()
}
