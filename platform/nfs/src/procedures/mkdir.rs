//! MKDIR.

use moorage_model::{Ino, Result as Done};
use moorage_vfs::{EntryReply, SetAttrRequest};
use nfs3_types::nfs3::{MKDIR3res, MKDIR3resfail, MKDIR3resok, Nfs3Result};

use super::made::{self, NotMade, with_attributes};
use crate::attributes::read_changes;
use crate::caller::Identity;
use crate::server::Server;
use crate::xdr::{Garbage, Reader};

/// Mode of a directory whose maker names none.
const UNNAMED_MODE: u16 = 0o700;

pub(super) async fn mkdir(server: &Server, by: &Identity, mut of: Reader<'_>) -> Result<MKDIR3res, Garbage> {
    let place = of.place()?;
    let wanted = read_changes(&mut of)?;
    let made = match server.node(place.directory) {
        Ok(directory) => {
            let made = make(server, by, (directory, place.name), wanted).await;
            made::told(server, directory, "mkdir", made).await
        }
        Err(status) => Err(status.into()),
    };
    Ok(match made {
        Ok(made) => Nfs3Result::Ok(MKDIR3resok {
            obj: made.obj,
            obj_attributes: made.obj_attributes,
            dir_wcc: made.dir_wcc,
        }),
        Err(NotMade { status, dir_wcc }) => Nfs3Result::Err((status, MKDIR3resfail { dir_wcc })),
    })
}

async fn make(server: &Server, by: &Identity, at: (Ino, &[u8]), wanted: SetAttrRequest) -> Done<EntryReply> {
    let mode = wanted.mode.unwrap_or(UNNAMED_MODE);
    let made = server.vfs.mkdir(&by.caller(), at.0, at.1, mode, 0).await?;
    // A length of a directory says nothing.
    let wanted = SetAttrRequest { size: None, ..wanted };
    with_attributes(server, by, made, wanted).await
}
