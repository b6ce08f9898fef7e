//! The SQLite engine on its file: what a close leaves, the log, other programs, other releases' layouts, what is
//! refused, and how jobs share a transaction.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod closing;
mod coherence;
#[cfg(target_os = "linux")]
mod disk;
mod folder;
#[cfg(target_os = "linux")]
mod full_disk;
mod groups;
mod layouts;
mod log;

mod others;
#[cfg(target_os = "linux")]
mod read_only_disk;
mod refusals;
