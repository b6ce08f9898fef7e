//! The protocol by which a client gets the file handle of the root (RFC 1813 appendix I).

use bytes::Bytes;
use moorage_model::Ino;
use nfs3_types::mount::{
    MNTPATHLEN, MOUNT_PROGRAM, VERSION, exports, fhandle3, mountlist, mountres3, mountres3_ok, mountstat3,
};
use nfs3_types::rpc::{accept_stat_data, auth_flavor};
use nfs3_types::xdr_codec::Void;

use crate::export::Export;
use crate::rpc::{self, Call};

/// Answers a request. Mounts are not counted and nothing is listed: the path is a secret.
pub(crate) fn answer(export: &Export, mut call: Call<'_>) -> Bytes {
    if call.version != VERSION {
        return rpc::refused(
            call.xid,
            accept_stat_data::PROG_MISMATCH {
                low: VERSION,
                high: VERSION,
            },
        );
    }
    let Ok(procedure) = MOUNT_PROGRAM::try_from(call.procedure) else {
        return rpc::refused(call.xid, accept_stat_data::PROC_UNAVAIL);
    };
    match procedure {
        MOUNT_PROGRAM::MOUNTPROC3_NULL
        | MOUNT_PROGRAM::MOUNTPROC3_UMNT
        | MOUNT_PROGRAM::MOUNTPROC3_UMNTALL => rpc::answered(call.xid, &Void),
        MOUNT_PROGRAM::MOUNTPROC3_DUMP => rpc::answered(call.xid, &mountlist::default()),
        MOUNT_PROGRAM::MOUNTPROC3_EXPORT => rpc::answered(call.xid, &exports::default()),
        MOUNT_PROGRAM::MOUNTPROC3_MNT => match call.arguments.opaque(MNTPATHLEN) {
            Ok(path) => rpc::answered(call.xid, &root(export, path)),
            Err(_) => rpc::refused(call.xid, accept_stat_data::GARBAGE_ARGS),
        },
    }
}

fn root(export: &Export, path: &[u8]) -> mountres3<'static> {
    if !export.admits(path) {
        return mountres3::Err(mountstat3::MNT3ERR_ACCES);
    }
    mountres3::Ok(mountres3_ok {
        fhandle: fhandle3(export.handle(Ino::ROOT).data),
        auth_flavors: vec![auth_flavor::AUTH_UNIX as u32],
    })
}
