//! The private servers of the engines' tests.

#![expect(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "written for tests, which fail by panicking; only a part is needed here"
)]

#[path = "../../../core/engines/tests/mysql_server/mod.rs"]
pub(crate) mod mysql_server;
#[path = "../../../core/engines/tests/postgres_server/mod.rs"]
pub(crate) mod postgres_server;
#[path = "../../../core/engines/tests/redis_server/mod.rs"]
pub(crate) mod redis_server;
