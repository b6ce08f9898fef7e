//! The `moorage` command as a user meets it: every test starts the program.
#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod administration;
mod dumps;
mod errors;
mod exit_codes;
mod foreign_bucket;
mod fsck;
mod help;
mod program;
mod reformat;
mod secrets;
mod sync;
