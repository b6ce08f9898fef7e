//! Nodes that another client moved to the trash while a door holds the name that they had.
//!
//! Without a trash such a node is gone, and the door looks the name up once more. In the trash it is still there, so a
//! door would read a file that was replaced before, or refuse to write to it.

use moorage_model::{Attr, ErrorKind, Ino, Result};

use crate::{Caller, Vfs};

/// What the kernel says of a caller that has no process here.
const UNKNOWN_PID: u32 = 0;

/// An open that met a node which is gone, or has lost its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RefusedOpen {
    ino: Ino,
    /// What the caller found when it looked the name up again.
    found: Option<Ino>,
}

impl Vfs {
    /// Notes that a door is told of an entry of this directory, in case that it is one of the trash.
    pub(crate) fn note_told(&self, directory: Ino, ino: Ino) {
        if directory.is_trash() {
            self.told_in_trash.insert(ino, ());
        }
    }

    /// Whether a node, which a door asks for by its number, has lost the name that the door knows it by. One that is open
    /// here may be asked for without a name.
    pub(crate) fn has_lost_its_name(&self, ino: Ino, attr: &Attr) -> bool {
        self.is_nameless(ino, attr) && self.files.get(ino).is_none_or(|file| !file.is_open())
    }

    /// Whether a node is one of the trash that no door was told of there.
    fn is_nameless(&self, ino: Ino, attr: &Attr) -> bool {
        attr.in_trash() && self.told_in_trash.get(&ino).is_none()
    }

    /// Notes that a caller's open met a node that is gone, or has lost its name: the door's system looks the name up once
    /// more and opens what it finds, both inside of the caller's one system call (Linux, `do_filp_open`: `ESTALE`).
    pub(crate) fn note_refused_open(&self, caller: &Caller, ino: Ino) {
        if caller.pid != UNKNOWN_PID {
            let refused = RefusedOpen { ino, found: None };
            self.refused_opens.insert(caller.pid, refused);
        }
    }

    /// Notes what a caller found whose open was refused just before.
    pub(crate) fn note_found_again(&self, caller: &Caller, ino: Ino) {
        if let Some(refused) = self.refused_opens.get(&caller.pid) {
            let found = Some(ino);
            self.refused_opens
                .insert(caller.pid, RefusedOpen { found, ..refused });
        }
    }

    /// Whether a caller's open is the second of one system call, and may have a node without its name: the one that the
    /// name meant when it was looked up in between, since nobody looks a third time, however fast others replace the file;
    /// or, when no name was looked up, the one that the caller has open already (Linux, `/proc/self/fd`).
    pub(crate) fn opens_what_it_found(&self, caller: &Caller, ino: Ino) -> bool {
        let Some((_, refused)) = self.refused_opens.remove(&caller.pid) else {
            return false;
        };
        match refused.found {
            Some(found) => found == ino,
            None => refused.ino == ino && self.files.get(ino).is_some_and(|file| file.is_open()),
        }
    }

    /// Says of an open that was not permitted that the file lost its name before it, if so, also when others have it open
    /// here: the door's system finds what has the name now. One read then.
    pub(crate) async fn unless_replaced(&self, ino: Ino, opened: Result<Attr>) -> Result<Attr> {
        self.stale_where(ino, opened, Vfs::is_nameless).await
    }

    /// Says of a change that was not permitted that it was asked of a node without its name, if so. One read then.
    pub(crate) async fn unless_nameless<T>(&self, ino: Ino, changed: Result<T>) -> Result<T> {
        self.stale_where(ino, changed, Vfs::has_lost_its_name).await
    }

    /// Makes a refusal stale where the node is one of these.
    async fn stale_where<T>(
        &self,
        ino: Ino,
        asked: Result<T>,
        is_lost: fn(&Vfs, Ino, &Attr) -> bool,
    ) -> Result<T> {
        match asked {
            Err(error) if error.kind() == ErrorKind::NotPermitted => match self.meta.getattr(ino).await {
                Ok(attr) if is_lost(self, ino, &attr) => Err(ErrorKind::Stale.into()),
                _ => Err(error),
            },
            other => other,
        }
    }
}
