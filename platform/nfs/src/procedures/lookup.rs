//! LOOKUP.

use nfs3_types::nfs3::{LOOKUP3res, LOOKUP3resfail, LOOKUP3resok, Nfs3Result, post_op_attr};

use crate::caller::Identity;
use crate::server::Server;
use crate::xdr::{Garbage, Reader};

/// The attributes of the directory are told when the name is not there alone: they cost one more read.
pub(super) async fn lookup(
    server: &Server,
    by: &Identity,
    mut of: Reader<'_>,
) -> Result<LOOKUP3res, Garbage> {
    let place = of.place()?;
    let directory = match server.node(place.directory) {
        Ok(directory) => directory,
        Err(status) => return Ok(Nfs3Result::Err((status, LOOKUP3resfail::default()))),
    };
    Ok(
        match server.vfs.lookup(&by.caller(), directory, place.name).await {
            Ok(found) => Nfs3Result::Ok(LOOKUP3resok {
                object: server.export.handle(found.ino),
                obj_attributes: server.shown_after(found.ino, &found.attr),
                dir_attributes: post_op_attr::None,
            }),
            Err(error) => {
                let (status, dir_attributes) = server.failed_in(directory, "lookup", &error).await;
                Nfs3Result::Err((status, LOOKUP3resfail { dir_attributes }))
            }
        },
    )
}
