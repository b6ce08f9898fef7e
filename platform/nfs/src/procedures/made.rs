//! Nodes that were made.

use moorage_model::{Ino, Result as Done};
use moorage_vfs::{EntryReply, SetAttrRequest};
use nfs3_types::nfs3::{nfsstat3, post_op_attr, post_op_fh3, wcc_data};

use super::setattr;
use crate::caller::Identity;
use crate::server::Server;

/// What is told of a node that was made.
pub(super) struct Made {
    pub(super) obj: post_op_fh3,
    pub(super) obj_attributes: post_op_attr,
    pub(super) dir_wcc: wcc_data,
}

/// What is told when none was.
pub(super) struct NotMade {
    pub(super) status: nfsstat3,
    pub(super) dir_wcc: wcc_data,
}

impl From<nfsstat3> for NotMade {
    fn from(status: nfsstat3) -> NotMade {
        NotMade {
            status,
            dir_wcc: wcc_data::default(),
        }
    }
}

/// Makes durable what was made, and tells of it.
pub(super) async fn told(
    server: &Server,
    directory: Ino,
    request: &'static str,
    made: Done<EntryReply>,
) -> Result<Made, NotMade> {
    let settled = match made {
        Ok(made) => server.settle().await.map(|()| made),
        Err(error) => Err(error),
    };
    match settled {
        Ok(made) => Ok(Made {
            obj: server.handle(made.ino),
            obj_attributes: server.shown_after(made.ino, &made.attr),
            dir_wcc: server.changed(directory).await,
        }),
        Err(error) => {
            let (status, after) = server.failed_in(directory, request, &error).await;
            let dir_wcc = wcc_data {
                after,
                ..wcc_data::default()
            };
            Err(NotMade { status, dir_wcc })
        }
    }
}

/// Gives a new node the attributes that it was not made with.
pub(super) async fn with_attributes(
    server: &Server,
    by: &Identity,
    made: EntryReply,
    wanted: SetAttrRequest,
) -> Done<EntryReply> {
    let left = SetAttrRequest { mode: None, ..wanted };
    let is_owner = |wanted: &SetAttrRequest| {
        wanted.uid.is_none_or(|uid| uid == made.attr.uid) && wanted.gid.is_none_or(|gid| gid == made.attr.gid)
    };
    let left = match is_owner(&left) {
        true => SetAttrRequest {
            uid: None,
            gid: None,
            ..left
        },
        false => left,
    };
    // A new file is empty.
    let left = SetAttrRequest {
        size: left.size.filter(|size| *size > 0),
        ..left
    };
    if left == SetAttrRequest::default() {
        return Ok(made);
    }
    setattr::change(server, by, made.ino, left).await?;
    let found = server.vfs.getattr(made.ino).await?;
    Ok(EntryReply {
        attr: found.attr,
        ..made
    })
}
