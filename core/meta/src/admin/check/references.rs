//! Records that nodes refer to, and records that contradict a node.

use std::collections::BTreeSet;

use moorage_model::{AclId, Attr, Result};

use super::namespace::Namespace;
use super::report::{Defect, Severity};
use crate::admin::{Pages, readable};
use crate::{Key, Record, Scan, TxnExt as _};

impl Namespace<'_> {
    /// Notes the ACL rules that a node refers to. There are few different ones: equal rules share an id.
    pub(super) fn note_acls(&mut self, attr: &Attr) {
        let ids = [attr.access_acl, attr.default_acl];
        self.acls.extend(ids.into_iter().filter(|id| id.0 != 0));
    }

    /// Whether every rule that a node refers to is there.
    pub(super) async fn check_acls(&mut self) -> Result<()> {
        let ids: BTreeSet<AclId> = std::mem::take(&mut self.acls);
        let keys: Vec<Key> = ids.iter().map(|id| Key::Acl(*id)).collect();
        // Damaged ones are named with the other records.
        let Some(mut rules) = readable(self.meta.engine.get(&keys).await)? else {
            return Ok(());
        };
        for id in ids {
            if rules.acl()?.is_none() {
                self.add(
                    Defect::MissingAcl,
                    Severity::Error,
                    format!("ACL rule {id}, which nodes refer to, does not exist; they can not be used"),
                    "Set the ACLs of the files that can not be opened again.",
                    None,
                );
            }
        }
        Ok(())
    }

    /// Deleted-file records of files that have a name: following them would remove live data.
    pub(super) async fn check_deleted_files(&mut self) -> Result<()> {
        let mut pages = Pages::new(Scan::DeletedFiles);
        while let Some(page) = pages.survey(self.meta).await? {
            for (key, record) in page.items {
                let (Key::DeletedFile(ino, length), Record::DeletedFile(_)) = (key, record) else {
                    continue;
                };
                if self.node_again(ino).await?.is_none() {
                    continue;
                }
                let repair = self.repair(self.meta.repair_deleted_record(ino, length)).await;
                self.add(
                    Defect::DeletedButPresent,
                    Severity::Warning,
                    format!("inode {ino} is recorded as deleted and still exists"),
                    "`fsck --repair` drops the record and keeps the file.",
                    Some(repair),
                );
            }
        }
        Ok(())
    }
}
