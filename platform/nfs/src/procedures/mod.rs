//! The requests of NFS version 3 (RFC 1813 section 3.3).

mod access;
mod commit;
mod create;
mod getattr;
mod link;
mod listing;
mod lookup;
mod made;
mod mkdir;
mod mknod;
mod read;
mod readdir;
mod readdirplus;
mod readlink;
mod remove;
mod rename;
mod setattr;
mod symlink;
mod volume;
mod write;

use bytes::Bytes;
use nfs3_types::nfs3::NFS_PROGRAM as Procedure;
use nfs3_types::xdr_codec::Void;

use crate::caller::Identity;
use crate::rpc;
use crate::server::Server;
use crate::xdr::{Garbage, Reader};

/// A request and who sent it.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) xid: u32,
    pub(crate) identity: Identity,
    pub(crate) arguments: Reader<'a>,
}

/// Whether carrying a request out twice is not the same as once.
pub(crate) fn changes(procedure: Procedure) -> bool {
    match procedure {
        Procedure::NFSPROC3_SETATTR
        | Procedure::NFSPROC3_WRITE
        | Procedure::NFSPROC3_CREATE
        | Procedure::NFSPROC3_MKDIR
        | Procedure::NFSPROC3_SYMLINK
        | Procedure::NFSPROC3_MKNOD
        | Procedure::NFSPROC3_REMOVE
        | Procedure::NFSPROC3_RMDIR
        | Procedure::NFSPROC3_RENAME
        | Procedure::NFSPROC3_LINK => true,
        Procedure::NFSPROC3_NULL
        | Procedure::NFSPROC3_GETATTR
        | Procedure::NFSPROC3_LOOKUP
        | Procedure::NFSPROC3_ACCESS
        | Procedure::NFSPROC3_READLINK
        | Procedure::NFSPROC3_READ
        | Procedure::NFSPROC3_READDIR
        | Procedure::NFSPROC3_READDIRPLUS
        | Procedure::NFSPROC3_FSSTAT
        | Procedure::NFSPROC3_FSINFO
        | Procedure::NFSPROC3_PATHCONF
        | Procedure::NFSPROC3_COMMIT => false,
    }
}

/// Carries a request out and writes its answer.
///
/// # Errors
/// When the request is not what the procedure takes.
pub(crate) async fn carry_out(
    server: &Server,
    procedure: Procedure,
    asked: Asked<'_>,
) -> Result<Bytes, Garbage> {
    let Asked {
        xid,
        identity: by,
        arguments: of,
    } = asked;
    Ok(match procedure {
        Procedure::NFSPROC3_NULL => rpc::answered(xid, &Void),
        Procedure::NFSPROC3_GETATTR => rpc::answered(xid, &getattr::getattr(server, of).await?),
        Procedure::NFSPROC3_SETATTR => rpc::answered(xid, &setattr::setattr(server, &by, of).await?),
        Procedure::NFSPROC3_LOOKUP => rpc::answered(xid, &lookup::lookup(server, &by, of).await?),
        Procedure::NFSPROC3_ACCESS => rpc::answered(xid, &access::access(server, &by, of).await?),
        Procedure::NFSPROC3_READLINK => rpc::answered(xid, &readlink::readlink(server, of).await?),
        Procedure::NFSPROC3_READ => rpc::answered(xid, &read::read(server, &by, of).await?),
        Procedure::NFSPROC3_WRITE => rpc::answered(xid, &write::write(server, &by, of).await?),
        Procedure::NFSPROC3_CREATE => rpc::answered(xid, &create::create(server, &by, of).await?),
        Procedure::NFSPROC3_MKDIR => rpc::answered(xid, &mkdir::mkdir(server, &by, of).await?),
        Procedure::NFSPROC3_SYMLINK => rpc::answered(xid, &symlink::symlink(server, &by, of).await?),
        Procedure::NFSPROC3_MKNOD => rpc::answered(xid, &mknod::mknod(server, &by, of).await?),
        Procedure::NFSPROC3_REMOVE => rpc::answered(xid, &remove::remove(server, &by, of).await?),
        Procedure::NFSPROC3_RMDIR => rpc::answered(xid, &remove::rmdir(server, &by, of).await?),
        Procedure::NFSPROC3_RENAME => rpc::answered(xid, &rename::rename(server, &by, of).await?),
        Procedure::NFSPROC3_LINK => rpc::answered(xid, &link::link(server, &by, of).await?),
        Procedure::NFSPROC3_READDIR => rpc::answered(xid, &readdir::readdir(server, &by, of).await?),
        Procedure::NFSPROC3_READDIRPLUS => {
            rpc::answered(xid, &readdirplus::readdirplus(server, &by, of).await?)
        }
        Procedure::NFSPROC3_FSSTAT => rpc::answered(xid, &volume::fsstat(server, of).await?),
        Procedure::NFSPROC3_FSINFO => rpc::answered(xid, &volume::fsinfo(server, of).await?),
        Procedure::NFSPROC3_PATHCONF => rpc::answered(xid, &volume::pathconf(server, of).await?),
        Procedure::NFSPROC3_COMMIT => rpc::answered(xid, &commit::commit(server, of).await?),
    })
}
