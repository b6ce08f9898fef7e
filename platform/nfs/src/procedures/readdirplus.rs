//! READDIRPLUS.

use nfs3_types::nfs3::{
    Nfs3Option, Nfs3Result, READDIRPLUS3res, READDIRPLUS3resfail, READDIRPLUS3resok, cookieverf3,
    dirlistplus3, entryplus3,
};

use super::listing::{Wanted, part};
use crate::caller::Identity;
use crate::server::Server;
use crate::xdr::{Garbage, Reader};

/// Of the two limits of an answer the one on all of it counts; the other one, on names, is smaller than what it leaves.
pub(super) async fn readdirplus(
    server: &Server,
    by: &Identity,
    mut of: Reader<'_>,
) -> Result<READDIRPLUS3res<'static>, Garbage> {
    let (handle, cookie) = (of.handle()?, of.u64()?);
    let _verifier_and_names: (u64, u32) = (of.u64()?, of.u32()?);
    let most_bytes = of.u32()?;
    let directory = match server.node(handle) {
        Ok(directory) => directory,
        Err(status) => return Ok(Nfs3Result::Err((status, READDIRPLUS3resfail::default()))),
    };
    let wanted = Wanted {
        directory,
        cookie,
        most_bytes,
    };
    let listed = part(server, by, wanted, true, |item, cookie| {
        let (name_attributes, name_handle) = match &item.entry {
            Some(entry) => (
                server.shown_after(entry.ino, &entry.attr),
                server.handle(entry.ino),
            ),
            None => (Nfs3Option::None, Nfs3Option::None),
        };
        entryplus3 {
            fileid: item.ino.0,
            name: item.name.to_vec().into(),
            cookie,
            name_attributes,
            name_handle,
        }
    });
    let listed = listed.await;
    let dir_attributes = server.after(directory).await;
    Ok(match listed {
        Ok(part) => Nfs3Result::Ok(READDIRPLUS3resok {
            dir_attributes,
            cookieverf: cookieverf3::default(),
            reply: dirlistplus3 {
                entries: part.entries,
                eof: part.is_last,
            },
        }),
        Err(status) => Nfs3Result::Err((status, READDIRPLUS3resfail { dir_attributes })),
    })
}
