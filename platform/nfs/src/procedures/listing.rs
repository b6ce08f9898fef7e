//! What both ways to list a directory have in common.

use moorage_model::Ino;
use moorage_vfs::DirItem;
use nfs3_types::nfs3::nfsstat3;
use nfs3_types::xdr_codec::{BoundedList, List, Pack};

use crate::caller::Identity;
use crate::listings::cookie_of;
use crate::server::Server;
use crate::status::by_handle;

/// Bytes of an answer beside its entries: status, attributes of the directory, verifier, end marks.
const FRAME_BYTES: usize = 128;
/// Most bytes of one answer, whatever is asked for.
const MOST_BYTES: usize = 1 << 20;

/// A part of a directory.
pub(super) struct Part<T> {
    pub(super) entries: List<T>,
    /// Nothing follows.
    pub(super) is_last: bool,
}

/// Where a part begins, and how long its answer may be.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub(super) directory: Ino,
    pub(super) cookie: u64,
    pub(super) most_bytes: u32,
}

/// Lists entries from a cookie on, each as `entry` writes it, as many as there is room for.
pub(super) async fn part<T: Pack + Send>(
    server: &Server,
    by: &Identity,
    wanted: Wanted,
    plus: bool,
    mut entry: impl FnMut(&DirItem<'_>, u64) -> T + Send,
) -> Result<Part<T>, nfsstat3> {
    let failed = |error| by_handle("readdir", &error);
    let behind = server.listings.behind(by, wanted.directory, wanted.cookie).await;
    let Some((listing, place)) = behind.map_err(failed)? else {
        return Err(nfsstat3::NFS3ERR_BAD_COOKIE);
    };
    let room = usize::try_from(wanted.most_bytes)
        .unwrap_or(MOST_BYTES)
        .min(MOST_BYTES);
    let mut entries = BoundedList::new(room.saturating_sub(FRAME_BYTES));
    let (mut places, mut is_full) = (Vec::new(), false);
    let mut emit = |item: DirItem<'_>| {
        let cookie = cookie_of(item.name);
        is_full = entries.try_push(entry(&item, cookie)).is_err();
        if !is_full {
            places.push((cookie, item.next_cookie));
        }
        !is_full
    };
    let listed = server.vfs.readdir(listing.handle, place, plus, &mut emit).await;
    listed.map_err(failed)?;
    if is_full && places.is_empty() {
        return Err(nfsstat3::NFS3ERR_TOOSMALL);
    }
    listing.remember(places);
    Ok(Part {
        entries: entries.into_inner(),
        is_last: !is_full,
    })
}
