//! One line of the mount table.

use std::path::PathBuf;

/// One mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountEntry {
    /// Where.
    pub point: PathBuf,
    /// Type, such as `nfs`; on Linux with subtype, such as `fuse.moorage`.
    pub kind: String,
    /// What is mounted, as the mounter called it.
    pub source: String,
    /// User that made it, where that is told: on Linux of a FUSE mount.
    pub owner: Option<u32>,
    /// Nothing can be changed through it.
    pub read_only: bool,
}

impl MountEntry {
    /// Whether it is a FUSE mount of any kind.
    pub fn is_fuse(&self) -> bool {
        let of_macos = matches!(self.kind.as_str(), "macfuse" | "osxfuse");
        self.kind == "fuse" || self.kind.starts_with("fuse.") || of_macos
    }

    /// Whether another user made this mount, and this process may neither end it nor know its database. The superuser
    /// may.
    pub fn is_of_another_user(&self) -> bool {
        let user = nix::unistd::geteuid();
        !user.is_root() && self.owner.is_some_and(|owner| owner != user.as_raw())
    }
}
