//! Opens that met a file which is gone, or has lost its name.
//!
//! The door's system looks the name up once more and opens what it finds, both inside of the caller's one system call
//! (Linux, `do_filp_open`: `ESTALE`). Nobody looks a third time, so what was found then is kept until it is open, however
//! fast others replace the file.

use std::sync::Arc;
use std::time::Duration;

use moorage_meta::HeldFile;
use moorage_model::{Attr, ErrorKind, Ino, Name, Result};

use super::MOST_LOOKS;
use crate::{Caller, Vfs};

/// What the kernel says of a caller that has no process here.
const UNKNOWN_PID: u32 = 0;
/// Time for which a file is kept for a caller that found it: its open follows at once, or never.
const KEPT_FOR_OPEN: Duration = Duration::from_secs(1);

/// An open that met a node which is gone, or has lost its name.
#[derive(Clone, Debug)]
pub(crate) struct RefusedOpen {
    ino: Ino,
    /// What the caller found when it looked the name up again.
    found: Option<Arc<HeldFile>>,
}

impl Vfs {
    /// Notes that a caller's open met a node that is gone, or has lost its name.
    pub(super) fn note_refused_open(&self, caller: &Caller, ino: Ino) {
        if caller.pid != UNKNOWN_PID {
            let refused = RefusedOpen { ino, found: None };
            self.refused_opens.insert(caller.pid, refused);
        }
    }

    /// The node behind a name. A file that is found by a caller whose open was refused just before is kept for its next
    /// one: one more read then.
    pub(super) async fn look_up(&self, caller: &Caller, parent: Ino, name: &Name) -> Result<(Ino, Attr)> {
        let context = self.context(caller);
        let mut looks = 0;
        loop {
            looks += 1;
            let (ino, attr) = self.meta.lookup(&context, parent, name).await?;
            match self.keep_for_open(caller, ino, &attr).await {
                Err(error) if error.kind() == ErrorKind::NotFound && looks < MOST_LOOKS => {}
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => return Ok((ino, attr)),
            }
        }
    }

    async fn keep_for_open(&self, caller: &Caller, ino: Ino, attr: &Attr) -> Result<()> {
        let Some(refused) = self.refused_opens.get(&caller.pid) else {
            return Ok(());
        };
        if !attr.is_file() {
            return Ok(());
        }
        let held = Arc::new(self.meta.hold_file(ino).await?);
        let (vfs, pid, kept) = (self.this.clone(), caller.pid, Arc::downgrade(&held));
        let found = Some(held);
        self.refused_opens.insert(pid, RefusedOpen { found, ..refused });
        self.runtime.spawn(async move {
            tokio::time::sleep(KEPT_FOR_OPEN).await;
            if let (Some(vfs), Some(kept)) = (vfs.upgrade(), kept.upgrade()) {
                let is_kept = |refused: &RefusedOpen| {
                    let found = refused.found.as_ref();
                    found.is_some_and(|found| Arc::ptr_eq(found, &kept))
                };
                vfs.refused_opens.remove_if(&pid, is_kept);
            }
        });
        Ok(())
    }

    /// Says of a caller's open that it is the second of one system call, and may have a node without its name: the one that
    /// the name meant when it was looked up in between, which is kept as long as what is returned here; or, when no name
    /// was looked up, the one that the caller has open already (Linux, `/proc/self/fd`).
    pub(super) fn opens_what_it_found(&self, caller: &Caller, ino: Ino) -> Option<RefusedOpen> {
        let (_, refused) = self.refused_opens.remove(&caller.pid)?;
        let is_second = match &refused.found {
            Some(found) => found.ino() == ino,
            None => refused.ino == ino && self.files.get(ino).is_some_and(|file| file.is_open()),
        };
        is_second.then_some(refused)
    }
}
