//! The one-way copy.
//!
//! Both listings are read once, in one order, and merged: what is decided about a name needs its two entries and nothing
//! else ([`decide`]). So memory does not grow with the trees, and nothing is deleted before the other side has shown that
//! it does not have it.

pub(crate) mod compare;
mod decide;
mod doomed;
mod folders;
pub(crate) mod merge;
mod options;
mod report;
mod run;
mod transfer;

pub use compare::Digest;
pub use decide::{Step, decide};
pub use options::{Checks, CopyOptions, Deletions, Selection};
pub use report::{Action, Failure, Observer, Report};
pub use run::copy;
