//! Private servers of metadata and of objects, for programs that mount volumes: the benchmark and the stages of the tests.

mod database;
mod engines;
mod objects;

pub use database::{Database, Durability, Kind, Place};
pub use objects::Objects;
