//! SETATTR.

use moorage_model::{Ino, Result as Done, Timestamp};
use moorage_vfs::SetAttrRequest;
use nfs3_types::nfs3::{Nfs3Result, SETATTR3res, SETATTR3resfail, SETATTR3resok, nfsstat3};

use crate::attributes::{read_changes, read_time, time};
use crate::caller::Identity;
use crate::server::Server;
use crate::status::by_handle;
use crate::xdr::{Garbage, Reader};

pub(super) async fn setattr(
    server: &Server,
    by: &Identity,
    mut of: Reader<'_>,
) -> Result<SETATTR3res, Garbage> {
    let handle = of.handle()?;
    let changes = read_changes(&mut of)?;
    let guard = of.optional(read_time)?;
    let node = match server.node(handle) {
        Ok(node) => node,
        Err(status) => return Ok(Nfs3Result::Err((status, SETATTR3resfail::default()))),
    };
    let changed = change_unless(server, by, node, changes, guard).await;
    let obj_wcc = server.changed(node).await;
    Ok(match changed {
        Ok(()) => Nfs3Result::Ok(SETATTR3resok { obj_wcc }),
        Err(status) => Nfs3Result::Err((status, SETATTR3resfail { obj_wcc })),
    })
}

/// Changes attributes durably, unless they were changed since the time of change that the client knows.
async fn change_unless(
    server: &Server,
    by: &Identity,
    node: Ino,
    changes: SetAttrRequest,
    guard: Option<Timestamp>,
) -> Result<(), nfsstat3> {
    let failed = |error| by_handle("setattr", &error);
    if let Some(known) = guard {
        let found = server.vfs.getattr(node).await.map_err(failed)?;
        if time(found.attr.ctime) != time(known) {
            return Err(nfsstat3::NFS3ERR_NOT_SYNC);
        }
    }
    change(server, by, node, changes).await.map_err(failed)?;
    server.settle().await.map_err(failed)
}

/// Changes attributes. A length is set through a handle of the caller, which a program that has the file open has as well.
pub(super) async fn change(server: &Server, by: &Identity, node: Ino, changes: SetAttrRequest) -> Done<()> {
    let file = match changes.size {
        Some(_) => Some(server.files.get(by, node, true).await?),
        None => None,
    };
    let handle = file.as_ref().map(|file| file.handle);
    let changed = server.vfs.setattr(&by.caller(), node, handle, changes).await;
    if let Err(error) = &changed {
        server.files.forget_useless(node, error);
    }
    changed.map(drop)
}
