//! The state of a file that all its handles share: what is written and not committed, what is known of its content.

mod commit;
mod content;
mod doubts;
mod gone;
mod losses;
mod open_file;
mod open_files;
mod pending;
mod plan;
mod read;
mod readahead;
mod refused;
mod room;
mod settle;
mod write;

pub(crate) use commit::AttributeChange;
pub(crate) use losses::Told;
pub(crate) use open_file::OpenFile;
pub(crate) use open_files::OpenFiles;
pub(crate) use readahead::Readahead;
