//! Names of files in the staging folder.

use std::fmt;

use crate::block::BlockId;

/// The name of a staged block: its place in the order of uploads as 16 lower-case hexadecimal digits, then the block
/// as `_<slice>_<index>_<length>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StagedName {
    /// Place in the order of uploads.
    pub number: u64,
    /// The block.
    pub block: BlockId,
}

impl fmt::Display for StagedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BlockId { slice, index, len } = self.block;
        write!(f, "{:016x}_{}_{index}_{len}", self.number, slice.0)
    }
}

impl StagedName {
    /// Reads a name back; `None` for every other, also for one that only differs in how its numbers are written:
    /// the file is found again by the name that the numbers give.
    pub fn parse(name: &str) -> Option<StagedName> {
        let (number, block) = name.split_once('_')?;
        let staged = StagedName {
            number: u64::from_str_radix(number, 16).ok()?,
            block: BlockId::parse_name(block)?,
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
    };

    #[test]
    fn a_name_reads_back() {
        assert_eq!(NAME.to_string(), "000000000000001f_33_1_4194304");
        assert_eq!(StagedName::parse(&NAME.to_string()), Some(NAME));
    }

    #[test]
    fn a_name_that_would_not_be_written_so_is_nobody_s() {
        for name in [
            "000000000000001F_33_1_4194304",
            "+00000000000001f_33_1_4194304",
            "1f_33_1_4194304",
            "000000000000001f_033_1_4194304",
            "000000000000001f_33_1_4194304.damaged",
            "000000000000001f.tmp",
            "lock",
            "",
        ] {
            assert_eq!(StagedName::parse(name), None, "{name}");
        }
    }
}
