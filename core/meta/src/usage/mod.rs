//! Quotas: their limits, and adding up what they count (spec 70-semantics section 8). Enforcing and counting as
//! operations go is in `accounting`.

mod above;
mod check;
mod owners;
mod quotas;
mod recount;
mod tree;

pub(crate) use above::QuotasAbove;
pub use check::{QuotaCheck, QuotaChecks};
pub use quotas::{QuotaLimits, QuotaList};
pub(crate) use recount::QuotaRecounts;
pub use tree::Counting;
pub(crate) use tree::SubtreeUsage;

/// What a quota counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes: lengths of files rounded up to 4096, and 4096 for everything else.
    pub space: i64,
    /// Number of nodes, in a directory quota of entries.
    pub inodes: i64,
}

impl Usage {
    pub(crate) fn add(&mut self, space: i64, inodes: i64) {
        self.space = self.space.saturating_add(space);
        self.inodes = self.inodes.saturating_add(inodes);
    }
}
