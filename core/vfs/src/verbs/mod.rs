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
mod refused_open;
mod remove;
mod rename;
mod seek;
mod setattr;
mod statfs;
mod trashed;
mod write;
mod xattr;

pub(crate) use refused_open::RefusedOpen;

/// Times that a verb looks at a name, when what it finds there is gone before it is open: each time somebody removed a
/// file just then. An entry without a node, in a damaged volume, is gone each time.
const MOST_LOOKS: usize = 20;
