//! COMMIT.

use moorage_model::{Ino, Result as Done};
use nfs3_types::nfs3::{COMMIT3res, COMMIT3resfail, COMMIT3resok, Nfs3Result, wcc_data};

use crate::server::Server;
use crate::status::by_handle;
use crate::xdr::{Garbage, Reader};

/// Commits the whole file, whatever part of it is asked for. What it was like before is not told: that of a commit says nothing.
pub(super) async fn commit(server: &Server, mut of: Reader<'_>) -> Result<COMMIT3res, Garbage> {
    let handle = of.handle()?;
    let _range: (u64, u32) = (of.u64()?, of.u32()?);
    let node = match server.node(handle) {
        Ok(node) => node,
        Err(status) => {
            let file_wcc = wcc_data::default();
            return Ok(Nfs3Result::Err((status, COMMIT3resfail { file_wcc })));
        }
    };
    let committed = make_durable(server, node).await;
    // Behind the commit, so that it tells of data that was lost until then.
    let verf = server.verifier.told();
    let file_wcc = server.changed(node).await;
    Ok(match committed {
        Ok(()) => Nfs3Result::Ok(COMMIT3resok { file_wcc, verf }),
        Err(error) => {
            server.files.forget_useless(node, &error);
            Nfs3Result::Err((by_handle("commit", &error), COMMIT3resfail { file_wcc }))
        }
    })
}

async fn make_durable(server: &Server, node: Ino) -> Done<()> {
    let mut writing = server.files.writing(node).await;
    if writing.is_empty() {
        if server.vfs.options().read_only {
            return Ok(());
        }
        // Closed since, and what was written stored, or asked for again; now it is to be durable.
        writing.push(server.files.own(node).await?);
    }
    let mut first = Ok(());
    for file in writing {
        // Each handle tells once of data that was lost.
        first = first.and(server.vfs.fsync(file.handle, false).await);
    }
    first
}
