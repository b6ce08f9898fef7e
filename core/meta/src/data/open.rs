//! Opening a file: the checks that no later read or write repeats.

use moorage_model::{Attr, ErrorKind, Flags, Ino, Result};

use crate::open_files::{LastClose, Openable};
use crate::verbs::mode_after_write;
use crate::{AtimeMode, Context, Key, Meta, SetAttr, SetTime, TxnExt as _};

/// How a file is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenFlags {
    /// For reading.
    pub read: bool,
    /// For writing.
    pub write: bool,
    /// Every write goes to the end.
    pub append: bool,
    /// The content is dropped.
    pub truncate: bool,
    /// The caller found the file by its name a moment ago: that it went to the trash since does not refuse the open, as
    /// it would end none that is a moment older.
    pub found_by_name: bool,
}

impl OpenFlags {
    fn mask(self) -> u8 {
        u8::from(self.read) * 4 + u8::from(self.writes()) * 2
    }

    fn writes(self) -> bool {
        self.write || self.append || self.truncate
    }
}

/// Counts a handle from before the attributes are read, or the file is made, so that an unlink in this client keeps the
/// data of a file that is being opened; takes the count back unless the open succeeds.
pub(crate) struct Opening<'m> {
    meta: &'m Meta,
    ino: Ino,
    succeeded: bool,
}

impl<'m> Opening<'m> {
    /// Waits for the end of a removal of the node by this client that found no handle: afterwards the node is gone, or
    /// stays as long as the handle.
    ///
    /// # Errors
    /// `NotFound` when the node has no name and its last handle was closed.
    pub(crate) async fn begin(meta: &'m Meta, ino: Ino) -> Result<Opening<'m>> {
        let openable = meta.open_files.note_open(ino);
        if openable == Openable::Never {
            return Err(ErrorKind::NotFound.into());
        }
        let opening = Opening {
            meta,
            ino,
            succeeded: false,
        };
        if openable == Openable::AfterRemoval {
            meta.open_files.after_removals(ino).await;
        }
        Ok(opening)
    }

    /// Leaves the handle counted.
    pub(crate) fn succeed(mut self) {
        self.succeeded = true;
    }
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        if !self.succeeded {
            match self.meta.open_files.note_close(self.ino) {
                LastClose::Nothing => {}
                work => self.meta.finish_close_later(self.ino, work),
            }
        }
    }
}

impl Meta {
    /// Opens a file and returns its attributes read afresh (close-to-open). Every success needs one
    /// [`Meta::close_file`]; until then an unlink by this client keeps content and attributes.
    ///
    /// With `truncate` the length is 0 afterwards. The access time is updated as the client's options ask.
    ///
    /// # Errors
    /// `NotFound`; `AccessDenied` by mode or ACL; `NotPermitted` when writing to an immutable file, to one in the
    /// trash (unless it was just found), or to an append-only one without `append` or with `truncate`; `IsDirectory`
    /// when writing to a directory; `ReadOnly`.
    ///
    /// # Cancel safety
    /// Dropping the future leaves no handle counted.
    pub async fn open_file(&self, ctx: &Context, ino: Ino, flags: OpenFlags) -> Result<Attr> {
        if flags.writes() {
            self.check_writable()?;
        }
        let opening = Opening::begin(self, ino).await?;
        let mut attr = self
            .engine
            .get(&[Key::Node(ino)])
            .await?
            .node()?
            .ok_or(ErrorKind::NotFound)?;
        self.check_open(ctx, &attr, flags).await?;
        if flags.truncate && attr.is_file() {
            attr = self.empty(ctx, ino, attr, flags).await?;
        }
        if self.options.atime != AtimeMode::Never {
            attr = self.touch_atime(ino).await?.unwrap_or(attr);
        }
        opening.succeed();
        Ok(attr)
    }

    /// Drops the content, and with it the set-id bits unless root asks. The times of content become now, also of a
    /// file that is empty already, as POSIX asks of `O_TRUNC`. A file that was just found by its name may have gone to the
    /// trash since its attributes were read.
    async fn empty(&self, ctx: &Context, ino: Ino, attr: Attr, flags: OpenFlags) -> Result<Attr> {
        if attr.in_trash() {
            return self.empty_in_trash(ino, attr).await;
        }
        let mode = mode_after_write(ctx, &attr);
        let change = SetAttr {
            size: (attr.length > 0).then_some(0),
            size_by_handle: attr.length > 0,
            mtime: (attr.length == 0).then_some(SetTime::Now),
            mode: (mode != attr.mode).then_some(mode),
            ..SetAttr::default()
        };
        match self.setattr(&Context::root(), ino, change).await {
            Err(error) if error.kind() == ErrorKind::NotPermitted && flags.found_by_name => {
                let now = self.getattr(ino).await?;
                match now.in_trash() {
                    true => self.empty_in_trash(ino, now).await,
                    false => Err(error),
                }
            }
            emptied => emptied,
        }
    }

    async fn empty_in_trash(&self, ino: Ino, attr: Attr) -> Result<Attr> {
        match attr.length {
            0 => Ok(attr),
            _ => self.truncate_open(ino, 0).await,
        }
    }

    async fn check_open(&self, ctx: &Context, attr: &Attr, flags: OpenFlags) -> Result<()> {
        self.check_access(ctx, attr, flags.mask()).await?;
        if !flags.writes() {
            return Ok(());
        }
        if attr.is_directory() {
            return Err(ErrorKind::IsDirectory.into());
        }
        let in_trash = attr.in_trash() && !flags.found_by_name;
        let frozen = attr.flags.contains(Flags::IMMUTABLE) || in_trash;
        let append_only = attr.flags.contains(Flags::APPEND) && (!flags.append || flags.truncate);
        if frozen || append_only {
            Err(ErrorKind::NotPermitted.into())
        } else {
            Ok(())
        }
    }
}
