//! READDIR.

use nfs3_types::nfs3::{
    Nfs3Result, READDIR3res, READDIR3resfail, READDIR3resok, cookieverf3, dirlist3, entry3,
};

use super::listing::{Wanted, part};
use crate::caller::Identity;
use crate::server::Server;
use crate::xdr::{Garbage, Reader};

/// The verifier of cookies says nothing: they hold in every listing.
pub(super) async fn readdir(
    server: &Server,
    by: &Identity,
    mut of: Reader<'_>,
) -> Result<READDIR3res<'static>, Garbage> {
    let (handle, cookie) = (of.handle()?, of.u64()?);
    of.u64()?;
    let most_bytes = of.u32()?;
    let directory = match server.node(handle) {
        Ok(directory) => directory,
        Err(status) => return Ok(Nfs3Result::Err((status, READDIR3resfail::default()))),
    };
    let wanted = Wanted {
        directory,
        cookie,
        most_bytes,
    };
    let listed = part(server, by, wanted, false, |item, cookie| entry3 {
        fileid: item.ino.0,
        name: item.name.to_vec().into(),
        cookie,
    });
    let listed = listed.await;
    let dir_attributes = server.after(directory).await;
    Ok(match listed {
        Ok(part) => Nfs3Result::Ok(READDIR3resok {
            dir_attributes,
            cookieverf: cookieverf3::default(),
            reply: dirlist3 {
                entries: part.entries,
                eof: part.is_last,
            },
        }),
        Err(status) => Nfs3Result::Err((status, READDIR3resfail { dir_attributes })),
    })
}
