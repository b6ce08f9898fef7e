//! open and create.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use moorage_meta::{Context, MAY_READ, OpenFlags as MetaFlags};
use moorage_model::{Attr, ErrorKind, Ino, NodeType, Result};
use parking_lot::Mutex;

use super::MOST_LOOKS;
use crate::file::{OpenFile, Told};
use crate::handles::{Opened, OpenedFile};
use crate::internal::InternalNode;
use crate::journal::Operation;
use crate::{Caller, EntryReply, NewNode, OpenFlags, OpenReply, Vfs};

impl Vfs {
    /// Opens a file; every success needs one [`Vfs::release`]. Attributes are read afresh, so that what another client
    /// closed before is seen (close-to-open); `keep_cache` only when the content is what this client knows already.
    ///
    /// One engine read; two more round trips with `truncate`, which waits until what was written before is stored. Two
    /// short locks and two allocations.
    ///
    /// # Errors
    /// `NotFound`, `AccessDenied`, `NotPermitted`, `IsDirectory`, `ReadOnly`; `Stale` for a file that another client moved
    /// to the trash, when it was not looked up there; a caller that looks the name up again after that gets what it found,
    /// even if that was replaced as well.
    ///
    /// # Cancel safety
    /// A dropped future leaves no handle; the file may have been truncated.
    pub async fn open(&self, caller: &Caller, ino: Ino, flags: OpenFlags) -> Result<OpenReply> {
        self.watch(
            Operation::Open,
            Some(caller),
            || format!("{ino},{flags:?}"),
            async {
                let ino = self.stored(ino);
                match InternalNode::of(ino) {
                    Some(node) => self.open_internal(caller, node, flags),
                    None => self.open_known(caller, ino, flags).await,
                }
            },
        )
        .await
    }

    /// Makes a file and opens it; an existing one is opened unless `flags.exclusive`.
    ///
    /// One transaction for a new file; opening an existing one costs what [`Vfs::open`] costs besides.
    ///
    /// # Errors
    /// As [`Vfs::mknod`] and [`Vfs::open`].
    ///
    /// # Cancel safety
    /// A dropped future leaves no handle; the file may have been made, or truncated.
    pub async fn create(
        &self,
        caller: &Caller,
        parent: Ino,
        name: &[u8],
        node: NewNode,
        flags: OpenFlags,
    ) -> Result<(EntryReply, OpenReply)> {
        let arguments = || format!("{parent},{},{node:?},{flags:?}", String::from_utf8_lossy(name));
        self.watch(Operation::Create, Some(caller), arguments, async {
            let internal = self.internal_at(self.stored(parent), name);
            if let (Some(node), false) = (internal, flags.exclusive) {
                let opened = self.open_internal(caller, node, flags)?;
                return Ok((self.internal_entry(node), opened));
            }
            let (parent, name) = self.place(parent, name)?;
            let context = self.context_for_mode(caller, node.mode);
            let mut looks = 0;
            let found = loop {
                looks += 1;
                let made =
                    self.meta
                        .create_or_open(&context, parent, &name, node.mode, node.umask, flags.exclusive);
                let found = self.settled(made).await?;
                if found.created {
                    break found;
                }
                check_openable(&found.attr)?;
                match self.open_stored(&context, found.ino, flags, true).await {
                    Err(error) if error.kind() == ErrorKind::NotFound && looks < MOST_LOOKS => {}
                    opened => {
                        let (attr, opened) = opened?;
                        return Ok((self.entry_at(parent, &name, found.ino, attr), opened));
                    }
                }
            };
            let (file, _) = self.files.acquire(found.ino, &found.attr);
            file.content_mut().foreign_change = false;
            let reply = self.handed_out(file, flags, context.pid, false);
            Ok((self.entry_at(parent, &name, found.ino, found.attr), reply))
        })
        .await
    }

