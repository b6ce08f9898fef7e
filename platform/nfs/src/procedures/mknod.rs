//! MKNOD.

use moorage_model::{Ino, NodeType, Result as Done};
use moorage_vfs::{EntryReply, NewNode, SetAttrRequest};
use nfs3_types::nfs3::{MKNOD3res, MKNOD3resfail, MKNOD3resok, Nfs3Result, nfsstat3};

use super::made::{self, NotMade, with_attributes};
use crate::attributes::{device_number, read_changes};
use crate::caller::Identity;
use crate::server::Server;
use crate::xdr::{Garbage, Reader};

/// Mode of a node whose maker names none.
const UNNAMED_MODE: u16 = 0o600;

/// A node to be made.
struct Wanted {
    kind: NodeType,
    attributes: SetAttrRequest,
    rdev: u32,
}

/// `mknoddata3`; none for a kind that has a request of its own.
fn read(of: &mut Reader<'_>) -> Result<Option<Wanted>, Garbage> {
    let kind = match of.u32()? {
        3 => NodeType::BlockDevice,
        4 => NodeType::CharDevice,
        6 => NodeType::Socket,
        7 => NodeType::Fifo,
        _ => return Ok(None),
    };
    let attributes = read_changes(of)?;
    let rdev = match kind {
        NodeType::BlockDevice | NodeType::CharDevice => device_number(of.u32()?, of.u32()?),
        _ => 0,
    };
    Ok(Some(Wanted {
        kind,
        attributes,
        rdev,
    }))
}

pub(super) async fn mknod(server: &Server, by: &Identity, mut of: Reader<'_>) -> Result<MKNOD3res, Garbage> {
    let place = of.place()?;
    let wanted = read(&mut of)?;
    let made = match (server.node(place.directory), wanted) {
        (Ok(directory), Some(wanted)) => {
            let made = make(server, by, (directory, place.name), wanted).await;
            made::told(server, directory, "mknod", made).await
        }
        (Ok(_), None) => Err(nfsstat3::NFS3ERR_BADTYPE.into()),
        (Err(status), _) => Err(status.into()),
    };
    Ok(match made {
        Ok(made) => Nfs3Result::Ok(MKNOD3resok {
            obj: made.obj,
            obj_attributes: made.obj_attributes,
            dir_wcc: made.dir_wcc,
        }),
        Err(NotMade { status, dir_wcc }) => Nfs3Result::Err((status, MKNOD3resfail { dir_wcc })),
    })
}

async fn make(server: &Server, by: &Identity, at: (Ino, &[u8]), wanted: Wanted) -> Done<EntryReply> {
    let node = NewNode {
        kind: wanted.kind,
        mode: wanted.attributes.mode.unwrap_or(UNNAMED_MODE),
        umask: 0,
        rdev: wanted.rdev,
    };
    let made = server.vfs.mknod(&by.caller(), at.0, at.1, node).await?;
    let attributes = SetAttrRequest {
        size: None,
        ..wanted.attributes
    };
    with_attributes(server, by, made, attributes).await
}
