//! What the requests of NFS carry.

use nfs3_types::nfs3::NFS3_FHSIZE;

use crate::xdr::{Garbage, Reader};

/// Longest name that is read, bytes: longer ones than the volume takes are refused by it, with the error that says so.
const MOST_NAME_BYTES: usize = 4096;
/// Longest target of a symlink that is read, bytes: as [`MOST_NAME_BYTES`].
const MOST_TARGET_BYTES: usize = 64 << 10;

/// A file handle as it was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawHandle<'a>(pub(crate) &'a [u8]);

/// A name in a directory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) directory: RawHandle<'a>,
    pub(crate) name: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn handle(&mut self) -> Result<RawHandle<'a>, Garbage> {
        self.opaque(NFS3_FHSIZE).map(RawHandle)
    }

    pub(crate) fn place(&mut self) -> Result<Place<'a>, Garbage> {
        Ok(Place {
            directory: self.handle()?,
            name: self.opaque(MOST_NAME_BYTES)?,
        })
    }

    pub(crate) fn target(&mut self) -> Result<&'a [u8], Garbage> {
        self.opaque(MOST_TARGET_BYTES)
    }
}
