//! SYMLINK.

use moorage_model::{Ino, Result as Done};
use moorage_vfs::{EntryReply, SetAttrRequest};
use nfs3_types::nfs3::{Nfs3Result, SYMLINK3res, SYMLINK3resfail, SYMLINK3resok};

use super::made::{self, NotMade, with_attributes};
use crate::attributes::read_changes;
use crate::caller::Identity;
use crate::server::Server;
use crate::xdr::{Garbage, Reader};

pub(super) async fn symlink(
    server: &Server,
    by: &Identity,
    mut of: Reader<'_>,
) -> Result<SYMLINK3res, Garbage> {
    let place = of.place()?;
    let wanted = read_changes(&mut of)?;
    let target = of.target()?;
    let made = match server.node(place.directory) {
        Ok(directory) => {
            let made = make(server, by, (directory, place.name), target, wanted).await;
            made::told(server, directory, "symlink", made).await
        }
        Err(status) => Err(status.into()),
    };
    Ok(match made {
        Ok(made) => Nfs3Result::Ok(SYMLINK3resok {
            obj: made.obj,
            obj_attributes: made.obj_attributes,
            dir_wcc: made.dir_wcc,
        }),
        Err(NotMade { status, dir_wcc }) => Nfs3Result::Err((status, SYMLINK3resfail { dir_wcc })),
    })
}

async fn make(
    server: &Server,
    by: &Identity,
    at: (Ino, &[u8]),
    target: &[u8],
    wanted: SetAttrRequest,
) -> Done<EntryReply> {
    let made = server.vfs.symlink(&by.caller(), at.0, at.1, target).await?;
    // A link has neither a length nor times of its own to begin with.
    let owner = SetAttrRequest {
        uid: wanted.uid,
        gid: wanted.gid,
        ..SetAttrRequest::default()
    };
    with_attributes(server, by, made, owner).await
}
