//! The JSON documents of a dump, one file per kind: what the members are called and which are left out
//! (spec 80-dump section 1).

mod acl;
mod attr;
mod chunk;
mod counters;
mod quota;
mod unlinked;
mod xattr;

pub(super) use acl::AclDocument;
pub(super) use attr::AttrDocument;
pub(super) use chunk::ChunkDocument;
pub(super) use counters::CountersDocument;
pub(super) use quota::QuotaDocument;
pub(super) use unlinked::{DeletedFileDocument, SustainedDocument};
pub(super) use xattr::XattrDocument;

/// Whether a number is left out.
fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
