//! The connection to the agent.

mod link;
mod seen;
mod start;
#[cfg(test)]
mod tests;

pub(crate) use link::{Link, Place, keep};
pub(crate) use seen::{Heard, Seen, Transfers};
pub(crate) use start::Program;
