//! Who asks.

use std::fmt;
use std::sync::Arc;

use moorage_model::{Gid, Uid};

/// Supplementary groups of a caller. Finding them may cost more than the request, so they are asked for only when a
/// rule needs them.
#[derive(Clone)]
pub enum Groups {
    /// Known already; the primary group need not be among them.
    Known(Arc<[Gid]>),
    /// To be asked for by process id.
    Of(fn(pid: u32) -> Arc<[Gid]>),
}

impl fmt::Debug for Groups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Groups::Known(groups) => f.debug_tuple("Known").field(groups).finish(),
            Groups::Of(_) => f.write_str("Of(..)"),
        }
    }
}

/// The process behind a request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// User.
    pub uid: Uid,
    /// Primary group.
    pub gid: Gid,
    /// Process (the thread, where the kernel names it).
    pub pid: u32,
    /// Supplementary groups.
    pub groups: Groups,
}

impl Caller {
    /// The superuser without groups: tests and the process itself.
    pub fn root() -> Caller {
        Caller {
            uid: Uid::ROOT,
            gid: Gid(0),
            pid: 0,
            groups: Groups::Known(Arc::from([])),
        }
    }
}
