//! The kinds of ends.

mod folder;
mod objects;
mod sorted_page;
mod temporary;
mod volume;

pub use folder::FolderSide;
pub(crate) use folder::folder_identity;
pub use objects::ObjectSide;
pub use temporary::Tag;
pub(crate) use temporary::is_temporary;
pub use volume::VolumeSide;

/// What happens when the root of a side does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingRoot {
    /// It is an error.
    Refuse,
    /// It is made, with the folders above it.
    Make,
    /// It is taken for an empty one, by somebody who only looks.
    TakeAsEmpty,
}
