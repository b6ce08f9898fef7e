//! Attributes and times, to and from the form of the protocol.

use moorage_model::{Attr, Gid, Ino, NodeType, Timestamp, Uid};
use moorage_vfs::{SetAttrRequest, SetTime, shown_size};
use nfs3_types::nfs3::{fattr3, ftype3, nfstime3, specdata3, wcc_attr};

use crate::xdr::{Garbage, Reader};

/// Permission bits of a mode; the rest is the kind.
const PERMISSIONS: u32 = 0o7777;
/// Nanoseconds of a second.
const SECOND_NANOSECONDS: u32 = 1_000_000_000;

pub(crate) fn fattr(fsid: u64, ino: Ino, attr: &Attr) -> fattr3 {
    let (size, blocks) = shown_size(attr);
    fattr3 {
        type_: file_type(attr.kind),
        mode: u32::from(attr.mode),
        nlink: attr.nlink,
        uid: attr.uid.0,
        gid: attr.gid.0,
        size,
        // Blocks of 512 bytes (POSIX).
        used: blocks.saturating_mul(512),
        rdev: device(attr.rdev),
        fsid,
        fileid: ino.0,
        atime: time(attr.atime),
        mtime: time(attr.mtime),
        ctime: time(attr.ctime),
    }
}

/// What a client compares to see whether somebody else changed a file.
pub(crate) fn before(attr: &Attr) -> wcc_attr {
    wcc_attr {
        size: shown_size(attr).0,
        mtime: time(attr.mtime),
        ctime: time(attr.ctime),
    }
}

fn file_type(kind: NodeType) -> ftype3 {
    match kind {
        NodeType::File => ftype3::NF3REG,
        NodeType::Directory => ftype3::NF3DIR,
        NodeType::Symlink => ftype3::NF3LNK,
        NodeType::Fifo => ftype3::NF3FIFO,
        NodeType::BlockDevice => ftype3::NF3BLK,
        NodeType::CharDevice => ftype3::NF3CHR,
        NodeType::Socket => ftype3::NF3SOCK,
    }
}

/// Times outside of what 32 bits without a sign hold are shown as the nearest.
pub(crate) fn time(time: Timestamp) -> nfstime3 {
    match u32::try_from(time.seconds) {
        Ok(seconds) => nfstime3 {
            seconds,
            nseconds: time.nanoseconds,
        },
        Err(_) if time.seconds < 0 => nfstime3::default(),
        Err(_) => nfstime3 {
            seconds: u32::MAX,
            nseconds: 0,
        },
    }
}

/// Major and minor number out of a device number as Linux encodes it.
fn device(number: u32) -> specdata3 {
    specdata3 {
        specdata1: (number >> 8) & 0xFFF,
        specdata2: (number & 0xFF) | ((number >> 12) & 0xF_FF00),
    }
}

/// A device number as Linux encodes it.
pub(crate) fn device_number(major: u32, minor: u32) -> u32 {
    (minor & 0xFF) | ((major & 0xFFF) << 8) | ((minor & 0xF_FF00) << 12)
}

pub(crate) fn read_time(reader: &mut Reader<'_>) -> Result<Timestamp, Garbage> {
    let (seconds, nanoseconds) = (reader.u32()?, reader.u32()?);
    if nanoseconds >= SECOND_NANOSECONDS {
        return Err(Garbage);
    }
    Ok(Timestamp::new(i64::from(seconds), nanoseconds))
}

fn read_set_time(reader: &mut Reader<'_>) -> Result<Option<SetTime>, Garbage> {
    match reader.u32()? {
        0 => Ok(None),
        1 => Ok(Some(SetTime::Now)),
        2 => read_time(reader).map(|time| Some(SetTime::At(time))),
        _ => Err(Garbage),
    }
}

/// `sattr3`.
pub(crate) fn read_changes(reader: &mut Reader<'_>) -> Result<SetAttrRequest, Garbage> {
    Ok(SetAttrRequest {
        mode: reader.optional(Reader::u32)?.map(permissions),
        uid: reader.optional(Reader::u32)?.map(Uid),
        gid: reader.optional(Reader::u32)?.map(Gid),
        size: reader.optional(Reader::u64)?,
        atime: read_set_time(reader)?,
        mtime: read_set_time(reader)?,
        ctime: None,
        flags: None,
    })
}

fn permissions(mode: u32) -> u16 {
    (mode & PERMISSIONS) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_numbers_go_there_and_back() {
        for (major, minor) in [(0, 0), (8, 1), (259, 1_048_575), (4095, 300)] {
            let shown = device(device_number(major, minor));
            assert_eq!((shown.specdata1, shown.specdata2), (major, minor));
        }
    }

    #[test]
    fn times_that_do_not_fit_are_the_nearest() {
        assert_eq!(time(Timestamp::new(-5, 7)), nfstime3::default());
        assert_eq!(time(Timestamp::new(1 << 40, 7)).seconds, u32::MAX);
        assert_eq!(time(Timestamp::new(12, 7)).nseconds, 7);
    }

    #[test]
    fn a_time_with_too_many_nanoseconds_is_garbage() {
        let bytes = [0, 0, 0, 1, 0x3B, 0x9A, 0xCA, 0x00];
        assert_eq!(read_time(&mut Reader::new(&bytes)), Err(Garbage));
    }
}
