//! The door through the driver's real library, without the driver: requests are made as the driver makes them, and handed
//! to the library's own operations.
#![cfg(windows)]
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod driver;
mod fixture;
mod folders;
mod letters;
mod links;
mod points;
mod stand_in;
mod traces;

mod files;
