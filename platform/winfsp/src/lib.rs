//! The door for Windows: translates requests of the driver WinFsp into operations of [`moorage_vfs::Vfs`], and nothing
//! else.
//!
//! The driver's threads wait for each operation; most are ready at once. Elsewhere than on Windows this crate is empty.
#![cfg(windows)]

mod backend;
mod change;
mod context;
mod data;
#[cfg(target_env = "gnu")]
mod delay_load;
mod directory;
mod door;
mod file_system;
mod information;
mod library;
mod link;
mod names;
mod open;
mod security;
mod status;

pub use backend::{StopMount, WinFspBackend, WinFspOptions, WinFspSession};
