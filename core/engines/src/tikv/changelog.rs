//! Shards of the changelog (spec 50-tkv section 7).

use std::sync::OnceLock;

/// Shards when the environment does not say.
const DEFAULT_SHARDS: u64 = 64;
/// Shards at most: their number is one byte.
const MAX_SHARDS: u64 = 256;
/// Number of shards; equal for all clients of a volume.
const SHARDS: &str = "JFS_TKV_CHANGELOG_SHARDS";

/// The shard of a line.
pub(super) fn shard(version: u64) -> u8 {
    static NUMBER: OnceLock<u64> = OnceLock::new();
    let shards = *NUMBER.get_or_init(|| number(std::env::var(SHARDS).ok().as_deref()));
    place(version, shards)
}

fn number(setting: Option<&str>) -> u64 {
    let number = setting.and_then(|text| text.parse().ok());
    number
        .filter(|number| (1..=MAX_SHARDS).contains(number))
        .unwrap_or(DEFAULT_SHARDS)
}

fn place(version: u64, shards: u64) -> u8 {
    u8::try_from((version ^ (version >> 18)) % shards.max(1)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_in_the_shard_that_the_format_says() {
        assert_eq!(place(5, 64), 5);
        assert_eq!(place((1 << 18) | 1, 64), 0);
        assert_eq!(place(u64::MAX, 1), 0);
        assert_eq!(place(255, 256), 255);
    }

    #[test]
    fn a_number_of_shards_that_can_not_be_is_the_usual_one() {
        for (setting, expected) in [
            (None, 64),
            (Some("8"), 8),
            (Some("0"), 64),
            (Some("257"), 64),
            (Some("x"), 64),
        ] {
            assert_eq!(number(setting), expected, "{setting:?}");
        }
    }
}
