//! The agent: one process per user that knows the user's volumes, has each mounted by a process of its own, and tells
//! clients how they are.
//!
//! It never mounts in its own process: it starts `moorage mount --background`, whose supervisor brings a crashed mount
//! back by itself, and starts that anew when the supervisor is gone too. What is mounted is read from the system and from
//! the records of the mount processes ([`MountTable`]), again and again: so a mount outlives its agent, and the next agent
//! finds it. How a mount is doing it hears from the mount's process, over a socket outside of the mount (`reading`). What is done about a volume, and what is said of it, is decided in one pure place (`keeper`).

mod adding;
mod agent;
mod child;
mod claim;
mod condition;
mod connection_test;
mod document;
mod files;
mod followed;
mod format_command;
mod health;
mod host_events;
mod job;
mod keeper;
mod limits;
mod log;
mod login;
mod moment;
mod mount_command;
mod mounts;
mod options;
mod own_process;
mod pairs;
mod pause;
mod reading;
mod run;
mod secret_keeping;
mod secret_kind;
mod secret_store;
mod self_test;
mod service;
mod sessions;
mod settings_file;
mod sharing;
mod surroundings;
mod transfers;
mod trash;
mod trouble;
mod truth;
#[cfg_attr(windows, path = "windows/unmounting.rs")]
mod unmounting;
mod validity;
mod vault;
mod volume_check;
mod volume_command;
mod watch;

pub use mounts::{Journal, Look, MountTable, Sighting, Watched};
pub use run::{Options, run};
