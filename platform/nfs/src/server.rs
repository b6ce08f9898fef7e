//! What serves one mount.

use std::sync::Arc;

use bytes::Bytes;
use moorage_model::{Attr, Error, Ino};
use moorage_vfs::Vfs;
use nfs3_types::nfs3::{Nfs3Option, fattr3, nfs_fh3, nfsstat3, post_op_attr, wcc_data};
use nfs3_types::rpc::{accept_stat_data, auth_stat};
use nfs3_types::{mount, nfs3};
use tokio::runtime::Handle;

use crate::answered::AnsweredCalls;
use crate::arguments::RawHandle;
use crate::attributes::fattr;
use crate::export::Export;
use crate::files::Files;
use crate::listings::Listings;
use crate::rpc::{self, Call, Unread};
use crate::status::{by_handle, status};
use crate::verifier::WriteVerifier;
use crate::{mount_protocol, procedures};

/// A volume as the protocol shows it.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) vfs: Arc<Vfs>,
    pub(crate) export: Export,
    pub(crate) files: Files,
    pub(crate) listings: Listings,
    pub(crate) verifier: Arc<WriteVerifier>,
    answered: AnsweredCalls,
    fsid: u64,
}

impl Server {
    /// `fsid` tells the volume from others that a client mounts.
    pub(crate) fn new(vfs: &Arc<Vfs>, export: Export, fsid: u64, runtime: &Handle) -> Server {
        let verifier = Arc::new(WriteVerifier::new());
        Server {
            vfs: Arc::clone(vfs),
            export,
            files: Files::new(Arc::clone(vfs), runtime.clone(), Arc::clone(&verifier)),
            listings: Listings::new(Arc::clone(vfs), runtime.clone()),
            verifier,
            answered: AnsweredCalls::default(),
            fsid,
        }
    }

    /// Carries out a request; `None` for what is none.
    ///
    /// # Cancel safety
    /// Not safe: a request has to be run to its end.
    pub(crate) async fn answer(&self, message: &[u8]) -> Option<Bytes> {
        let call = match Call::read(message) {
            Ok(call) => call,
            Err(Unread::Refused(answer)) => return Some(answer),
            Err(Unread::NoCall) => return None,
        };
        Some(match call.program {
            mount::PROGRAM => mount_protocol::answer(&self.export, call),
            nfs3::PROGRAM => self.answer_nfs(call, message).await,
            _ => rpc::refused(call.xid, accept_stat_data::PROG_UNAVAIL),
        })
    }

    async fn answer_nfs(&self, call: Call<'_>, message: &[u8]) -> Bytes {
        if call.version != nfs3::VERSION {
            let (low, high) = (nfs3::VERSION, nfs3::VERSION);
            return rpc::refused(call.xid, accept_stat_data::PROG_MISMATCH { low, high });
        }
        let Ok(procedure) = nfs3::NFS_PROGRAM::try_from(call.procedure) else {
            return rpc::refused(call.xid, accept_stat_data::PROC_UNAVAIL);
        };
        if procedure == nfs3::NFS_PROGRAM::NFSPROC3_NULL {
            return rpc::answered(call.xid, &nfs3_types::xdr_codec::Void);
        }
        let Some(credential) = call.credential else {
            return rpc::unauthenticated(call.xid, auth_stat::AUTH_TOOWEAK);
        };
        let carried_out = async {
            let asked = procedures::Asked {
                xid: call.xid,
                identity: credential.into(),
                arguments: call.arguments,
            };
            // Apart: as large as the largest of all requests.
            match Box::pin(procedures::carry_out(self, procedure, asked)).await {
                Ok(answer) => answer,
                Err(_) => rpc::refused(call.xid, accept_stat_data::GARBAGE_ARGS),
            }
        };
        if !procedures::changes(procedure) {
            return carried_out.await;
        }
        let answer = self.answered.of(call.xid, message);
        answer.get_or_init(|| carried_out).await.clone()
    }

    /// The node of a file handle.
    pub(crate) fn node(&self, handle: RawHandle<'_>) -> Result<Ino, nfsstat3> {
        self.export.node(handle.0)
    }

    pub(crate) fn handle(&self, ino: Ino) -> Nfs3Option<nfs_fh3> {
        Nfs3Option::Some(self.export.handle(ino))
    }

    pub(crate) fn shown(&self, ino: Ino, attr: &Attr) -> fattr3 {
        fattr(self.fsid, ino, attr)
    }

    pub(crate) fn shown_after(&self, ino: Ino, attr: &Attr) -> post_op_attr {
        Nfs3Option::Some(self.shown(ino, attr))
    }

    /// Attributes behind a request, as far as they can be had.
    pub(crate) async fn after(&self, ino: Ino) -> post_op_attr {
        match self.vfs.getattr(ino).await {
            Ok(found) => self.shown_after(found.ino, &found.attr),
            Err(_) => Nfs3Option::None,
        }
    }

    /// As [`Server::after`], for requests that change something. What was before is not told: it would have to be known that
    /// nobody else changed anything in between.
    pub(crate) async fn changed(&self, ino: Ino) -> wcc_data {
        wcc_data {
            before: Nfs3Option::None,
            after: self.after(ino).await,
        }
    }

    /// The attributes of a directory behind a request that failed there, and the status: a directory that is gone is
    /// stale, while a name that is not in it is missing.
    pub(crate) async fn failed_in(
        &self,
        directory: Ino,
        request: &'static str,
        error: &Error,
    ) -> (nfsstat3, post_op_attr) {
        match (status(request, error), self.vfs.getattr(directory).await) {
            (nfsstat3::NFS3ERR_NOENT, Err(gone)) => (by_handle(request, &gone), Nfs3Option::None),
            (status, Ok(found)) => (status, self.shown_after(found.ino, &found.attr)),
            (status, Err(_)) => (status, Nfs3Option::None),
        }
    }

    /// Returns when every change that was made until now survives power loss: the protocol promises that of each request that
    /// changes something, but for writes that say otherwise.
    pub(crate) async fn settle(&self) -> Result<(), Error> {
        self.vfs.meta().make_durable().await
    }
}
