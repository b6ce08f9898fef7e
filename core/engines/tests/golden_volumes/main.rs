//! Volumes written by JuiceFS 1.4.1, read through the namespace and compared with what JuiceFS showed of them.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod changed;
mod dumps;
mod layout;
mod mysql;
#[path = "../mysql_server/mod.rs"]
mod mysql_server;
mod postgres;
#[path = "../postgres_server/mod.rs"]
mod postgres_server;
mod redis;
#[path = "../redis_server/mod.rs"]
mod redis_server;
mod rows;
mod settings;
mod shown;
mod slices;
#[cfg(unix)]
mod tikv;
#[cfg(unix)]
#[path = "../tikv_server/mod.rs"]
#[allow(dead_code, reason = "not every program uses all of it")]
mod tikv_server;
mod tree;
mod volume;
