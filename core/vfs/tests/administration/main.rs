//! Administration of a volume on the memory and the SQLite engine, with its objects in memory.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod backups;
mod busy;
mod clones;
mod consistency;
mod contents;
mod damaged;
mod dying;
mod fixtures;
mod garbage;
mod kinds;
mod removal;
mod settings;
mod stranded;
mod summaries;
mod trash;
mod trash_entries;
mod twisted;
mod volume;
