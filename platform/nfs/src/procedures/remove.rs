//! REMOVE and RMDIR.

use moorage_model::{Error, Ino};
use nfs3_types::nfs3::{
    Nfs3Result, REMOVE3res, REMOVE3resfail, REMOVE3resok, RMDIR3res, RMDIR3resfail, RMDIR3resok, nfsstat3,
    wcc_data,
};

use crate::caller::Identity;
use crate::server::Server;
use crate::xdr::{Garbage, Reader};

pub(super) async fn remove(
    server: &Server,
    by: &Identity,
    mut of: Reader<'_>,
) -> Result<REMOVE3res, Garbage> {
    let place = of.place()?;
    let directory = match server.node(place.directory) {
        Ok(directory) => directory,
        Err(status) => return Ok(Nfs3Result::Err((status, REMOVE3resfail::default()))),
    };
    let open = opened_at(server, by, directory, place.name).await;
    let removed = server.vfs.unlink(&by.caller(), directory, place.name).await;
    if let (Ok(()), Some(open)) = (&removed, open) {
        server.files.forget(open);
    }
    Ok(match told(server, directory, "remove", removed).await {
        Ok(dir_wcc) => Nfs3Result::Ok(REMOVE3resok { dir_wcc }),
        Err((status, dir_wcc)) => Nfs3Result::Err((status, REMOVE3resfail { dir_wcc })),
    })
}

pub(super) async fn rmdir(server: &Server, by: &Identity, mut of: Reader<'_>) -> Result<RMDIR3res, Garbage> {
    let place = of.place()?;
    let directory = match server.node(place.directory) {
        Ok(directory) => directory,
        Err(status) => {
            let dir_wcc = wcc_data::default();
            return Ok(Nfs3Result::Err((status, RMDIR3resfail { dir_wcc })));
        }
    };
    let removed = server.vfs.rmdir(&by.caller(), directory, place.name).await;
    Ok(match told(server, directory, "rmdir", removed).await {
        Ok(dir_wcc) => Nfs3Result::Ok(RMDIR3resok { dir_wcc }),
        Err((status, dir_wcc)) => Nfs3Result::Err((status, RMDIR3resfail { dir_wcc })),
    })
}

/// The file of a name, in case the server has it open: then it is to let go of it with the name.
pub(super) async fn opened_at(server: &Server, by: &Identity, directory: Ino, name: &[u8]) -> Option<Ino> {
    if server.files.is_empty() {
        return None;
    }
    let found = server.vfs.lookup(&by.caller(), directory, name).await;
    found.ok().map(|found| found.ino)
}

/// Makes durable what was removed, and tells of it.
async fn told(
    server: &Server,
    directory: Ino,
    request: &'static str,
    removed: Result<(), Error>,
) -> Result<wcc_data, (nfsstat3, wcc_data)> {
    let settled = match removed {
        Ok(()) => server.settle().await,
        Err(error) => Err(error),
    };
    match settled {
        Ok(()) => Ok(server.changed(directory).await),
        Err(error) => {
            let (status, after) = server.failed_in(directory, request, &error).await;
            let dir_wcc = wcc_data {
                after,
                ..wcc_data::default()
            };
            Err((status, dir_wcc))
        }
    }
}
