//! Work behind the verbs: removal of data, compaction, and the guarded jobs that clients of a volume share
//! (spec 70-semantics sections 2 to 4).

mod changelog;
mod compaction;
mod deletion;
mod file_data;
mod guard;
mod shared_jobs;
mod slices;

pub(crate) use compaction::Compactions;
pub(crate) use deletion::{Deletion, DeletionQueue};
