//! The server as a client of another make sees it, over real connections.
#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod data;
mod fixture;
mod listings;
mod names;
mod permissions;
mod restart;
