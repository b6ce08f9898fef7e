//! Push invalidation: two clients whose caches promise the kernel an hour, in memory and on real servers. A place where
//! a server is not installed is left out with a loud line.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod claims;
mod memory;
mod pair;
mod postgres;
#[path = "../../../engines/tests/postgres_server/mod.rs"]
mod postgres_server;
mod redis;
#[path = "../../../engines/tests/redis_server/mod.rs"]
mod redis_server;
#[path = "../volume/mod.rs"]
mod volume;
