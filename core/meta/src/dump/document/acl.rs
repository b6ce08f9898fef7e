//! `posix_acl_access` and `posix_acl_default`.

use moorage_model::{ACL_UNSET, AclEntry, AclRule};
use serde::{Deserialize, Serialize};

/// An ACL; 65535 in a field is "not given", and an empty list is null.
#[derive(Debug, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::dump) struct AclDocument {
    owner: u16,
    group: u16,
    other: u16,
    mask: u16,
    users: Option<Vec<AclEntryDocument>>,
    groups: Option<Vec<AclEntryDocument>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct AclEntryDocument {
    id: u32,
    perm: u16,
}

impl Default for AclDocument {
    fn default() -> Self {
        AclDocument {
            owner: ACL_UNSET,
            group: ACL_UNSET,
            other: ACL_UNSET,
            mask: ACL_UNSET,
            users: None,
            groups: None,
        }
    }
}

impl From<&AclRule> for AclDocument {
    fn from(rule: &AclRule) -> AclDocument {
        let list = |entries: &[AclEntry]| {
            let documents = entries.iter().map(|entry| AclEntryDocument {
                id: entry.id,
                perm: entry.permissions,
            });
            (!entries.is_empty()).then(|| documents.collect())
        };
        AclDocument {
            owner: rule.owner,
            group: rule.group,
            other: rule.other,
            mask: rule.mask,
            users: list(&rule.users),
            groups: list(&rule.groups),
        }
    }
}

impl From<AclDocument> for AclRule {
    fn from(document: AclDocument) -> AclRule {
        let list = |documents: Option<Vec<AclEntryDocument>>| {
            documents
                .unwrap_or_default()
                .into_iter()
                .map(|entry| AclEntry {
                    id: entry.id,
                    permissions: entry.perm,
                })
                .collect()
        };
        AclRule {
            owner: document.owner,
            group: document.group,
            mask: document.mask,
            other: document.other,
            users: list(document.users),
            groups: list(document.groups),
        }
    }
}
