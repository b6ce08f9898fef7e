//! Who asks.

use std::sync::Arc;

use moorage_model::{Gid, Uid};
use moorage_vfs::{Caller, Groups};

use crate::rpc::Credential;

/// A user with groups, to compare.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    pub(crate) uid: Uid,
    gid: Gid,
    groups: Arc<[Gid]>,
}

impl Identity {
    /// For the vfs; which process asks is not said.
    pub(crate) fn caller(&self) -> Caller {
        Caller {
            uid: self.uid,
            gid: self.gid,
            pid: 0,
            groups: Groups::Known(Arc::clone(&self.groups)),
        }
    }
}

impl From<Credential> for Identity {
    fn from(credential: Credential) -> Identity {
        Identity {
            uid: credential.uid,
            gid: credential.gid,
            groups: credential.groups.into(),
        }
    }
}
