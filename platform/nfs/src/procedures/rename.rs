//! RENAME.

use moorage_model::{Ino, Result as Done};
use moorage_vfs::RenameFlags;
use nfs3_types::nfs3::{Nfs3Result, RENAME3res, RENAME3resfail, RENAME3resok};

use super::remove::opened_at;
use crate::caller::Identity;
use crate::server::Server;
use crate::xdr::{Garbage, Reader};

pub(super) async fn rename(
    server: &Server,
    by: &Identity,
    mut of: Reader<'_>,
) -> Result<RENAME3res, Garbage> {
    let (from, to) = (of.place()?, of.place()?);
    let nodes = server
        .node(from.directory)
        .and_then(|source| Ok((source, server.node(to.directory)?)));
    let (source, target) = match nodes {
        Ok(nodes) => nodes,
        Err(status) => return Ok(Nfs3Result::Err((status, RENAME3resfail::default()))),
    };
    let moved = move_name(server, by, (source, from.name), (target, to.name)).await;
    Ok(match moved {
        Ok(()) => Nfs3Result::Ok(RENAME3resok {
            fromdir_wcc: server.changed(source).await,
            todir_wcc: server.changed(target).await,
        }),
        Err(error) => {
            let (status, _) = server.failed_in(source, "rename", &error).await;
            let failed = RENAME3resfail {
                fromdir_wcc: server.changed(source).await,
                todir_wcc: server.changed(target).await,
            };
            Nfs3Result::Err((status, failed))
        }
    })
}

async fn move_name(server: &Server, by: &Identity, from: (Ino, &[u8]), to: (Ino, &[u8])) -> Done<()> {
    let replaced = opened_at(server, by, to.0, to.1).await;
    server
        .vfs
        .rename(&by.caller(), from, to, RenameFlags::default())
        .await?;
    if let Some(replaced) = replaced {
        server.files.forget(replaced);
    }
    server.settle().await
}
