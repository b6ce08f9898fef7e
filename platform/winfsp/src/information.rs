//! Attributes and times as Windows has them.

use moorage_model::{Attr, Flags, Ino, NodeType, Timestamp};
use moorage_vfs::shown_size;
use windows_sys::Win32::Storage::FileSystem::{
    FILE_ATTRIBUTE_ARCHIVE, FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_HIDDEN, FILE_ATTRIBUTE_NORMAL,
    FILE_ATTRIBUTE_READONLY, FILE_ATTRIBUTE_REPARSE_POINT, FILE_ATTRIBUTE_SYSTEM,
};
use winfsp::filesystem::FileInfo;

use crate::link::SYMLINK_TAG;

/// Bytes in which space is given to files, as the volume counts it.
pub(crate) const ALLOCATION_BYTES: u64 = 4096;
/// Units of 100 ns in a second.
const TICKS: i128 = 10_000_000;
/// Nanoseconds of a unit.
const TICK_NANOSECONDS: u32 = 100;
/// Seconds between 1601, where Windows begins to count, and 1970.
const EPOCH_SECONDS: i128 = 11_644_473_600;
/// Every bit that lets somebody write.
const WRITE_BITS: u16 = 0o222;
/// Each attribute that has a bit in the format.
const FLAGS: [(u32, Flags); 3] = [
    (FILE_ATTRIBUTE_HIDDEN, Flags::WINDOWS_HIDDEN),
    (FILE_ATTRIBUTE_SYSTEM, Flags::WINDOWS_SYSTEM),
    (FILE_ATTRIBUTE_ARCHIVE, Flags::WINDOWS_ARCHIVE),
];

/// What Windows is told of a node. `as_folder`: it is one, or a link to one.
pub(crate) fn fill(info: &mut FileInfo, ino: Ino, attr: &Attr, as_folder: bool) {
    let is_link = attr.kind == NodeType::Symlink;
    let (size, _) = shown_size(attr);
    info.file_attributes = file_attributes(attr, as_folder);
    info.reparse_tag = if is_link { SYMLINK_TAG } else { 0 };
    info.file_size = if as_folder || is_link { 0 } else { size };
    info.allocation_size = info.file_size.next_multiple_of(ALLOCATION_BYTES);
    // The format has no time of creation; a node is at least as old as its earliest time.
    info.creation_time = ticks(attr.mtime.min(attr.ctime));
    info.last_access_time = ticks(attr.atime);
    info.last_write_time = ticks(attr.mtime);
    info.change_time = ticks(attr.ctime);
    info.index_number = ino.0;
    info.hard_links = 0;
    info.ea_size = 0;
}

pub(crate) fn file_attributes(attr: &Attr, as_folder: bool) -> u32 {
    let mut attributes = if as_folder { FILE_ATTRIBUTE_DIRECTORY } else { 0 };
    if attr.kind == NodeType::Symlink {
        attributes |= FILE_ATTRIBUTE_REPARSE_POINT;
    }
    if attr.kind == NodeType::File && attr.mode & WRITE_BITS == 0 {
        attributes |= FILE_ATTRIBUTE_READONLY;
    }
    for (attribute, flag) in FLAGS {
        if attr.flags.contains(flag) {
            attributes |= attribute;
        }
    }
    match attributes {
        0 => FILE_ATTRIBUTE_NORMAL,
        attributes => attributes,
    }
}

/// The flags of a node once these attributes are set.
pub(crate) fn with_attributes(flags: Flags, attributes: u32) -> Flags {
    FLAGS
        .iter()
        .fold(flags, |flags, (attribute, flag)| match attributes & attribute {
            0 => Flags(flags.0 & !flag.0),
            _ => flags | *flag,
        })
}

/// The mode of a file once these attributes are set: reading alone takes every bit that writes, and its end gives the
/// owner's back.
pub(crate) fn with_read_only(mode: u16, attributes: u32) -> u16 {
    match (attributes & FILE_ATTRIBUTE_READONLY != 0, mode & WRITE_BITS) {
        (true, _) => mode & !WRITE_BITS,
        (false, 0) => mode | 0o200,
        (false, _) => mode,
    }
}

/// An instant in units of 100 ns since 1601, as near as that can hold.
pub(crate) fn ticks(time: Timestamp) -> u64 {
    let seconds = i128::from(time.seconds) + EPOCH_SECONDS;
    let ticks = seconds * TICKS + i128::from(time.nanoseconds / TICK_NANOSECONDS);
    // Programs read these times as signed numbers.
    u64::try_from(ticks.clamp(0, i128::from(i64::MAX))).unwrap_or_default()
}

/// The instant of so many units of 100 ns since 1601.
pub(crate) fn instant(ticks: u64) -> Timestamp {
    let ticks = i128::from(ticks);
    let seconds = ticks.div_euclid(TICKS) - EPOCH_SECONDS;
    let nanoseconds = u32::try_from(ticks.rem_euclid(TICKS)).unwrap_or_default() * TICK_NANOSECONDS;
    Timestamp::new(i64::try_from(seconds).unwrap_or(i64::MAX), nanoseconds)
}

#[cfg(test)]
mod tests {
    use moorage_model::{Gid, Uid};

    use super::*;

    fn file(mode: u16) -> Attr {
        Attr::new(
            NodeType::File,
            mode,
            Uid(0),
            Gid(0),
            Timestamp::new(0, 0),
            Ino::ROOT,
        )
    }

    #[test]
    fn times_are_kept_to_100_ns() {
        assert_eq!(ticks(Timestamp::new(0, 0)), 116_444_736_000_000_000);
        for time in [
            Timestamp::new(1_700_000_000, 123_456_700),
            Timestamp::new(-1, 100),
        ] {
            assert_eq!(instant(ticks(time)), time);
        }
        assert_eq!(instant(ticks(Timestamp::new(5, 199))), Timestamp::new(5, 100));
        assert_eq!(ticks(Timestamp::new(i64::MIN, 0)), 0);
    }

    #[test]
    fn attributes_are_the_flags_of_the_format_and_the_bits_that_write() {
        let mut attr = file(0o644);
        assert_eq!(file_attributes(&attr, false), FILE_ATTRIBUTE_NORMAL);
        attr.flags = with_attributes(
            Flags::IMMUTABLE | Flags::WINDOWS_ARCHIVE,
            FILE_ATTRIBUTE_HIDDEN | FILE_ATTRIBUTE_SYSTEM,
        );
        assert!(attr.flags.contains(Flags::IMMUTABLE), "others are kept");
        assert_eq!(
            file_attributes(&attr, false),
            FILE_ATTRIBUTE_HIDDEN | FILE_ATTRIBUTE_SYSTEM
        );
        assert_eq!(file_attributes(&file(0o555), false), FILE_ATTRIBUTE_READONLY);
    }

    #[test]
    fn read_only_takes_the_right_to_write_and_gives_the_owner_his_back() {
        assert_eq!(with_read_only(0o664, FILE_ATTRIBUTE_READONLY), 0o444);
        assert_eq!(with_read_only(0o444, FILE_ATTRIBUTE_NORMAL), 0o644);
        assert_eq!(with_read_only(0o664, FILE_ATTRIBUTE_NORMAL), 0o664);
    }
}
