//! The nodes of a mount that are never stored: `.accesslog`, `.control`, `.stats`, `.config`, and the face of the
//! trash (spec 70-semantics section 13).

mod config;
mod node;
mod open;
mod stats;

pub(crate) use node::InternalNode;
pub use node::refusal_in_root;
pub(crate) use open::OpenInternal;
