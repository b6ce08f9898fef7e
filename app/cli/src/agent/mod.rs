//! Between this program and the agent of its user: the connection of a client, and what the agent knows of mounts.

#[cfg(unix)]
mod link;
#[cfg(unix)]
mod mounts;
mod problem;
#[cfg(unix)]
mod words;

#[cfg(unix)]
pub(crate) use link::{connect, find, watch_until};
#[cfg(unix)]
pub(crate) use mounts::OwnMounts;
#[cfg(unix)]
pub(crate) use problem::error_of;
pub(crate) use problem::problem_of;
#[cfg(unix)]
pub(crate) use words::truth_in_words;
