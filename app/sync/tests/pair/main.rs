//! Pairs of folders: modes, conflicts, crashes, edits at any moment.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "../copy/fixture.rs"]
#[allow(dead_code, reason = "each test binary uses a part")]
mod fixture;
mod guard;
mod modes;
mod property;
mod real;
mod simulated;
mod watch;
mod world;
