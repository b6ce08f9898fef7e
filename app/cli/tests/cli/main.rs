//! The `moorage` command as a user meets it: every test starts the program.
#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod administration;
mod dumps;
mod errors;
mod exit_codes;
mod following;
mod foreign_bucket;
mod fsck;
mod help;
mod making;
mod probe;
mod program;
mod reformat;
mod secrets;
/// The S3 server of the chunk store's own tests.
#[cfg(test)]
#[path = "../../../../core/chunk/tests/remote/server.rs"]
#[expect(dead_code, reason = "these tests need less of it")]
mod server;
mod sync;
mod trash;
