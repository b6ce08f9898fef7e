//! GETATTR.

use nfs3_types::nfs3::{GETATTR3res, GETATTR3resok, Nfs3Result};
use nfs3_types::xdr_codec::Void;

use crate::server::Server;
use crate::status::by_handle;
use crate::xdr::{Garbage, Reader};

pub(super) async fn getattr(server: &Server, mut of: Reader<'_>) -> Result<GETATTR3res, Garbage> {
    let node = match server.node(of.handle()?) {
        Ok(node) => node,
        Err(status) => return Ok(Nfs3Result::Err((status, Void))),
    };
    Ok(match server.vfs.getattr(node).await {
        Ok(found) => Nfs3Result::Ok(GETATTR3resok {
            obj_attributes: server.shown(found.ino, &found.attr),
        }),
        Err(error) => Nfs3Result::Err((by_handle("getattr", &error), Void)),
    })
}
