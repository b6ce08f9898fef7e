//! Between this program and the agent of its user: the connection of a client, and what the agent knows of mounts.

mod link;
mod mounts;
#[cfg_attr(windows, path = "windows/presence.rs")]
mod presence;
mod problem;
mod words;

pub(crate) use link::{connect, find, watch_until};
pub(crate) use mounts::OwnMounts;
pub(crate) use problem::{error_of, problem_of};
pub(crate) use words::{rule_in_words, truth_in_words};
