//! Extended attributes, ACLs, locks and quotas: claims that hold on every engine, and what JuiceFS answers.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "claims; a broken one panics"
)]

mod acls;
mod fixture;
mod gated;
mod interrupted_locks;
mod lock_model;
mod locks;
mod quota_checks;
mod quotas;
mod usage_model;
mod volume;
mod xattrs;
