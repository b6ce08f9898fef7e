//! From a caller to the identity that the namespace judges.

use std::sync::Arc;

use moorage_meta::Context;
use moorage_model::{Gid, Uid};

use crate::{Caller, Groups, Squash, Vfs};

/// Set-group-id bit of a mode.
pub(crate) const SETGID: u16 = 0o2000;

impl Vfs {
    /// The identity of a caller for a verb that asks for groups only to check permissions.
    pub(crate) fn context(&self, caller: &Caller) -> Context {
        self.identity(caller, self.options.check_permissions)
    }

    /// The identity of a caller for a verb with rules about membership, such as those of the set-group-id bit.
    pub(crate) fn context_with_groups(&self, caller: &Caller) -> Context {
        self.identity(caller, true)
    }

    fn identity(&self, caller: &Caller, with_groups: bool) -> Context {
        let (uid, gid) = match self.options.squash {
            Squash::None => (caller.uid, caller.gid),
            Squash::Root(uid, gid) if caller.uid == Uid::ROOT => (uid, gid),
            Squash::Root(..) => (caller.uid, caller.gid),
            Squash::All(uid, gid) => (uid, gid),
        };
        // The groups of somebody whose identity is replaced are not his any more; the superuser needs none.
        let replaced = (uid, gid) != (caller.uid, caller.gid);
        let groups: Arc<[Gid]> = match &caller.groups {
            _ if replaced || uid == Uid::ROOT || !with_groups => Arc::default(),
            Groups::Known(groups) => Arc::clone(groups),
            Groups::Of(ask) => ask(caller.pid),
        };
        Context {
            uid,
            gid,
            groups,
            pid: caller.pid,
            check_permission: self.options.check_permissions,
        }
    }
}
