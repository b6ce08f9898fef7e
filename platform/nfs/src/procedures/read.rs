//! READ.

use moorage_model::{Attr, Ino, Result as Done};
use nfs3_types::nfs3::{Nfs3Option, Nfs3Result, READ3res, READ3resfail, READ3resok, ftype3, nfsstat3};
use nfs3_types::xdr_codec::Opaque;

use super::volume::MOST_DATA_BYTES;
use crate::caller::Identity;
use crate::server::Server;
use crate::status::by_handle;
use crate::xdr::{Garbage, Reader};

pub(super) async fn read(
    server: &Server,
    by: &Identity,
    mut of: Reader<'_>,
) -> Result<READ3res<'static>, Garbage> {
    let (handle, offset, count) = (of.handle()?, of.u64()?, of.u32()?);
    let node = match server.node(handle) {
        Ok(node) => node,
        Err(status) => return Ok(Nfs3Result::Err((status, READ3resfail::default()))),
    };
    Ok(match content(server, by, node, offset, count).await {
        Ok((data, attr)) => {
            let end = offset.saturating_add(data.len() as u64);
            Nfs3Result::Ok(READ3resok {
                file_attributes: server.shown_after(node, &attr),
                // No longer than what was asked for, which 32 bits can say.
                count: data.len() as u32,
                eof: end >= attr.length,
                data: Opaque::owned(data),
            })
        }
        Err(error) => {
            server.files.forget_useless(node, &error);
            let file_attributes = server.after(node).await;
            let status = match &file_attributes {
                Nfs3Option::Some(attr) if attr.type_ == ftype3::NF3DIR => nfsstat3::NFS3ERR_ISDIR,
                _ => by_handle("read", &error),
            };
            Nfs3Result::Err((status, READ3resfail { file_attributes }))
        }
    })
}

async fn content(
    server: &Server,
    by: &Identity,
    node: Ino,
    offset: u64,
    count: u32,
) -> Done<(Vec<u8>, Attr)> {
    let file = server.files.get(by, node, false).await?;
    let mut data = vec![0; count.min(MOST_DATA_BYTES) as usize];
    let length = server.vfs.read(file.handle, offset, &mut data).await?;
    data.truncate(length);
    let known = server.vfs.open_attributes(file.handle)?;
    Ok((data, known.attr))
}
