//! READLINK.

use nfs3_types::nfs3::{Nfs3Result, READLINK3res, READLINK3resfail, READLINK3resok};

use crate::server::Server;
use crate::status::by_handle;
use crate::xdr::{Garbage, Reader};

pub(super) async fn readlink(server: &Server, mut of: Reader<'_>) -> Result<READLINK3res<'static>, Garbage> {
    let node = match server.node(of.handle()?) {
        Ok(node) => node,
        Err(status) => return Ok(Nfs3Result::Err((status, READLINK3resfail::default()))),
    };
    let target = server.vfs.readlink(node).await;
    let symlink_attributes = server.after(node).await;
    Ok(match target {
        Ok(target) => Nfs3Result::Ok(READLINK3resok {
            symlink_attributes,
            data: target.into(),
        }),
        Err(error) => Nfs3Result::Err((
            by_handle("readlink", &error),
            READLINK3resfail { symlink_attributes },
        )),
    })
}
