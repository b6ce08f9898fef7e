//! What a door can ask for: one file per verb or small family (spec 70-semantics).

mod access;
mod directory;
mod find_entry;
mod flags;
mod flush;
mod getattr;
mod locks;
mod lookup;
mod make;
mod open;
mod range;
mod read;
mod readlink;
mod remove;
mod rename;
mod seek;
mod setattr;
mod statfs;
mod trashed;
mod write;
mod xattr;

pub(crate) use trashed::RefusedOpen;
