//! Opens that met a file which is gone, or has lost its name.
//!
//! The door's system looks the name up once more and opens what it finds, both inside of the caller's one system call
//! (Linux, `do_filp_open`: `ESTALE`). Nobody looks a third time, so what was found then is kept until it is open, however
//! fast others replace the file.

use std::sync::Arc;
use std::time::Duration;

use moorage_meta::HeldFile;
use moorage_model::{Attr, ErrorKind, Ino, Name, NodeType, Result};
use tokio::time::Instant;

use super::MOST_LOOKS;
use crate::{Caller, Vfs};

/// What the kernel says of a caller that has no process here.
const UNKNOWN_PID: u32 = 0;
/// How long after a refused open its second half may follow, and how long a file that was found is kept for it: all of it
/// is one system call.
const ONE_CALL: Duration = Duration::from_secs(1);

/// An open that met a node which is gone, or has lost its name.
#[derive(Clone, Debug)]
pub(crate) struct RefusedOpen {
    ino: Ino,
    at: Instant,
    /// Directory and name at the end of the path, once the caller looked it up again; Linux may do so twice.
    name: Option<(Ino, Name)>,
    /// What it found there.
    found: Option<Arc<HeldFile>>,
}

impl RefusedOpen {
    /// Whether a look-up of this name may be part of the system call.
    fn is_about(&self, parent: Ino, name: &Name) -> bool {
        let known = self.name.as_ref();
        known.is_none_or(|(directory, known)| *directory == parent && known == name)
    }
}

impl Vfs {
    /// Notes that a caller's open met a node that is gone, or has lost its name.
    pub(super) fn note_refused_open(&self, caller: &Caller, ino: Ino) {
        if caller.pid != UNKNOWN_PID {
            let refused = RefusedOpen {
                ino,
                at: Instant::now(),
                name: None,
                found: None,
            };
            self.refused_opens.insert(caller.pid, refused);
        }
    }

    /// The open of this caller that was refused a moment ago, in the same system call as far as that can be told.
    fn refused_just_now(&self, caller: &Caller) -> Option<RefusedOpen> {
        let refused = self.refused_opens.get(&caller.pid)?;
        if refused.at.elapsed() < ONE_CALL {
            return Some(refused);
        }
        self.refused_opens.remove(&caller.pid);
        None
    }

    /// The node behind a name. A file that is found by a caller whose open was refused just before is kept for its next
    /// one: one more read then. A look-up of another name ends what was noted of the open.
    pub(super) async fn look_up(&self, caller: &Caller, parent: Ino, name: &Name) -> Result<(Ino, Attr)> {
        let context = self.context(caller);
        let refused = self.refused_just_now(caller);
        let mut looks = 0;
        loop {
            looks += 1;
            let found = self.meta.lookup(&context, parent, name).await;
            let Some(refused) = &refused else { return found };
            match &found {
                // On the way to the end of the path.
                Ok((_, attr)) if attr.is_directory() || attr.kind == NodeType::Symlink => return found,
                _ if !refused.is_about(parent, name) => {
                    self.refused_opens.remove(&caller.pid);
                    return found;
                }
                Ok((ino, _)) => match self.meta.hold_file(*ino).await {
                    Ok(held) => self.keep_for_open(caller, refused, (parent, name.clone()), held),
                    Err(error) if error.kind() == ErrorKind::NotFound => {
                        if looks < MOST_LOOKS {
                            continue;
                        }
                        // Gone each time: its open will say so.
                    }
                    Err(error) => return Err(error),
                },
                Err(_) => {
                    let refused = RefusedOpen {
                        name: Some((parent, name.clone())),
                        found: None,
                        ..refused.clone()
                    };
                    self.refused_opens.insert(caller.pid, refused);
                }
            }
            return found;
        }
    }

    fn keep_for_open(&self, caller: &Caller, refused: &RefusedOpen, name: (Ino, Name), held: HeldFile) {
        let held = Arc::new(held);
        let (vfs, pid, kept) = (self.this.clone(), caller.pid, Arc::downgrade(&held));
        let refused = RefusedOpen {
            name: Some(name),
            found: Some(held),
            ..refused.clone()
        };
        self.refused_opens.insert(pid, refused);
        self.runtime.spawn(async move {
            tokio::time::sleep(ONE_CALL).await;
            if let (Some(vfs), Some(kept)) = (vfs.upgrade(), kept.upgrade()) {
                let is_kept = |refused: &RefusedOpen| {
                    let found = refused.found.as_ref();
                    found.is_some_and(|found| Arc::ptr_eq(found, &kept))
                };
                vfs.refused_opens.remove_if(&pid, is_kept);
            }
        });
    }

    /// Says of a caller's open that it is the second of one system call, and may have a node without its name: the one that
    /// the name meant when it was looked up in between, which is kept as long as what is returned here; or, when no name
    /// was looked up, the one that the caller has open already (Linux, `/proc/self/fd`).
    pub(super) fn opens_what_it_found(&self, caller: &Caller, ino: Ino) -> Option<RefusedOpen> {
        let refused = self.refused_just_now(caller)?;
        self.refused_opens.remove(&caller.pid);
        let is_second = match &refused.found {
            Some(found) => found.ino() == ino,
            None => {
                refused.name.is_none()
                    && refused.ino == ino
                    && self.files.get(ino).is_some_and(|file| file.is_open())
            }
        };
        is_second.then_some(refused)
    }
}
