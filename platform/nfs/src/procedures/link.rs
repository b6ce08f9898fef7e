//! LINK.

use nfs3_types::nfs3::{LINK3res, LINK3resfail, LINK3resok, Nfs3Result, nfsstat3, post_op_attr, wcc_data};

use crate::caller::Identity;
use crate::server::Server;
use crate::xdr::{Garbage, Reader};

pub(super) async fn link(server: &Server, by: &Identity, mut of: Reader<'_>) -> Result<LINK3res, Garbage> {
    let (file, place) = (of.handle()?, of.place()?);
    let nodes = server
        .node(file)
        .and_then(|file| Ok((file, server.node(place.directory)?)));
    let (file, directory) = match nodes {
        Ok(nodes) => nodes,
        Err(status) => return Ok(failed(status, post_op_attr::None, wcc_data::default())),
    };
    let linked = server.vfs.link(&by.caller(), file, directory, place.name).await;
    let settled = match linked {
        Ok(linked) => server.settle().await.map(|()| linked),
        Err(error) => Err(error),
    };
    Ok(match settled {
        Ok(linked) => Nfs3Result::Ok(LINK3resok {
            file_attributes: server.shown_after(linked.ino, &linked.attr),
            linkdir_wcc: server.changed(directory).await,
        }),
        Err(error) => {
            let (status, after) = server.failed_in(directory, "link", &error).await;
            // The name to be made can not be what is missing, so the file is.
            let status = match status {
                nfsstat3::NFS3ERR_NOENT => nfsstat3::NFS3ERR_STALE,
                status => status,
            };
            let linkdir_wcc = wcc_data {
                after,
                ..wcc_data::default()
            };
            failed(status, server.after(file).await, linkdir_wcc)
        }
    })
}

fn failed(status: nfsstat3, file_attributes: post_op_attr, linkdir_wcc: wcc_data) -> LINK3res {
    let failed = LINK3resfail {
        file_attributes,
        linkdir_wcc,
    };
    Nfs3Result::Err((status, failed))
}
