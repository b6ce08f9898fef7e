//! CREATE.

use moorage_model::{ErrorKind, Ino, NodeType, Result as Done, Timestamp};
use moorage_vfs::{EntryReply, NewNode, SetAttrRequest, SetTime};
use nfs3_types::nfs3::{CREATE3res, CREATE3resfail, CREATE3resok, NFS3_CREATEVERFSIZE, Nfs3Result};

use super::made::{self, NotMade, with_attributes};
use super::setattr;
use crate::attributes::read_changes;
use crate::caller::Identity;
use crate::server::Server;
use crate::xdr::{Garbage, Reader};

/// Mode of a file whose maker names none: an exclusive create sets it afterwards.
const UNNAMED_MODE: u16 = 0o600;

/// How a file is made.
enum How {
    /// One that exists is taken.
    Unchecked(SetAttrRequest),
    /// One that exists is an error.
    Guarded(SetAttrRequest),
    /// As guarded, but a client that asks again succeeds: it is known by what it chose.
    Exclusive([u8; NFS3_CREATEVERFSIZE]),
}

impl How {
    fn read(of: &mut Reader<'_>) -> Result<How, Garbage> {
        match of.u32()? {
            0 => read_changes(of).map(How::Unchecked),
            1 => read_changes(of).map(How::Guarded),
            2 => of.fixed().map(How::Exclusive),
            _ => Err(Garbage),
        }
    }
}

pub(super) async fn create(
    server: &Server,
    by: &Identity,
    mut of: Reader<'_>,
) -> Result<CREATE3res, Garbage> {
    let place = of.place()?;
    let how = How::read(&mut of)?;
    let made = match server.node(place.directory) {
        Ok(directory) => {
            let made = make(server, by, (directory, place.name), how).await;
            made::told(server, directory, "create", made).await
        }
        Err(status) => Err(status.into()),
    };
    Ok(match made {
        Ok(made) => Nfs3Result::Ok(CREATE3resok {
            obj: made.obj,
            obj_attributes: made.obj_attributes,
            dir_wcc: made.dir_wcc,
        }),
        Err(NotMade { status, dir_wcc }) => Nfs3Result::Err((status, CREATE3resfail { dir_wcc })),
    })
}

async fn make(server: &Server, by: &Identity, at: (Ino, &[u8]), how: How) -> Done<EntryReply> {
    let mode = match &how {
        How::Unchecked(wanted) | How::Guarded(wanted) => wanted.mode,
        How::Exclusive(_) => None,
    };
    let node = NewNode {
        kind: NodeType::File,
        mode: mode.unwrap_or(UNNAMED_MODE),
        umask: 0,
        rdev: 0,
    };
    let made = server.vfs.mknod(&by.caller(), at.0, at.1, node).await;
    match (made, how) {
        (Ok(made), How::Unchecked(wanted) | How::Guarded(wanted)) => {
            with_attributes(server, by, made, wanted).await
        }
        (Ok(made), How::Exclusive(chosen)) => with_attributes(server, by, made, marks(chosen)).await,
        (Err(error), How::Unchecked(wanted)) if error.kind() == ErrorKind::Exists => {
            take(server, by, at, wanted).await
        }
        (Err(error), How::Exclusive(chosen)) if error.kind() == ErrorKind::Exists => {
            let found = server.vfs.lookup(&by.caller(), at.0, at.1).await?;
            let marks = marks(chosen);
            let is_own = marks.atime == Some(SetTime::At(found.attr.atime))
                && marks.mtime == Some(SetTime::At(found.attr.mtime));
            if is_own { Ok(found) } else { Err(error) }
        }
        (Err(error), _) => Err(error),
    }
}

/// The file that is there already. Of the attributes only the length is set, as in other servers.
async fn take(server: &Server, by: &Identity, at: (Ino, &[u8]), wanted: SetAttrRequest) -> Done<EntryReply> {
    let found = server.vfs.lookup(&by.caller(), at.0, at.1).await?;
    match (found.attr.kind, wanted.size) {
        (NodeType::File, None) => Ok(found),
        (NodeType::File, Some(_)) => {
            let length = SetAttrRequest {
                size: wanted.size,
                ..SetAttrRequest::default()
            };
            setattr::change(server, by, found.ino, length).await?;
            let now = server.vfs.getattr(found.ino).await?;
            Ok(EntryReply {
                attr: now.attr,
                ..found
            })
        }
        (NodeType::Directory, _) => Err(ErrorKind::IsDirectory.into()),
        _ => Err(ErrorKind::Exists.into()),
    }
}

/// What an exclusive create chose, kept in the times until its client sets them (RFC 1813 section 3.3.8). So it is known
/// after a restart as well.
fn marks(chosen: [u8; NFS3_CREATEVERFSIZE]) -> SetAttrRequest {
    let [a, b, c, d, e, f, g, h] = chosen;
    let time = |bytes| SetTime::At(Timestamp::new(i64::from(u32::from_be_bytes(bytes)), 0));
    SetAttrRequest {
        atime: Some(time([a, b, c, d])),
        mtime: Some(time([e, f, g, h])),
        ..SetAttrRequest::default()
    }
}
