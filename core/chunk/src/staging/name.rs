//! Names of files in the staging folder.

use std::fmt;

use moorage_model::Ino;

use crate::block::BlockId;

/// The name of a staged block: its place in the order of uploads as 16 lower-case hexadecimal digits, then the block
/// as `_<slice>_<index>_<length>`, then `_<inode>` when it is known whose bytes it holds.
///
/// The inode is for people who ask which files are not stored yet, also when no mount of the volume can tell. Nothing
/// else depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StagedName {
    /// Place in the order of uploads.
    pub number: u64,
    /// The block.
    pub block: BlockId,
    /// The file that it was written to; none for one that was staged by an older version or by compaction.
    pub owner: Option<Ino>,
}

impl fmt::Display for StagedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BlockId { slice, index, len } = self.block;
        write!(f, "{:016x}_{}_{index}_{len}", self.number, slice.0)?;
        match self.owner {
            Some(ino) => write!(f, "_{}", ino.0),
            None => Ok(()),
        }
    }
}

impl StagedName {
    /// Reads a name back; `None` for every other, also for one that only differs in how its numbers are written:
    /// the file is found again by the name that the numbers give.
    pub fn parse(name: &str) -> Option<StagedName> {
        let (number, rest) = name.split_once('_')?;
        let (block, owner) = match rest.rsplit_once('_') {
            Some((block, ino)) if block.matches('_').count() == 2 => (block, Some(Ino(ino.parse().ok()?))),
            _ => (rest, None),
        };
        let staged = StagedName {
            number: u64::from_str_radix(number, 16).ok()?,
            block: BlockId::parse_name(block)?,
            owner,
        };
        (staged.to_string() == name).then_some(staged)
    }
}

#[cfg(test)]
mod tests {
    use moorage_model::SliceId;

    use super::*;

    const NAME: StagedName = StagedName {
        number: 0x1F,
        block: BlockId {
            slice: SliceId(33),
            index: 1,
            len: 4_194_304,
        },
        owner: None,
    };

    #[test]
    fn a_name_reads_back_with_and_without_the_file() {
        assert_eq!(NAME.to_string(), "000000000000001f_33_1_4194304");
        assert_eq!(StagedName::parse(&NAME.to_string()), Some(NAME));
        let owned = StagedName {
            owner: Some(Ino(7)),
            ..NAME
        };
        assert_eq!(owned.to_string(), "000000000000001f_33_1_4194304_7");
        assert_eq!(StagedName::parse(&owned.to_string()), Some(owned));
    }

    #[test]
    fn a_name_that_would_not_be_written_so_is_nobody_s() {
        for name in [
            "000000000000001F_33_1_4194304",
            "+00000000000001f_33_1_4194304",
            "1f_33_1_4194304",
            "000000000000001f_033_1_4194304",
            "000000000000001f_33_1_4194304_07",
            "000000000000001f_33_1_4194304_+7",
            "000000000000001f_33_1_4194304_7_7",
            "000000000000001f_33_1_4194304_",
            "000000000000001f_33_1_4194304.damaged",
            "000000000000001f.tmp",
            "lock",
            "",
        ] {
            assert_eq!(StagedName::parse(name), None, "{name}");
        }
    }
}
