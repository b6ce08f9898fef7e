//! ACCESS.

use moorage_model::{ErrorKind, Result as Done};
use moorage_vfs::AttrReply;
use nfs3_types::nfs3::{
    ACCESS3_DELETE, ACCESS3_EXECUTE, ACCESS3_EXTEND, ACCESS3_LOOKUP, ACCESS3_MODIFY, ACCESS3_READ,
    ACCESS3res, ACCESS3resfail, ACCESS3resok, Nfs3Result,
};

use crate::caller::Identity;
use crate::server::Server;
use crate::status::by_handle;
use crate::xdr::{Garbage, Reader};

/// What a permission bit of a mode allows of a file, and of a directory.
const ALLOWED: [(u8, u32, u32); 3] = [
    (4, ACCESS3_READ, ACCESS3_READ),
    (
        2,
        ACCESS3_MODIFY | ACCESS3_EXTEND,
        ACCESS3_MODIFY | ACCESS3_EXTEND | ACCESS3_DELETE,
    ),
    (1, ACCESS3_EXECUTE, ACCESS3_LOOKUP),
];

pub(super) async fn access(
    server: &Server,
    by: &Identity,
    mut of: Reader<'_>,
) -> Result<ACCESS3res, Garbage> {
    let (handle, asked) = (of.handle()?, of.u32()?);
    let node = match server.node(handle) {
        Ok(node) => node,
        Err(status) => return Ok(Nfs3Result::Err((status, ACCESS3resfail::default()))),
    };
    let found = match server.vfs.getattr(node).await {
        Ok(found) => found,
        Err(error) => {
            let failed = (by_handle("access", &error), ACCESS3resfail::default());
            return Ok(Nfs3Result::Err(failed));
        }
    };
    let obj_attributes = server.shown_after(found.ino, &found.attr);
    Ok(match allowed(server, by, &found, asked).await {
        Ok(access) => Nfs3Result::Ok(ACCESS3resok {
            obj_attributes,
            access,
        }),
        Err(error) => Nfs3Result::Err((by_handle("access", &error), ACCESS3resfail { obj_attributes })),
    })
}

/// Those of the rights asked for that the caller has. One engine read where all are allowed.
async fn allowed(server: &Server, by: &Identity, of: &AttrReply, asked: u32) -> Done<u32> {
    let caller = by.caller();
    let is_directory = of.attr.is_directory();
    let asked: Vec<(u8, u32)> = ALLOWED
        .iter()
        .map(|(bit, file, directory)| (*bit, asked & if is_directory { *directory } else { *file }))
        .filter(|(_, rights)| *rights != 0)
        .collect();
    let all = asked.iter().fold(0, |bits, (bit, _)| bits | bit);
    if is_allowed(server.vfs.access(&caller, of.ino, all).await)? {
        return Ok(asked.iter().fold(0, |rights, (_, right)| rights | right));
    }
    let mut allowed = 0;
    for (bit, rights) in asked {
        if is_allowed(server.vfs.access(&caller, of.ino, bit).await)? {
            allowed |= rights;
        }
    }
    Ok(allowed)
}

fn is_allowed(access: Done<()>) -> Done<bool> {
    match access {
        Ok(()) => Ok(true),
        Err(error) => match error.kind() {
            ErrorKind::AccessDenied | ErrorKind::NotPermitted | ErrorKind::ReadOnly => Ok(false),
            _ => Err(error),
        },
    }
}
