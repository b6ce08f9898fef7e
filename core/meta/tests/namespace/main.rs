//! What the namespace promises, verb by verb, on the memory engine; the reference model also runs on SQLite,
//! Redis, PostgreSQL, MariaDB and TiKV.
//!
//! `obligations` holds one test per line of the list of what a writer owes the other clients of a volume.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper that fails is a test that fails"
)]

mod allocation;
mod check;
mod compaction;
mod content;
mod deletion;
mod dumps;
mod durability;
mod entries;
mod fixture;
mod impossible_dumps;
mod jobs;
mod model;
#[path = "../../../engines/tests/mysql_server/mod.rs"]
#[allow(dead_code, reason = "not every program uses all of it")]
mod mysql_server;
mod new_quotas;
mod obligations;
#[path = "../../../engines/tests/postgres_server/mod.rs"]
#[allow(dead_code, reason = "not every program uses all of it")]
mod postgres_server;
mod quotas_of_trees;
mod races;
#[path = "../../../engines/tests/redis_server/mod.rs"]
mod redis_server;
mod rename;
mod server_engine;
mod sessions;
mod setattr;
#[cfg(unix)]
#[path = "../../../engines/tests/tikv_server/mod.rs"]
#[allow(dead_code, reason = "not every program uses all of it")]
mod tikv_server;
mod trash;
