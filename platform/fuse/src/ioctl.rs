//! The ioctls of chattr and lsattr; all others are unknown.

use moorage_model::{ErrorKind, Flags, Ino, Result};
use moorage_vfs::{Caller, Vfs};

/// `FS_IOC_GETFLAGS` as 64-bit and 32-bit programs number it (linux/fs.h).
const GET_FLAGS: [u32; 2] = [0x8008_6601, 0x8004_6601];
/// `FS_IOC_SETFLAGS`, likewise.
const SET_FLAGS: [u32; 2] = [0x4008_6602, 0x4004_6602];
/// `FS_IOC_FSGETXATTR`, which the kernel itself asks before it changes flags.
const GET_EXTENDED: u32 = 0x801c_581f;
/// Bytes of the kernel's `struct fsxattr`.
const EXTENDED_BYTES: usize = 28;

/// Bit of the flag word, bit of the extended word, and ours (spec 70-semantics section 10).
const BITS: [(u32, u32, Flags); 3] = [
    (0x0000_0010, 0x0000_0008, Flags::IMMUTABLE),
    (0x0000_0020, 0x0000_0010, Flags::APPEND),
    // Secure deletion: bypasses the trash. It has no extended bit.
    (0x0000_0001, 0, Flags::SKIP_TRASH),
];

/// Runs an ioctl and returns the bytes for its caller.
///
/// # Errors
/// `NotTty` for an unknown one; `NotSupported` for flag bits that the format has no place for; what the vfs answers.
pub(crate) async fn run(vfs: &Vfs, caller: &Caller, ino: Ino, command: u32, input: &[u8]) -> Result<Vec<u8>> {
    if GET_FLAGS.contains(&command) {
        let flags = vfs.get_flags(ino).await?;
        Ok(word(flags, |bit| bit.0).to_ne_bytes().to_vec())
    } else if command == GET_EXTENDED {
        let flags = vfs.get_flags(ino).await?;
        let mut reply = word(flags, |bit| bit.1).to_ne_bytes().to_vec();
        reply.resize(EXTENDED_BYTES, 0);
        Ok(reply)
    } else if SET_FLAGS.contains(&command) {
        let input = input.first_chunk().ok_or(ErrorKind::InvalidArgument)?;
        let flags = parse(u32::from_ne_bytes(*input))?;
        vfs.set_flags(caller, ino, flags).await?;
        Ok(Vec::new())
    } else {
        Err(ErrorKind::NotTty.into())
    }
}

fn word(flags: Flags, bit: impl Fn(&(u32, u32, Flags)) -> u32) -> u32 {
    BITS.iter()
        .filter(|entry| flags.contains(entry.2))
        .fold(0, |word, entry| word | bit(entry))
}

fn parse(word: u32) -> Result<Flags> {
    let mut flags = Flags::default();
    let mut rest = word;
    for (bit, _, flag) in BITS {
        if rest & bit != 0 {
            flags = flags | flag;
            rest &= !bit;
        }
    }
    if rest == 0 {
        Ok(flags)
    } else {
        Err(ErrorKind::NotSupported.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_survive_the_round_trip_and_others_are_refused() {
        let flags = Flags::IMMUTABLE | Flags::SKIP_TRASH;
        assert_eq!(parse(word(flags, |bit| bit.0)).expect("known bits"), flags);
        // FS_NODUMP_FL
        assert_eq!(
            parse(0x40).map_err(|error| error.kind()),
            Err(ErrorKind::NotSupported)
        );
    }
}
