//! How a mount is taken away, and who uses it.

/// How hard to unmount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmount {
    /// Refused while somebody uses it.
    Clean,
    /// Vanishes at once, ends when the last user is gone; macOS has no such thing, and refuses.
    Lazy,
    /// Vanishes at once and its users get errors.
    Force,
}

/// A process that uses a mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its id.
    pub pid: u32,
    /// Its name.
    pub name: String,
}
