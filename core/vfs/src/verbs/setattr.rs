//! setattr.

use moorage_meta::{Context, SetAttr, SetTime as MetaTime};
use moorage_model::{Attr, Flags, Ino, Result};

use crate::file::AttributeChange;
use crate::identity::SETGID;
use crate::internal::InternalNode;
use crate::journal::Operation;
use crate::{AttrReply, Caller, FileHandle, SetAttrRequest, SetTime, Vfs};

impl Vfs {
    /// Changes attributes. A size truncates or extends, ordered against the writes of this client; with a handle that
    /// is open for writing no permission is asked. Content written before is stored first when its time or the size
    /// changes, so that what is set here stays. The change time is always now.
    ///
    /// One transaction, also for a time that follows content; two when a size does.
    ///
    /// On internal nodes it succeeds without effect (spec 70-semantics section 13).
    ///
    /// # Errors
    /// `NotFound`, `NotPermitted`, `AccessDenied`, `FileTooLarge`, `IsDirectory`, `ReadOnly`, and what storing written
    /// content answers; `Stale` as [`Vfs::open`].
    pub async fn setattr(
        &self,
        caller: &Caller,
        ino: Ino,
        handle: Option<FileHandle>,
        request: SetAttrRequest,
    ) -> Result<AttrReply> {
        let arguments = || format!("{ino},{request:?}");
        self.watch(Operation::SetAttr, Some(caller), arguments, async {
            let ino = self.stored(ino);
            if let Some(node) = InternalNode::of(ino) {
                return Ok(self.attributes(ino, self.internal_attr(node)));
            }
            self.check_writable()?;
            let by_handle = handle.is_some_and(|handle| self.handles.writable(handle).is_ok());
            let change = translated(&request, by_handle);
            let membership = request.mode.is_some_and(|mode| mode & SETGID != 0)
                || request.uid.is_some()
                || request.gid.is_some();
            let context = if membership {
                self.context_with_groups(caller)
            } else {
                self.context(caller)
            };
            if let Some(flags) = request.flags {
                self.meta.set_flags(&context, ino, flags, Flags(u8::MAX)).await?;
            }
            let attr = if change == SetAttr::default() {
                self.fresh_attr(ino).await?
            } else {
                let changed = self.change_attributes(&context, ino, change).await;
                self.unless_replaced(ino, changed).await?
            };
            Ok(self.attributes(ino, attr))
        })
        .await
    }

    async fn change_attributes(&self, context: &Context, ino: Ino, change: SetAttr) -> Result<Attr> {
        let Some(file) = self.files.get(ino) else {
            return self.meta.setattr(context, ino, change).await;
        };
        if change.size.is_none() && change.mtime.is_none() {
            let generation = file.content().generation;
            let attr = self.meta.setattr(context, ino, change).await?;
            file.content_mut().refreshed(&attr, generation);
            return Ok(file.content().shown());
        }
        let _turn = file.turn().await;
        let with = AttributeChange { context, change };
        let with = change.size.is_none().then_some(&with);
        if file.store_and_commit_with(self, with).await? {
            return Ok(file.content().shown());
        }
        let attr = self.meta.setattr(context, ino, change).await?;
        let mut content = file.content_mut();
        content.retimed(attr, change.size.is_some());
        Ok(content.shown())
    }
}

fn translated(request: &SetAttrRequest, by_handle: bool) -> SetAttr {
    let time = |time: Option<SetTime>| {
        time.map(|time| match time {
            SetTime::Now => MetaTime::Now,
            SetTime::At(instant) => MetaTime::At(instant),
        })
    };
    SetAttr {
        mode: request.mode,
        uid: request.uid,
        gid: request.gid,
        size: request.size,
        size_by_handle: request.size.is_some() && by_handle,
        atime: time(request.atime),
        mtime: time(request.mtime),
        tier: None,
    }
}
