//! How much may be pinned in a folder of the disk cache.

use std::path::Path;

use moorage_model::{ByteSize, Error, ErrorKind, Result};

/// Part of a folder's share of the cache that pins may take, in percent: the rest is for everything else that is read.
const PINNED_PERCENT: u64 = 80;

/// Most bytes of pinned blocks in a folder with this capacity.
pub(super) fn pin_limit(capacity: u64) -> u64 {
    capacity / 100 * PINNED_PERCENT
}

/// What there is in a folder for pins, bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct PinRoom {
    /// Most bytes of the folder.
    pub(super) capacity: u64,
    /// Free on its disk.
    pub(super) free: u64,
    /// Of blocks that make room.
    pub(super) evictable: u64,
    /// What is to stay free.
    pub(super) kept_free: u64,
}

impl PinRoom {
    /// Whether pins of these bytes fit, of which some are missing so far.
    ///
    /// # Errors
    /// `NoSpace` with the figures and what to do.
    pub(super) fn check(&self, folder: &Path, pinned: u64, missing: u64) -> Result<()> {
        let limit = pin_limit(self.capacity);
        if pinned > limit {
            return Err(Error::new(
                ErrorKind::NoSpace,
                format!(
                    "with this, {} would be pinned in {}, and pins may take {} there, {PINNED_PERCENT} % of its cache",
                    ByteSize(pinned),
                    folder.display(),
                    ByteSize(limit)
                ),
            )
            .with_advice("Pin less, unpin something (`moorage cache pins` lists what is), or mount with a larger --cache-size."));
        }
        let available = self
            .free
            .saturating_add(self.evictable)
            .saturating_sub(self.kept_free);
        if missing > available {
            return Err(Error::new(
                ErrorKind::NoSpace,
                format!(
                    "{} would have to be fetched, and the disk of {} has room for {}: {} are free and {} are of blocks that \
                     can go, of which {} have to stay free (--free-space-ratio)",
                    ByteSize(missing),
                    folder.display(),
                    ByteSize(available),
                    ByteSize(self.free),
                    ByteSize(self.evictable),
                    ByteSize(self.kept_free)
                ),
            )
            .with_advice("Free space on that disk, pin less, or unpin something (`moorage cache pins` lists what is)."));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(room: PinRoom, pinned: u64, missing: u64) -> Option<String> {
        room.check(Path::new("/cache"), pinned, missing)
            .err()
            .map(|error| {
                assert_eq!(error.kind(), ErrorKind::NoSpace);
                error.to_string()
            })
    }

    #[test]
    fn pins_leave_a_fifth_of_the_cache_and_what_is_to_stay_free() {
        let room = PinRoom {
            capacity: 1000 << 20,
            free: 300 << 20,
            evictable: 100 << 20,
            kept_free: 200 << 20,
        };
        assert_eq!(refused(room, 800 << 20, 200 << 20), None);
        let said = refused(room, (800 << 20) + 1, 0).unwrap();
        assert!(
            said.contains("800.0 MiB") && said.contains("--cache-size"),
            "{said}"
        );
        let said = refused(room, 300 << 20, (200 << 20) + 1).unwrap();
        assert!(
            said.contains("room for 200.0 MiB") && said.contains("300.0 MiB are free"),
            "{said}"
        );
    }
}
