//! Who asks, from a request's header.

use std::sync::Arc;

use fuser::Request;
use moorage_model::{Gid, Uid};
use moorage_vfs::{Caller, Groups};

pub(crate) fn caller(request: &Request) -> Caller {
    Caller {
        uid: Uid(request.uid()),
        gid: Gid(request.gid()),
        pid: request.pid(),
        groups: Groups::Of(groups_of),
    }
}

/// The kernel names the calling thread, but not its groups.
fn groups_of(thread: u32) -> Arc<[Gid]> {
    moorage_host::supplementary_groups(thread)
        .into_iter()
        .map(Gid)
        .collect()
}
