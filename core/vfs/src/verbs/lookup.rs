//! lookup.

use moorage_model::{ErrorKind, Ino, Name, Result};

use crate::internal::InternalNode;
use crate::journal::Operation;
use crate::{Caller, EntryReply, Vfs};

impl Vfs {
    /// The node behind a name; `.` and `..` work too. Internal nodes are found in the root, and the command channel in
    /// every directory that has no entry of its name: that is where JuiceFS's commands look for it.
    ///
    /// One engine read, and one more for a node that is open here, whose length counts what its writers have not
    /// stored yet. Ready on the first poll where the engine is.
    ///
    /// # Errors
    /// `NotFound`, `NotDirectory`, `NameTooLong`, `InvalidArgument`, `AccessDenied`.
    pub async fn lookup(&self, caller: &Caller, parent: Ino, name: &[u8]) -> Result<EntryReply> {
        let arguments = || format!("{parent},{}", String::from_utf8_lossy(name));
        self.watch(Operation::Lookup, Some(caller), arguments, async {
            let parent = self.stored(parent);
            if let Some(node) = self.internal_at(parent, name) {
                return Ok(self.internal_entry(node));
            }
            if parent.is_internal() {
                return Err(ErrorKind::NotDirectory.into());
            }
            let name = Name::new(name)?;
            if parent == self.root && name.as_bytes() == b".." {
                let attr = self.fresh_attr(self.root).await?;
                return Ok(self.entry(self.root, attr));
            }
            let found = self.look_up(caller, parent, &name).await;
            let (ino, attr) = match found {
                Err(error) if error.kind() == ErrorKind::NotFound && self.is_control(&name) => {
                    return Ok(self.internal_entry(InternalNode::Control));
                }
                found => found?,
            };
            if ino == Ino::TRASH {
                return Ok(self.internal_entry(InternalNode::Trash));
            }
            self.note_told(parent, ino);
            let attr = match self.files.get(ino) {
                Some(_) => self.fresh_attr(ino).await?,
                None => attr,
            };
            Ok(self.entry_at(parent, &name, ino, attr))
        })
        .await
    }
}
