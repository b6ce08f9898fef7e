//! Synchronisation: one-way copies between any two of a local folder, an object store and a volume, and pairs of folders
//! that are kept the same.
//!
//! [`Side`] is the contract of an end, [`copy`] the one-way copy, [`pair`] the engine of pairs. Listings come in one order and are merged as they come,
//! so that trees of any size fit memory. A file is written under a temporary name and renamed when it is whole.

mod address;
pub mod copy;
mod disk;
mod entry;
mod filter;
pub mod pair;
mod path;
mod side;
mod sides;

pub use address::{Address, Bucket, Transport};
pub use entry::{Entry, Kind, Permissions, Version};
pub use filter::{Filter, Verdict};
pub use path::{LONGEST_PATH_BYTES, RelativePath, listing_order};
pub use side::{
    Abilities, Finish, Links, ListOptions, Listed, Listing, PIECE_BYTES, Replaces, Side, Sink, Source,
};
pub use sides::FolderSide;
pub use sides::{MissingRoot, ObjectSide, Tag, VolumeSide};
