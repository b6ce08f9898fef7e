//! FSSTAT, FSINFO and PATHCONF.

use nfs3_types::nfs3::{
    FSF3_CANSETTIME, FSF3_HOMOGENEOUS, FSF3_LINK, FSF3_SYMLINK, FSINFO3res, FSINFO3resfail, FSINFO3resok,
    FSSTAT3res, FSSTAT3resfail, FSSTAT3resok, Nfs3Result, PATHCONF3res, PATHCONF3resfail, PATHCONF3resok,
    nfstime3,
};

use crate::server::Server;
use crate::status::by_handle;
use crate::xdr::{Garbage, Reader};

/// Most bytes of one read or write: what clients of today ask for at most.
pub(crate) const MOST_DATA_BYTES: u32 = 1 << 20;
/// Bytes of one listing that serve best.
const BEST_LISTING_BYTES: u32 = 64 << 10;
/// Bytes that sizes of reads and writes are best a multiple of: a page of memory.
const BEST_MULTIPLE_BYTES: u32 = 4096;
/// Largest file, bytes (spec 70-semantics section 5).
const MOST_FILE_BYTES: u64 = (1 << 57) - 1;
/// Most names of one file: the format counts them in 32 bits.
const MOST_LINKS: u32 = u32::MAX;
/// Longest name, bytes.
const MOST_NAME_BYTES: u32 = moorage_model::MAX_NAME_BYTES as u32;

pub(super) async fn fsstat(server: &Server, mut of: Reader<'_>) -> Result<FSSTAT3res, Garbage> {
    let node = match server.node(of.handle()?) {
        Ok(node) => node,
        Err(status) => return Ok(Nfs3Result::Err((status, FSSTAT3resfail::default()))),
    };
    let sizes = server.vfs.statfs(node).await;
    let obj_attributes = server.after(node).await;
    Ok(match sizes {
        Ok(sizes) => {
            let bytes = |blocks: u64| blocks.saturating_mul(u64::from(sizes.block_size));
            Nfs3Result::Ok(FSSTAT3resok {
                obj_attributes,
                tbytes: bytes(sizes.blocks),
                fbytes: bytes(sizes.blocks_free),
                abytes: bytes(sizes.blocks_free),
                tfiles: sizes.files,
                ffiles: sizes.files_free,
                afiles: sizes.files_free,
                invarsec: 0,
            })
        }
        Err(error) => Nfs3Result::Err((by_handle("fsstat", &error), FSSTAT3resfail { obj_attributes })),
    })
}

pub(super) async fn fsinfo(server: &Server, mut of: Reader<'_>) -> Result<FSINFO3res, Garbage> {
    let node = match server.node(of.handle()?) {
        Ok(node) => node,
        Err(status) => return Ok(Nfs3Result::Err((status, FSINFO3resfail::default()))),
    };
    Ok(Nfs3Result::Ok(FSINFO3resok {
        obj_attributes: server.after(node).await,
        rtmax: MOST_DATA_BYTES,
        rtpref: MOST_DATA_BYTES,
        rtmult: BEST_MULTIPLE_BYTES,
        wtmax: MOST_DATA_BYTES,
        wtpref: MOST_DATA_BYTES,
        wtmult: BEST_MULTIPLE_BYTES,
        dtpref: BEST_LISTING_BYTES,
        maxfilesize: MOST_FILE_BYTES,
        time_delta: nfstime3 {
            seconds: 0,
            nseconds: 1,
        },
        properties: FSF3_LINK | FSF3_SYMLINK | FSF3_HOMOGENEOUS | FSF3_CANSETTIME,
    }))
}

pub(super) async fn pathconf(server: &Server, mut of: Reader<'_>) -> Result<PATHCONF3res, Garbage> {
    let node = match server.node(of.handle()?) {
        Ok(node) => node,
        Err(status) => return Ok(Nfs3Result::Err((status, PATHCONF3resfail::default()))),
    };
    Ok(Nfs3Result::Ok(PATHCONF3resok {
        obj_attributes: server.after(node).await,
        linkmax: MOST_LINKS,
        name_max: MOST_NAME_BYTES,
        no_trunc: true,
        chown_restricted: true,
        case_insensitive: false,
        case_preserving: true,
    }))
}
