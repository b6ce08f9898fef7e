//! WRITE.

use moorage_model::{Ino, Result as Done, Uid};
use moorage_vfs::WriteOrigin;
use nfs3_types::nfs3::{Nfs3Option, Nfs3Result, WRITE3res, WRITE3resfail, WRITE3resok, stable_how, wcc_data};

use super::volume::MOST_DATA_BYTES;
use crate::attributes::before;
use crate::caller::Identity;
use crate::server::Server;
use crate::status::by_handle;
use crate::xdr::{Garbage, Reader};

/// A write that may stay in memory until it is committed.
const UNSTABLE: u32 = 0;
/// The last of the ways to write; the one in between, which may leave attributes in memory, is carried out as this.
const FILE_SYNC: u32 = 2;

struct Written {
    count: usize,
    file_wcc: wcc_data,
}

pub(super) async fn write(server: &Server, by: &Identity, mut of: Reader<'_>) -> Result<WRITE3res, Garbage> {
    let (handle, offset, count, stable) = (of.handle()?, of.u64()?, of.u32()?, of.u32()?);
    let data = of.opaque(MOST_DATA_BYTES as usize)?;
    if stable > FILE_SYNC {
        return Err(Garbage);
    }
    let node = match server.node(handle) {
        Ok(node) => node,
        Err(status) => return Ok(Nfs3Result::Err((status, WRITE3resfail::default()))),
    };
    let data = data.get(..count as usize).ok_or(Garbage)?;
    let verf = server.verifier.told();
    Ok(match put(server, by, node, (offset, data), stable).await {
        Ok(Written { count, file_wcc }) => Nfs3Result::Ok(WRITE3resok {
            file_wcc,
            // No more than what was sent, which 32 bits can say.
            count: count as u32,
            committed: match stable {
                UNSTABLE => stable_how::UNSTABLE,
                _ => stable_how::FILE_SYNC,
            },
            verf,
        }),
        Err(error) => {
            server.files.forget_useless(node, &error);
            let file_wcc = server.changed(node).await;
            Nfs3Result::Err((by_handle("write", &error), WRITE3resfail { file_wcc }))
        }
    })
}

/// Writes `at` an offset. What the file was like before is told as this client of the volume knew it, so that a client which
/// writes need not throw away what it caches; what another client of the volume changed meanwhile is noticed by the next
/// look at the attributes.
async fn put(server: &Server, by: &Identity, node: Ino, at: (u64, &[u8]), stable: u32) -> Done<Written> {
    let file = server.files.get(by, node, true).await?;
    let known = server.vfs.open_attributes(file.handle)?;
    let origin = WriteOrigin {
        drops_set_id: by.uid != Uid::ROOT,
        ..WriteOrigin::default()
    };
    let count = server.vfs.write_from(file.handle, at.0, at.1, origin).await?;
    if stable != UNSTABLE {
        server.vfs.fsync(file.handle, false).await?;
    }
    let now = server.vfs.open_attributes(file.handle)?;
    Ok(Written {
        count,
        file_wcc: wcc_data {
            before: Nfs3Option::Some(before(&known.attr)),
            after: server.shown_after(node, &now.attr),
        },
    })
}