    /// Opens a node that the door knows by a name.
    async fn open_known(&self, caller: &Caller, ino: Ino, flags: OpenFlags) -> Result<OpenReply> {
        let found_again = self.opens_what_it_found(caller, ino);
        let opened = self
            .open_stored(&self.context(caller), ino, flags, found_again.is_some())
            .await;
        if let Err(error) = &opened
            && matches!(error.kind(), ErrorKind::Stale | ErrorKind::NotFound)
        {
            self.note_refused_open(caller, ino);
        }
        opened.map(|(_, reply)| reply)
    }

    /// `found_by_name`: the caller's name led to the node a moment ago, so also one that has lost the name since.
    async fn open_stored(
        &self,
        context: &Context,
        ino: Ino,
        flags: OpenFlags,
        found_by_name: bool,
    ) -> Result<(Attr, OpenReply)> {
        let writes = flags.write || flags.append || flags.truncate;
        if writes {
            self.check_writable()?;
        }
        let known = self.files.known(ino);
        // A truncation is ordered behind what was written before, and keeps later writes waiting.
        let turn = match &known {
            Some((file, _)) if flags.truncate => {
                let turn = file.turn().await;
                file.store_and_commit(self).await?;
                Some(turn)
            }
            _ => None,
        };
        if let Some((file, _)) = &known
            && self.trusts_cached_attributes(file, flags)
        {
            let attr = file.content().attr.clone();
            self.meta.check_access(context, &attr, MAY_READ).await?;
            if self.meta.note_open(ino) {
                let (file, _) = self.files.acquire(ino, &attr);
                let shown = file.content().shown();
                return Ok((shown, self.handed_out(file, flags, context.pid, true)));
            }
        }
        let asked_at = known.as_ref().map(|(file, _)| file.content().generation);
        let how = MetaFlags {
            read: flags.read,
            write: flags.write,
            append: flags.append,
            truncate: flags.truncate,
            found_by_name,
        };
        let asked = self.asked();
        let opened = self.meta.open_file(context, ino, how).await;
        let attr = self.unless_replaced(ino, opened).await?;
        if !found_by_name && self.has_lost_its_name(ino, &attr) {
            self.meta.close_file(ino).await?;
            return Err(ErrorKind::Stale.into());
        }
        let (file, made) = self.files.acquire(ino, &attr);
        let (shown, keep_cache) = {
            let mut content = file.content_mut();
            if flags.truncate && !made {
                content.rewritten(attr);
            } else if let Some(generation) = asked_at {
                content.refreshed(&attr, generation);
            }
            let keep_cache = !content.foreign_change && !flags.truncate;
            content.foreign_change = false;
            (content.shown(), keep_cache)
        };
        self.show_at_open(ino, &shown);
        // A change that was told before the file was known here.
        self.answered(asked);
        drop(turn);
        let reply = self.handed_out(file, flags, context.pid, keep_cache);
        Ok((shown, reply))
    }

    /// Whether an open may do without the engine: for reading, soon after the last look, when the options give up
    /// close-to-open for that time.
    fn trusts_cached_attributes(&self, file: &OpenFile, flags: OpenFlags) -> bool {
        let reads_only = !flags.write && !flags.append && !flags.truncate;
        let content = file.content();
        let lifetime = self.lifetime(self.options.open_cache);
        reads_only && !content.foreign_change && !lifetime.is_zero() && content.is_fresh(lifetime)
    }

    fn handed_out(&self, file: Arc<OpenFile>, flags: OpenFlags, process: u32, keep_cache: bool) -> OpenReply {
        let told = Told::at_open(&file.content().losses);
        let handle = self.handles.add(Opened::File(Arc::new(OpenedFile {
            told,
            file,
            flags,
            process,
            bytes_read: AtomicU64::new(0),
            readahead: Mutex::default(),
            record_owners: Mutex::default(),
            file_owners: Mutex::default(),
        })));
        OpenReply {
            handle,
            keep_cache,
            direct_io: false,
        }
    }
}

/// Whether a node found instead of the file to be made can be opened by this layer; pipes, sockets and devices are
/// the kernel's.
fn check_openable(attr: &Attr) -> Result<()> {
    match attr.kind {
        NodeType::File => Ok(()),
        NodeType::Directory => Err(ErrorKind::IsDirectory.into()),
        _ => Err(ErrorKind::Exists.into()),
    }
}
