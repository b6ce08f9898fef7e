//! The session of a client: its record, its heartbeat, and cleaning up after dead ones (spec 70-semantics section 1).

mod clean;
mod heartbeat;
mod register;
