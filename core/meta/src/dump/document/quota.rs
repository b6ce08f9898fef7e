//! Members of `Quotas`, `UserQuotas` and `GroupQuotas`.

use moorage_model::Quota;
use serde::{Deserialize, Serialize};

/// The limits of a quota; -1 is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::dump) struct QuotaDocument {
    max_space: i64,
    max_inodes: i64,
}

impl Default for QuotaDocument {
    fn default() -> Self {
        QuotaDocument::from(&Quota::default())
    }
}

impl From<&Quota> for QuotaDocument {
    fn from(quota: &Quota) -> QuotaDocument {
        QuotaDocument {
            max_space: quota.max_space,
            max_inodes: quota.max_inodes,
        }
    }
}

impl QuotaDocument {
    /// Whether it limits anything.
    pub(in crate::dump) fn is_limit(self) -> bool {
        self.max_space > 0 || self.max_inodes > 0
    }

    /// The quota with what is used.
    pub(in crate::dump) fn with_usage(self, used_space: i64, used_inodes: i64) -> Quota {
        Quota {
            max_space: self.max_space,
            max_inodes: self.max_inodes,
            used_space,
            used_inodes,
        }
    }
}
