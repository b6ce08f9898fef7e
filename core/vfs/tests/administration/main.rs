//! Administration of a volume on the memory and the SQLite engine, with its objects in memory.

mod clones;
mod consistency;
mod fixtures;
mod garbage;
mod removal;
mod settings;
mod summaries;
mod trash;
mod volume;
