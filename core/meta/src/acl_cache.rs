//! ACL rules that this client knows.

use std::collections::HashMap;
use std::sync::Arc;

use moorage_model::{AclId, AclRule, Error, ErrorKind, Result};
use parking_lot::RwLock;

use crate::{Key, Meta, Read, Record, Scan, Txn, TxnExt as _};

/// Rules read per page at start.
const ACL_PAGE: usize = 1000;

#[derive(Debug, Default)]
struct Known {
    by_id: HashMap<AclId, Arc<AclRule>>,
    by_rule: HashMap<Arc<AclRule>, AclId>,
    /// All rules up to this id have been looked for.
    loaded: AclId,
}

/// Rules by id and ids by rule. Rules are never changed or deleted (spec 20-model section 10), so nothing expires.
#[derive(Debug, Default)]
pub(crate) struct AclCache(RwLock<Known>);

impl AclCache {
    /// Remembers a committed rule.
    pub(crate) fn note(&self, id: AclId, rule: AclRule) {
        let rule = Arc::new(rule);
        let mut known = self.0.write();
        known.by_rule.entry(Arc::clone(&rule)).or_insert(id);
        known.by_id.insert(id, rule);
    }

    fn rule(&self, id: AclId) -> Option<Arc<AclRule>> {
        self.0.read().by_id.get(&id).cloned()
    }

    fn id(&self, rule: &AclRule) -> Option<AclId> {
        self.0.read().by_rule.get(rule).copied()
    }

    fn loaded(&self) -> AclId {
        self.0.read().loaded
    }

    fn note_loaded(&self, id: AclId) {
        let mut known = self.0.write();
        known.loaded = known.loaded.max(id);
    }
}

impl Meta {
    /// Loads all rules when the volume has ACLs, as a session does at its start. Rules that can not be read are logged.
    pub(crate) async fn load_acls(&self) -> Result<()> {
        if self.setting.read().enable_acl {
            self.load_new_acls().await
        } else {
            Ok(())
        }
    }

    /// Loads the rules that were stored since the last time. Committed ones only: a rule of a transaction that may
    /// still fail must not be found.
    async fn load_new_acls(&self) -> Result<()> {
        let loaded = self.caches.acls.loaded();
        let mut after = (loaded != AclId(0)).then_some(Key::Acl(loaded));
        loop {
            let page = self.engine.survey(&Scan::Acls, after.as_ref(), ACL_PAGE).await?;
            after = page.next;
            for found in page.damaged {
                // Files that it belongs to can not be used, all others can.
                tracing::error!(error = %found.error, "an ACL rule can not be read");
                if let Some(Key::Acl(id)) = found.key {
                    self.caches.acls.note_loaded(id);
                }
            }
            for (key, record) in page.items {
                if let (Key::Acl(id), Record::Acl(rule)) = (key, record) {
                    self.caches.acls.note(id, rule);
                    self.caches.acls.note_loaded(id);
                }
            }
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// The rule of an id that an attribute names; read when it is not known yet.
    ///
    /// # Errors
    /// `Corrupt` when no rule has this id.
    pub(crate) async fn acl_rule(&self, reader: &(impl Read + ?Sized), id: AclId) -> Result<Arc<AclRule>> {
        if let Some(rule) = self.caches.acls.rule(id) {
            return Ok(rule);
        }
        let rule = reader.get(&[Key::Acl(id)]).await?.acl()?.ok_or_else(|| {
            Error::new(ErrorKind::Corrupt, format!("ACL rule {id} is missing"))
                .with_advice("Set the ACL of the file anew.")
        })?;
        self.caches.acls.note(id, rule.clone());
        Ok(Arc::new(rule))
    }

    /// The id of a rule: that of an equal one of any client, else a new one. Two clients may make equal rules at the
    /// same time, which harms nobody.
    pub(crate) async fn acl_id(&self, txn: &mut dyn Txn, rule: &AclRule) -> Result<AclId> {
        if let Some(id) = self.caches.acls.id(rule) {
            return Ok(id);
        }
        self.load_new_acls().await?;
        match self.caches.acls.id(rule) {
            Some(id) => Ok(id),
            None => txn.insert_acl(rule).await,
        }
    }
}
