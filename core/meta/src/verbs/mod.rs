//! The namespace: one file per verb (spec 70-semantics sections 3, 5, 6, 8 to 12).
//!
//! A verb checks its arguments, runs one transaction, and does what follows from the commit. Names and semantics are
//! those of POSIX; where the format asks for another answer, the comment names the section.

mod access;
mod acl;
mod atime;
mod create;
mod flags;
mod getattr;
mod link;
mod lookup;
mod mkdir;
mod parent;
mod paths;
mod reach;
mod readdir;
mod readlink;
mod removal;
mod rename;
mod rename_plan;
mod resolve;
mod rmdir;
mod setattr;
mod setattr_rules;
mod statfs;
mod symlink;
mod unlink;
mod unlink_many;
mod xattr;
mod xattr_rules;

pub use create::{CreateNode, Created, Opened};
pub(crate) use parent::TRASH_ENTRY;
pub use paths::MAX_PATH_DEPTH;
pub use rename::RenameFlags;
pub(crate) use setattr::change_node;
pub use setattr::{SetAttr, SetTime};
pub(crate) use setattr_rules::mode_after_write;
pub use setattr_rules::without_set_id;
pub use statfs::StatFs;
pub use unlink::UnlinkOptions;
pub use xattr::XattrMode;
