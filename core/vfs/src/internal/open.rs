//! Open internal files.

use std::sync::Arc;

use bytes::Bytes;
use moorage_meta::{MAY_READ, MAY_WRITE};
use moorage_model::{ErrorKind, Result};

use super::{InternalNode, config, stats};
use crate::control::Exchange;
use crate::handles::Opened;
use crate::journal::AccessLog;
use crate::{Caller, OpenFlags, OpenReply, Vfs};

/// What a handle of an internal file reads and writes.
#[derive(Debug)]
pub(crate) enum OpenInternal {
    /// A text as it was at the open.
    Text(Bytes),
    /// The lines since the open.
    AccessLog(Arc<AccessLog>),
    /// Commands and their answers.
    Control(Exchange),
}

impl Vfs {
    /// Opens an internal file.
    ///
    /// # Errors
    /// `AccessDenied`; `IsDirectory` for the trash; `NotPermitted` for writing to what is only read.
    pub(crate) fn open_internal(
        &self,
        caller: &Caller,
        node: InternalNode,
        flags: OpenFlags,
    ) -> Result<OpenReply> {
        let writes = flags.write || flags.append || flags.truncate;
        if writes && node != InternalNode::Control {
            return Err(ErrorKind::NotPermitted.into());
        }
        if self.options.check_permissions {
            let mask = if flags.read { MAY_READ } else { 0 } | if writes { MAY_WRITE } else { 0 };
            self.check_internal(caller, node, mask)?;
        }
        let opened = match node {
            InternalNode::AccessLog => OpenInternal::AccessLog(self.journal.listen()),
            InternalNode::Control => OpenInternal::Control(Exchange::new(self.context_with_groups(caller))),
            InternalNode::Stats => OpenInternal::Text(stats::text(self).into()),
            InternalNode::Config => OpenInternal::Text(config::text(self).into()),
            InternalNode::Trash => return Err(ErrorKind::IsDirectory.into()),
        };
        Ok(OpenReply {
            handle: self.handles.add(Opened::Internal(Arc::new(opened))),
            keep_cache: false,
            direct_io: true,
        })
    }
}

impl OpenInternal {
    /// Reads: texts by offset, streams from where the last read ended.
    ///
    /// # Errors
    /// What a command answers comes as bytes, so none.
    pub(crate) async fn read(&self, vfs: &Vfs, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        match self {
            OpenInternal::Text(text) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX);
                let rest = text.get(start..).unwrap_or_default();
                let len = rest.len().min(buffer.len());
                for (to, from) in buffer.iter_mut().zip(rest) {
                    *to = *from;
                }
                Ok(len)
            }
            OpenInternal::AccessLog(log) => Ok(log.read(vfs, buffer).await),
            OpenInternal::Control(exchange) => Ok(exchange.read(buffer).await),
        }
    }

    /// Writes: to the command channel only.
    ///
    /// # Errors
    /// `NotPermitted` for other nodes; `InvalidArgument` for what is no command.
    pub(crate) fn write(&self, vfs: &Vfs, data: &[u8]) -> Result<usize> {
        match self {
            OpenInternal::Control(exchange) => exchange.write(vfs, data),
            OpenInternal::Text(_) | OpenInternal::AccessLog(_) => Err(ErrorKind::NotPermitted.into()),
        }
    }
}
